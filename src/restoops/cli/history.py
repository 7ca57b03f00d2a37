"""`restoops history`."""

from __future__ import annotations

from typing import Annotated

import typer

from restoops.cli.context import load_environment
from restoops.cli.hosts import opened
from restoops.cli.options import EnvironmentArgument, JsonOption


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: `restoops history staging --last 50`")(history)


def history(
    environment: EnvironmentArgument,
    *,
    last: Annotated[
        int, typer.Option("--last", metavar="N", min=1, max=200, help="How many runs to show.")
    ] = 20,
    as_json: JsonOption = False,
) -> None:
    """Show past runs: who, what, when, outcome."""
    from restoops.plan.runs import merge
    from restoops.report.tables import show_runs

    with opened(load_environment(environment)) as found:
        histories = {state.host: state.history for state in found.observe()}
    if histories:
        show_runs(environment, merge(histories)[:last], as_json=as_json)
    found.raise_if_absent()
