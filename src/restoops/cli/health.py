"""`restoops health`."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Annotated

import typer

from restoops.cli.announcing import taken_back
from restoops.cli.arguments import wait_argument
from restoops.cli.context import load_environment
from restoops.cli.failures import told_to_slack
from restoops.cli.options import EnvironmentArgument, HostOption, JsonOption
from restoops.cli.signals import interruptible
from restoops.errors import UsageError

if TYPE_CHECKING:
    from restoops.flows.health import Examiner, Looking
    from restoops.plan.verdict import Health
    from restoops.report.health import LiveWatch, PlainWatch


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog="Examples: `restoops health staging`, `restoops health production --wait 60s`"
    )(health)


def health(
    environment: EnvironmentArgument,
    *,
    host: HostOption = None,
    wait: Annotated[
        str,
        typer.Option(
            "--wait", metavar="TIME", help="Ask until all is healthy, this long: `60s`, `5m`."
        ),
    ] = "0s",
    watch: Annotated[
        bool, typer.Option("--watch", help="Ask again and again, until you press Ctrl-C.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Ask the hosts and the public address whether all is well.

    Ends with status 1 when something is degraded or down, with 5 when nothing can be reached.
    """
    limit_s = wait_argument(wait)
    if watch and limit_s:
        raise UsageError("`--wait` and `--watch` do not go together", hint="Leave one out.")
    with _examining(environment, host or ()) as (examiner, looking):
        if watch:
            _watch(environment, examiner, looking, as_json=as_json)
        else:
            with (
                told_to_slack(f"The health check of {environment}", looking.loaded),
                taken_back(environment, looking.loaded),
            ):
                _look(environment, examiner, looking, limit_s, as_json=as_json)


@contextlib.contextmanager
def _examining(environment: str, only: Iterable[str]) -> Iterator[tuple[Examiner, Looking]]:
    """Open who looks at an environment; a signal ends what is waited for."""
    loaded = load_environment(environment)
    from restoops.adapters.clock import SystemClock
    from restoops.config.hosts import select
    from restoops.flows.background import in_background
    from restoops.flows.connect import load_client
    from restoops.flows.health import Examiner, Looking

    targets = select(loaded.targets, only)
    load_client(loaded)
    in_background(lambda: import_module("restoops.adapters.docker"))
    with interruptible() as interrupt:
        looking = Looking(loaded, SystemClock(), interrupt)
        with Examiner(looking, targets) as examiner:
            yield examiner, looking


def _look(
    environment: str, examiner: Examiner, looking: Looking, limit_s: float, *, as_json: bool
) -> None:
    from restoops.flows.health import raise_if_unhealthy, wait
    from restoops.report.health import show_health, summary
    from restoops.report.lines import say

    told: set[tuple[str, ...]] = set()

    def tell(found: Health) -> None:
        if found.reasons not in told:
            told.add(found.reasons)
            say(f"waiting: {summary(environment, found)}")

    found = wait(examiner.look, looking, limit_s, tell)
    show_health(environment, found, as_json=as_json)
    raise_if_unhealthy(environment, found)


def _watch(environment: str, examiner: Examiner, looking: Looking, *, as_json: bool) -> None:
    from restoops.flows.health import watch

    view = _view(environment, as_json=as_json)
    try:
        watch(examiner.look, looking, view.show)
    finally:
        view.close()


def _view(environment: str, *, as_json: bool) -> LiveWatch | PlainWatch:
    from restoops.report.health import LiveWatch, PlainWatch
    from restoops.report.lines import may_move

    if may_move(sys.stdout) and not as_json:
        return LiveWatch(environment)
    return PlainWatch(environment, as_json=as_json)
