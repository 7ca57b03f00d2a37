"""`restoops logs`."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Annotated

import typer

from restoops.cli.context import load_environment
from restoops.cli.hosts import opened_one
from restoops.cli.options import EnvironmentArgument, HostOption, JsonOption
from restoops.errors import Refused


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: `restoops logs staging --follow`")(logs)


def logs(
    environment: EnvironmentArgument,
    *,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with each new line until Ctrl-C.")
    ] = False,
    lines: Annotated[
        int, typer.Option("--lines", "-n", metavar="N", min=0, max=100_000, help="How many lines.")
    ] = 100,
    as_json: JsonOption = False,
    host: HostOption = None,
) -> None:
    """Show what the serving release wrote last."""
    with opened_one(load_environment(environment), host or ()) as reached:
        color = reached.observe().answering
        if color is None:
            raise Refused(f"{reached.name}: no release is live", hint="Deploy one first.")
        if follow:
            # At once, wherever it waits: nothing here has to be put right.
            signal.signal(signal.SIGINT, lambda *_: os._exit(130))
        tell = _as_json(environment, reached.name) if as_json else typer.echo
        for line in reached.follow(color, lines) if follow else reached.logs(color, lines):
            tell(line)


def _as_json(environment: str, host: str) -> Callable[[str], None]:
    from restoops.report.jsonl import LogLine, plain, write

    return lambda line: write({"environment": environment, **plain(LogLine(host, line))})
