"""The secrets of an environment as its source has them now."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from restoops.errors import UsageError
from restoops.flows.secrets_sources import Keeping, Source, learn_secrets
from restoops.handover import Handed
from restoops.model import Secret, Value
from restoops.plan.env_template import Template, Variable
from restoops.plan.fingerprints import KEY_LENGTH, KEY_NAME, fingerprint_of_all, fingerprints


@dataclass(frozen=True, slots=True)
class Current:
    """The values that belong to an environment, each with its fingerprint."""

    environment: str
    source: str
    """How to name where they come from."""
    values: Mapping[str, Value]
    variables: tuple[Variable, ...] = ()
    """What the template says of each."""


def current(keeping: Keeping) -> Current:
    """Read the values that the template names and that are not empty.

    Raises:
        UsageError: template or source cannot be read, or the source has no key for fingerprints.
    """
    template, source = keeping.template(), keeping.source()
    found = source.read() if keeping.found is None else keeping.found
    learn_secrets(template, source, found)
    return valued(keeping.environment, template, source, found)


def valued(
    environment: str, template: Template, source: Source, found: Mapping[str, Secret]
) -> Current:
    """Return of what was `found` in `source` the values that `current` does.

    Raises:
        UsageError: there is no key for fingerprints.
    """
    key = key_in(found, source.shown)
    names = [it.name for it in template.variables if it.name in found]
    values = {name: found[name] for name in names if found[name].reveal().strip()}
    return Current(environment, source.shown, fingerprints(key, values), template.variables)


def handing(keeping: Keeping) -> Callable[[], Handed]:
    """Return what reads, once and when it is first called, what a release is to be given."""
    one_at_a_time = threading.Lock()  # hosts ask from threads of their own

    @functools.cache
    def read() -> Handed:
        plain = frozenset(keeping.settings.as_environment)
        values = current(keeping).values
        return Handed(values, fingerprint_of_all(values, plain), plain)

    def ask() -> Handed:
        with one_at_a_time:
            return read()

    return ask


def key_in(found: Mapping[str, Secret], where: str) -> Secret:
    """Return the key that fingerprints are made with.

    Raises:
        UsageError: the source, which is named `where`, has none.
    """
    key = found.get(KEY_NAME, Secret(""))
    if len(key.reveal()) < KEY_LENGTH:
        what = f"is shorter than {KEY_LENGTH} characters" if key.reveal() else "is missing"
        raise UsageError(
            f"{KEY_NAME} {what} in {where}: without it nobody can tell whether a value has changed",
            hint=f"Make one once and keep it there: {KEY_NAME}=$(openssl rand -hex 32). It is "
            "handed to nobody.",
        )
    return key
