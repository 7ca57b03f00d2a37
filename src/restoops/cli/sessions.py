"""Runs on hosts, made from the settings of their environment."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from restoops.cli.registry import login

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from restoops.config.load import Loaded
    from restoops.flows.host import Host
    from restoops.flows.rollout import Surroundings
    from restoops.flows.session import Request, Session
    from restoops.plan.bluegreen import Wishes


def sessions_on(
    hosts: Iterable[Host],
    loaded: Loaded,
    run: tuple[Request, Wishes],
    around: Surroundings,
    before_traffic: Callable[[Host], None] = lambda _: None,
) -> tuple[Session, ...]:
    """Return a session on each of `hosts`; see `Executor` for `before_traffic`."""
    from restoops.flows.open import health_settings, smoke_settings
    from restoops.flows.session import Session
    from restoops.flows.steps import Executor

    health, smoke = health_settings(loaded.settings), smoke_settings(loaded.settings)
    return tuple(
        Session(
            Executor(
                host=host,
                health=health,
                clock=around.clock,
                tell=around.tell,
                interrupt=around.interrupt,
                logins=partial(login, loaded),
                before_traffic=before_traffic,
                smoke=smoke,
            ),
            *run,
        )
        for host in hosts
    )
