"""Arguments and options that several commands share, so that they read the same everywhere."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from restoops.cli.completion import complete_environment


class Via(StrEnum):
    """Other tools that can carry out a deploy."""

    ANSIBLE = "ansible"


EnvironmentArgument = Annotated[
    str,
    typer.Argument(
        metavar="ENVIRONMENT",
        help="Environment of restoops.yaml, such as staging; `local` is this machine.",
        autocompletion=complete_environment,
    ),
]
OptionalEnvironmentArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[ENVIRONMENT]",
        help="Environment of restoops.yaml; left out: all of them.",
        autocompletion=complete_environment,
    ),
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show the plan and change nothing.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, one object to a line.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
TimeoutOption = Annotated[
    float | None,
    typer.Option(
        "--timeout",
        metavar="SECONDS",
        min=0.1,
        max=600,
        help="Seconds for the release to become healthy, instead of `health.timeout_s`.",
    ),
]
WaitOption = Annotated[
    int,
    typer.Option(
        "--wait",
        metavar="SECONDS",
        min=0,
        max=86400,
        help="Queue this long behind a run that holds the lock, instead of giving up at once.",
    ),
]
ViaOption = Annotated[
    Via | None,
    typer.Option(
        "--via",
        help="Let Ansible do it, by the playbook that `ansible.update` of restoops.yaml names.",
    ),
]
ReportOption = Annotated[
    Path | None,
    typer.Option(
        "--report",
        metavar="FILE.html",
        help="Write a page about the run there, however it ends; it loads nothing from outside.",
    ),
]
HostOption = Annotated[
    list[str] | None,
    typer.Option(
        "--host", metavar="NAME", help="Act on this host only; can be given several times."
    ),
]
BatchOption = Annotated[
    str,
    typer.Option(
        "--batch", metavar="N|N%", help="Switch this many hosts at once, and then the next ones."
    ),
]
PauseOption = Annotated[
    float,
    typer.Option(
        "--pause", metavar="SECONDS", min=0, max=86400, help="Seconds between two batches."
    ),
]
