"""`restoops rollback`."""

from __future__ import annotations

from functools import cache
from typing import Annotated

import typer

from restoops.cli.arguments import batch_argument, release_argument
from restoops.cli.completion import complete_environment, complete_release
from restoops.cli.context import configured_environments, load_environment
from restoops.cli.hosts import opened
from restoops.cli.options import (
    BatchOption,
    DryRunOption,
    HostOption,
    JsonOption,
    PauseOption,
    ReportOption,
    TimeoutOption,
    WaitOption,
    YesOption,
)
from restoops.cli.questions import confirming_rollback, demand_somebody_to_ask
from restoops.cli.recording import recording
from restoops.cli.registry import has_in_registry, has_or_unknown
from restoops.cli.swapping import RunOptions, swapping
from restoops.errors import RestoopsError, UsageError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog="Examples: `restoops rollback staging`, `restoops rollback abc1234 staging --yes`, "
        "`restoops rollback --list staging`"
    )(rollback)


_First = Annotated[
    str | None,
    typer.Argument(
        metavar="[RELEASE]",
        help="Tag, Git SHA or digest of an earlier release; left out: the last good one.",
        autocompletion=complete_release,
    ),
]
_Second = Annotated[
    str | None,
    typer.Argument(
        metavar="ENVIRONMENT",
        help="Environment of restoops.yaml.",
        autocompletion=complete_environment,
    ),
]
_Preempt = Annotated[
    bool, typer.Option("--preempt", help="End a run that holds the lock, and go first.")
]


def rollback(
    first: _First = None,
    second: _Second = None,
    *,
    list_: Annotated[
        bool, typer.Option("--list", help="Show what can be rolled back to, and how fast.")
    ] = False,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
    timeout: TimeoutOption = None,
    wait: WaitOption = 0,
    preempt: _Preempt = False,
    host: HostOption = None,
    batch: BatchOption = "100%",
    pause: PauseOption = 0,
    report: ReportOption = None,
) -> None:
    """Make an earlier release live again on ENVIRONMENT."""
    release, environment = _arguments(first, second, is_list=list_)
    hosts = tuple(host or ())
    if list_:
        _show_list(environment, hosts, as_json=as_json)
        return
    options = RunOptions(
        environment or "", dry_run, yes, as_json, wait, timeout, hosts, batch_argument(batch),
        pause, preempt,
    )  # fmt: skip
    with recording("rollback", options, report) as record:
        loaded = load_environment(options.environment)
        demand_somebody_to_ask(yes=yes or dry_run)
        with swapping(options, "rollback", loaded, recording=record) as swap:
            from restoops.flows.swap import rollback as go_back

            ask = None if yes else confirming_rollback(options.environment, swap.fleet.interrupt)
            go_back(swap, release, confirm=ask, can_pull=has_in_registry(loaded))


def _arguments(
    first: str | None, second: str | None, *, is_list: bool
) -> tuple[str | None, str | None]:
    """Tell release and environment apart: a single argument is the environment."""
    if is_list:
        if second is not None:
            raise UsageError(
                "`--list` takes an environment and no release",
                hint=f"Leave the release out: `restoops rollback --list {second}`.",
            )
        return None, first
    if first is None:
        raise UsageError(
            "roll back which environment?", hint="For example `restoops rollback staging`."
        )
    if second is None:
        return None, first
    return release_argument(first), second


def _show_list(environment: str | None, hosts: tuple[str, ...], *, as_json: bool) -> None:
    from restoops.flows.rollout import gravest

    if environment:
        _list_one(environment, hosts, as_json=as_json)
        return
    failed: dict[str, RestoopsError] = {}
    for name in configured_environments():
        try:
            _list_one(name, hosts, as_json=as_json)
        except UsageError:
            raise
        except RestoopsError as error:
            error.message = f"{name}: {error.message}"
            failed[name] = error
    if failed:
        raise gravest(failed)


def _list_one(environment: str, hosts: tuple[str, ...], *, as_json: bool) -> None:
    from restoops.plan.rollback import candidates
    from restoops.report.tables import show_candidates

    loaded = load_environment(environment)
    ask = cache(has_or_unknown(loaded))
    with opened(loaded, only=hosts) as found:
        for state in found.observe():
            show_candidates(environment, state.host, candidates(state, ask), as_json=as_json)
    found.raise_if_absent()
