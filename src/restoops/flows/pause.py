"""A pause that answers to an interrupt."""

from __future__ import annotations

from restoops.adapters.clock import Clock
from restoops.flows.interrupt import Interrupt

_TICK_S = 0.1


def pause(seconds: float, clock: Clock, interrupt: Interrupt) -> None:
    """Let `seconds` pass, but answer to an interrupt within a tenth of one.

    Raises:
        Interrupted: somebody asked for an end.
    """
    end = clock.monotonic() + seconds
    while (left := end - clock.monotonic()) > 0:
        interrupt.check()
        clock.sleep(min(left, _TICK_S))
