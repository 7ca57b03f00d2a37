"""Hold an environment against its template."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from restoops.config.load import Chosen, Loaded, choose
from restoops.errors import CheckRefused, UsageError
from restoops.flows.secrets_sources import Keeping, learn_secrets
from restoops.model import Secret
from restoops.plan.env_check import EnvCheck, compare, compare_key, weak_names
from restoops.plan.fingerprints import KEY_NAME


def check(environment: str, *, start: Path, environ: Mapping[str, str]) -> EnvCheck:
    """Return what is wrong with the secrets of an environment; nothing is contacted.

    Raises:
        UsageError: there is no such environment, or template or source cannot be read.
    """
    chosen = choose(environment, start=start, environ=environ)
    keeping = Keeping.of(chosen, start=start, environ=environ)
    return _check(keeping, needs_key=chosen.has_secrets)[0]


def refuse_unfit(
    chosen: Chosen | Loaded, *, start: Path, environ: Mapping[str, str]
) -> Mapping[str, Secret]:
    """Return what the source of an environment has, when it is as the template wants.

    Raises:
        CheckRefused: they are not; says which, and never a value.
        UsageError: template or source cannot be read.
    """
    found, secrets = _check(Keeping.of(chosen, start=start, environ=environ), needs_key=True)
    if found.findings:
        lines = (f"{it.name}: {it.problem.value}, {it.meaning}" for it in found.findings)
        raise CheckRefused(
            f"the secrets of {found.environment} are not as {found.template} wants; "
            "nothing was contacted",
            hint=f"They are in {found.source}; `restoops secrets check {found.environment}` looks "
            "again.",
            details="\n".join(lines),
        )
    return secrets


def learn_what_is_at_hand(chosen: Chosen, *, start: Path, environ: Mapping[str, str]) -> None:
    """Take the secrets of an environment out of what is printed, if reading them is all it takes.

    What cannot be read holds nothing up; a password store is not opened for this.
    """
    if chosen.settings.secrets.source in ("file", "environment", "age"):
        with contextlib.suppress(UsageError):
            _check(Keeping.of(chosen, start=start, environ=environ), needs_key=False)


def _check(keeping: Keeping, *, needs_key: bool) -> tuple[EnvCheck, Mapping[str, Secret]]:
    template, source = keeping.template(), keeping.source()
    found = source.read()
    learn_secrets(template, source, found)
    values = {name: it for name, it in found.items() if name != KEY_NAME}
    findings = compare(template.variables, values, is_exclusive=source.is_exclusive)
    if needs_key:
        findings += compare_key(found)
    weak = weak_names(template.variables, values)
    shown = EnvCheck(keeping.environment, keeping.shown_template, source.shown, findings, weak)
    return shown, found
