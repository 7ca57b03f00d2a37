"""Signals, honoured between steps and during waits."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from restoops.errors import Interrupted

_T = TypeVar("_T")


class Interrupt:
    """Set once by the first SIGINT or SIGTERM; `check` then ends what is being waited for."""

    def __init__(self) -> None:
        self._asked = threading.Event()

    def ask(self) -> None:
        """Ask for the run to be ended at the next safe moment."""
        self._asked.set()

    def check(self) -> None:
        """Go on, or end here.

        Raises:
            Interrupted: somebody asked for it.
        """
        if self._asked.is_set():
            raise Interrupted("interrupted")


def abandonable(work: Callable[[], _T], interrupt: Interrupt) -> _T:
    """Do `work`, which may block for long and can be left half done, unless interrupted."""
    done = threading.Event()
    result: list[_T] = []
    fault: list[BaseException] = []

    def body() -> None:
        try:
            result.append(work())
        except BaseException as error:  # noqa: BLE001  raised again below, in the caller's thread
            fault.append(error)
        finally:
            done.set()

    threading.Thread(target=body, name="abandonable", daemon=True).start()
    while not done.wait(0.1):
        interrupt.check()
    if fault:
        raise fault[0]
    return result[0]
