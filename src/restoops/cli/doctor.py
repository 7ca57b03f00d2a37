"""`restoops doctor`."""

from __future__ import annotations

import os
from pathlib import Path

import typer

from restoops.cli.context import configured_environments
from restoops.cli.options import JsonOption, OptionalEnvironmentArgument


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: `restoops doctor staging`")(doctor)


def doctor(
    environment: OptionalEnvironmentArgument = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Check all that a deploy needs, here and on hosts.

    Says of what is missing how to get it.
    """
    from restoops.flows.doctor import diagnose, raise_if_missing
    from restoops.report.tables import show_checks

    found = []
    for name in [environment] if environment else configured_environments():
        found.append(diagnose(name, start=Path.cwd(), environ=os.environ))
        show_checks(found[-1].environment, found[-1].checks, as_json=as_json)
    raise_if_missing(found)
