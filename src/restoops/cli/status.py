"""`restoops status`."""

from __future__ import annotations

import typer

from restoops.cli.context import load_environment
from restoops.cli.hosts import opened
from restoops.cli.options import EnvironmentArgument, JsonOption
from restoops.errors import NeedsAttention


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: `restoops status staging`")(status)


def status(environment: EnvironmentArgument, *, as_json: JsonOption = False) -> None:
    """Show who serves since when, and what is warm.

    Ends with status 3 when a person must look at something; says at what.
    """
    from restoops.plan.status import look_at, status_of
    from restoops.report.tables import show_statuses

    with opened(load_environment(environment)) as found:
        statuses = [status_of(state) for state in found.observe()]
    if statuses:
        show_statuses(environment, statuses, as_json=as_json)
    found.raise_if_absent()
    if faults := look_at(statuses):
        which = " --host HOST" if len(statuses) > 1 else ""
        raise NeedsAttention(
            "; ".join(faults),
            hint=f"`restoops logs {environment}{which}` shows why a release is down; a deploy or "
            "rollback puts the rest right.",
        )
