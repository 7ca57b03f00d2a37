"""Signals that end a command at the next safe moment."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from restoops.flows.interrupt import Interrupt


@contextlib.contextmanager
def honouring(interrupt: Interrupt) -> Iterator[None]:
    """Let SIGINT, SIGTERM and SIGHUP end the run between two steps, or during a wait."""
    before = {
        number: signal.signal(number, lambda *_: interrupt.ask())
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def interruptible(so_far: str = "") -> Iterator[Interrupt]:
    """Yield what the signals that come within the block ask for.

    What was changed before is in `so_far`: it is told to whoever ends the block at once.
    """
    from restoops.flows.interrupt import Interrupt

    interrupt = Interrupt()
    if so_far:
        interrupt.note(so_far)
    with honouring(interrupt):
        yield interrupt
