"""`restoops report`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from restoops.cli.context import configured_environments, load_environment
from restoops.cli.hosts import opened
from restoops.cli.options import JsonOption, OptionalEnvironmentArgument
from restoops.errors import Refused, RestoopsError
from restoops.masking import masked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from restoops.plan.runs import FleetRun
    from restoops.report.page import Page


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog="Examples: `restoops report last staging`, "
        "`restoops report 20260102T0304 production --out deploy.html`"
    )(report)


def report(
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN",
            help="Run as `restoops history` names it, or how that begins; `last` is the newest.",
        ),
    ],
    environment: OptionalEnvironmentArgument = None,
    *,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help="File to write, `-` for standard output; else RUN.html."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write a page about an earlier run, from what the hosts remember of it."""
    from restoops.adapters.private import demand_writable
    from restoops.report.recalled import page_of

    if not as_json:
        demand_writable(out if out and out != Path("-") else Path("run.html"))
    environments = (environment,) if environment else configured_environments()
    where, found, absent = _find(run, environments)
    _give(masked(page_of(found, where)), out, as_json=as_json)
    if absent:
        raise absent


def _give(page: Page, out: Path | None, *, as_json: bool) -> None:
    from restoops.adapters.private import write_private
    from restoops.report.jsonl import plain, write

    if as_json:
        write(plain(page))
        return
    from restoops.report.html import render
    from restoops.report.lines import print_lines

    if out == Path("-"):
        typer.echo(render(page), nl=False)
        return
    path = out or file_of(page.run)
    write_private(path, render(page))
    print_lines([str(path)])


def file_of(run: str) -> Path:
    """Return where a page goes by itself: here, whatever a host says that its run is called."""
    return Path(re.sub(r"[^A-Za-z0-9-]", "_", run)[:100] + ".html")


def _find(name: str, environments: tuple[str, ...]) -> tuple[str, FleetRun, RestoopsError | None]:
    """Return the run that `name` means, its environment, and why a host of that was not asked.

    Raises:
        Refused: there is no such run, or there are several.
    """
    from restoops.plan.runs import called

    runs: dict[str, tuple[FleetRun, ...]] = {}
    absent: dict[str, RestoopsError] = {}
    for environment in environments:
        runs[environment] = _runs(environment, absent)
    found = called(name, runs)
    if len(found) == 1:
        where, run = found[0]
        return where, run, absent.get(where)
    if not found:
        if absent:
            raise next(iter(absent.values()))
        raise no_such(name, runs)
    named = ", ".join(f"{run.id} on {where}" for where, run in found[:5])
    raise Refused(f"{name} can mean {len(found)} runs: {named}", hint="Give more of its name.")


def no_such(name: str, runs: Mapping[str, tuple[FleetRun, ...]]) -> Refused:
    """Return that there is no such run, or none at all; `runs` are by environment."""
    where = ", ".join(runs)
    if not any(runs.values()):
        return Refused(
            f"the hosts of {where} remember no run",
            hint="Each deploy and rollback is remembered there; nothing was deployed yet.",
        )
    return Refused(
        f"there is no run {name} on {where}",
        hint="`restoops history <environment>` lists the last ones.",
    )


def _runs(environment: str, absent: dict[str, RestoopsError]) -> tuple[FleetRun, ...]:
    from restoops.flows.rollout import gravest
    from restoops.plan.runs import merge

    with opened(load_environment(environment)) as hosts:
        histories = {state.host: state.history for state in hosts.observe()}
    if hosts.absent:
        absent[environment] = gravest(hosts.absent)
    return merge(histories)
