"""Work that goes on while something else is done, or that can be walked away from."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from restoops.flows.interrupt import Interrupt

_T = TypeVar("_T")
_POLL_S = 0.05


def in_background(work: Callable[[], _T]) -> Callable[..., _T]:
    """Begin `work` now; call the result to have its value, or the error that it ended with.

    With an `Interrupt` as argument the call ends as soon as somebody asks for it, and leaves
    the work to itself: it runs in a daemon thread.
    """
    done = threading.Event()
    result: list[_T] = []
    fault: list[BaseException] = []

    def body() -> None:
        try:
            result.append(work())
        except BaseException as error:  # noqa: BLE001  raised again below, where it is waited for
            fault.append(error)
        finally:
            done.set()

    def wait(interrupt: Interrupt | None = None) -> _T:
        while not done.wait(_POLL_S if interrupt else None):
            if interrupt:
                interrupt.check()
        if fault:
            raise fault[0]
        return result[0]

    threading.Thread(target=body, name="background", daemon=True).start()
    return wait
