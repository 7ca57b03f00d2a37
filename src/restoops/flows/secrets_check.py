"""Hold an environment against its template."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from restoops.config.load import Chosen, Loaded, choose
from restoops.errors import CheckRefused, UsageError
from restoops.flows.secrets_current import Kept
from restoops.flows.secrets_sources import Keeping
from restoops.model import Secret
from restoops.plan.env_check import EnvCheck, compare, compare_key, weak_names
from restoops.plan.fingerprints import KEY_NAME


def check(environment: str, *, start: Path, environ: Mapping[str, str]) -> EnvCheck:
    """Return what is wrong with the secrets of an environment; nothing is contacted.

    Raises:
        UsageError: there is no such environment, or template or source cannot be read.
    """
    chosen = choose(environment, start=start, environ=environ)
    kept = Kept.of(Keeping.of(chosen, start=start, environ=environ))
    return _checked(kept, needs_key=chosen.settings.has_secrets)


def refuse_unfit(
    chosen: Chosen | Loaded, *, start: Path, environ: Mapping[str, str]
) -> Mapping[str, Secret]:
    """Return what the source of an environment has, when it is as the template wants.

    Raises:
        CheckRefused: they are not; says which, and never a value.
        UsageError: template or source cannot be read.
    """
    kept = Kept.of(Keeping.of(chosen, start=start, environ=environ))
    refuse_unfit_values(kept, "nothing was contacted")
    return kept.found


def learn_what_is_at_hand(chosen: Chosen, *, start: Path, environ: Mapping[str, str]) -> None:
    """Take the secrets of an environment out of what is printed, if reading them is all it takes.

    What cannot be read holds nothing up; a password store is not opened for this.
    """
    if chosen.settings.secrets.source in ("file", "environment", "age"):
        with contextlib.suppress(UsageError):
            Kept.of(Keeping.of(chosen, start=start, environ=environ))


def refuse_unfit_values(kept: Kept, so_far: str) -> None:
    """Go on when they are as the template wants; `so_far` says what was done until now.

    Raises:
        CheckRefused: they are not, so that no release could be started with them.
    """
    found = _checked(kept, needs_key=True)
    if found.findings:
        lines = (f"{it.name}: {it.problem.value}, {it.meaning}" for it in found.findings)
        raise CheckRefused(
            f"the secrets of {found.environment} are not as {found.template} wants; {so_far}",
            hint=f"They are in {found.source}; `restoops secrets check {found.environment}` looks "
            "again.",
            details="\n".join(lines),
        )


def _checked(kept: Kept, *, needs_key: bool) -> EnvCheck:
    keeping, variables, source = kept.keeping, kept.template.variables, kept.source
    values = {name: it for name, it in kept.found.items() if name != KEY_NAME}
    findings = compare(variables, values, is_exclusive=source.is_exclusive)
    if needs_key:
        findings += compare_key(kept.found)
    weak = weak_names(variables, values)
    return EnvCheck(keeping.environment, keeping.shown_template, source.shown, findings, weak)
