"""`restoops secrets push`, and the places that it can push to."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, assert_never

import typer

from restoops.cli.context import choose_environment, find_hosts
from restoops.cli.options import (
    DryRunOption,
    EnvironmentArgument,
    JsonOption,
    WaitOption,
    YesOption,
)
from restoops.cli.questions import confirm
from restoops.cli.signals import honouring

if TYPE_CHECKING:
    from restoops.config.load import Chosen
    from restoops.flows.interrupt import Interrupt
    from restoops.flows.secrets_sinks import Sink
    from restoops.model import Value


class Place(StrEnum):
    """Kinds of places that secrets can be handed to."""

    HOSTS = "hosts"
    GITHUB = "github"


PlaceOption = Annotated[
    list[Place],
    typer.Option("--to", help="Where to put them; can be given several times.", show_default=False),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog="Examples: `restoops secrets push staging --to hosts --dry-run`, "
        "`restoops secrets push staging --to hosts --yes`"
    )(push)
    app.command(
        epilog="Examples: `restoops secrets status staging`, `restoops secrets status staging "
        "--of hosts --of github --json`"
    )(status)


def push(
    environment: EnvironmentArgument,
    to: PlaceOption,
    *,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
    wait: WaitOption = 0,
) -> None:
    """Hand the secrets of ENVIRONMENT to the places that need them, as their source has them now.

    Names are shown, values are not. What is current already is not written again.
    """
    chosen = choose_environment(environment, checks_secrets=True)
    from restoops.flows.interrupt import Interrupt
    from restoops.flows.secrets_current import Kept
    from restoops.flows.secrets_push import push as hand_over
    from restoops.flows.secrets_sources import Keeping
    from restoops.report.secrets import show_push

    values = Kept.of(Keeping.of(chosen, start=Path.cwd(), environ=os.environ)).current
    places = " and ".join(dict.fromkeys(to))
    confirm(
        f"Put secrets of {environment} on {places}?",
        yes=yes or dry_run or not chosen.environment.confirm,
    )
    interrupt = Interrupt()
    with (
        opened_sinks(
            to, chosen, values.values, wait_s=wait, dry_run=dry_run, interrupt=interrupt
        ) as sinks,
        honouring(interrupt),
    ):
        pushed, error = hand_over(values, sinks, dry_run=dry_run, interrupt=interrupt)
    show_push(pushed, as_json=as_json)
    if error:
        raise error


def status(
    environment: EnvironmentArgument,
    of: Annotated[
        list[Place] | None,
        typer.Option("--of", help="Places to ask; left out: the hosts.", show_default=False),
    ] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Show where each secret of ENVIRONMENT is, since when, what is behind and what is due.

    Names are shown, values are not. Nothing is changed.
    """
    chosen = choose_environment(environment)
    from restoops.adapters.clock import SystemClock
    from restoops.flows.secrets_current import Kept
    from restoops.flows.secrets_push import status as look
    from restoops.flows.secrets_sources import Keeping
    from restoops.report.secrets import show_status

    values = Kept.of(Keeping.of(chosen, start=Path.cwd(), environ=os.environ)).current
    places = of or [Place.HOSTS]
    with opened_sinks(places, chosen, values.values, wait_s=0, dry_run=True) as sinks:
        found, error = look(values, sinks, SystemClock().now())
    show_status(found, as_json=as_json)
    if error:
        raise error


@contextlib.contextmanager
def opened_sinks(
    to: Sequence[Place],
    chosen: Chosen,
    values: Mapping[str, Value],
    *,
    wait_s: int,
    dry_run: bool,
    interrupt: Interrupt | None = None,
) -> Iterator[tuple[Sink, ...]]:
    """Open the places of these kinds; they are closed with the block.

    What is waited for there ends when somebody asks `interrupt` for it.

    Raises:
        Refused: one would not take a name or a value.
        Unreachable: one cannot be reached.
        Locked: a run holds the lock of a host.
    """
    with contextlib.ExitStack() as stack:
        sinks: list[Sink] = []
        for place in dict.fromkeys(to):
            match place:
                case Place.HOSTS:
                    from restoops.cli.secrets_hosts import host_sinks

                    hosts = find_hosts(chosen)
                    sinks += stack.enter_context(
                        host_sinks(hosts, wait_s, dry_run=dry_run, interrupt=interrupt)
                    )
                case Place.GITHUB:
                    from restoops.cli.secrets_github import github_sinks

                    sinks += stack.enter_context(github_sinks(chosen, values, interrupt))
                case _:
                    assert_never(place)
        yield tuple(sinks)
