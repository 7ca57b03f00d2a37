"""The locks of all hosts of a run, taken together or not at all."""

from __future__ import annotations

from collections.abc import Sequence

from restoops.errors import Locked
from restoops.flows.background import side_by_side
from restoops.flows.part import Part
from restoops.flows.pause import pause
from restoops.flows.rollout import Surroundings, gravest
from restoops.report.events import Waiting

_ASK_AGAIN_S = 0.5
"""Pause before hosts are asked for their locks again that another fleet had in part."""


def take_locks(
    sessions: Sequence[Part], around: Surroundings, *, wait_s: float, parallel: int
) -> None:
    """Take the first host's lock, then the others at once.

    Whoever has the first of the same hosts gets the rest. One that has only others of them
    (`--host`) is waited for with no lock in hand, so that no two runs wait for each other.

    Raises:
        Locked: another run has one of them, and did not give it back in time.
    """
    first, *others = sessions
    clock, told = around.clock, set[Waiting]()
    end = clock.monotonic() + wait_s
    while True:
        first.take_lock(wait_s=max(0, round(end - clock.monotonic())))
        _, failed = side_by_side(lambda s: s.take_lock(wait_s=0), others, at_once=parallel)
        if not failed:
            return
        error = gravest(failed)
        if not isinstance(error, Locked) or clock.monotonic() >= end:
            raise error
        side_by_side(lambda session: session.give_lock_back(), sessions, at_once=parallel)
        held = next(iter(failed))
        waiting = Waiting(held.name, held.standing.held_by)
        if waiting not in told:
            around.tell(waiting)
        told.add(waiting)
        pause(_ASK_AGAIN_S, clock, around.interrupt)
