"""The secrets of an environment as its source has them now."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

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


@dataclass(frozen=True, slots=True)
class Kept:
    """What the source of an environment has; it is read once."""

    keeping: Keeping
    template: Template
    source: Source
    found: Mapping[str, Secret]

    @classmethod
    def of(cls, keeping: Keeping) -> Kept:
        """Read it, unless `keeping` has it already.

        Raises:
            UsageError: template or source cannot be read.
        """
        template, source = keeping.template(), keeping.source()
        found = source.read() if keeping.found is None else keeping.found
        learn_secrets(template, source, found)
        return cls(keeping, template, source, found)

    def having(self, name: str, value: Secret) -> Kept:
        """Return it as it is with another value."""
        return replace(self, found={**self.found, name: value})

    def key(self) -> Secret:
        """Return the key that fingerprints are made with.

        Raises:
            UsageError: the source has none.
        """
        key = self.found.get(KEY_NAME, Secret(""))
        if len(key.reveal()) < KEY_LENGTH:
            what = f"is shorter than {KEY_LENGTH} characters" if key.reveal() else "is missing"
            raise UsageError(
                f"{KEY_NAME} {what} in {self.source.shown}: without it nobody can tell whether a "
                "value has changed",
                hint=f"Make one once and keep it there: {KEY_NAME}=$(openssl rand -hex 32). It is "
                "handed to nobody.",
            )
        return key

    @property
    def current(self) -> Current:
        """The values that the template names and that are not empty.

        Raises:
            UsageError: the source has no key for fingerprints.
        """
        key, found, variables = self.key(), self.found, self.template.variables
        names = [it.name for it in variables if it.name in found]
        values = {name: found[name] for name in names if found[name].reveal().strip()}
        environment = self.keeping.environment
        return Current(environment, self.source.shown, fingerprints(key, values), variables)


def handing(keeping: Keeping) -> Callable[[], Handed]:
    """Return what reads, once and when it is first called, what a release is to be given."""
    one_at_a_time = threading.Lock()  # hosts ask from threads of their own

    @functools.cache
    def read() -> Handed:
        plain = frozenset(keeping.settings.as_environment)
        values = Kept.of(keeping).current.values
        return Handed(values, fingerprint_of_all(values, plain), plain)

    def ask() -> Handed:
        with one_at_a_time:
            return read()

    return ask
