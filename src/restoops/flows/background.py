"""Work that goes on while something else is done, or that can be walked away from."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

from restoops.errors import Interrupted, RestoopsError
from restoops.flows.interrupt import Interrupt

_T = TypeVar("_T")
_K = TypeVar("_K", bound=Hashable)
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
        # Never without end: a signal that the system hands to another thread is acted upon by the
        # main one when it runs again, and nothing would wake it.
        while not done.wait(_POLL_S):
            if interrupt:
                interrupt.check()
        if fault:
            raise fault[0]
        return result[0]

    threading.Thread(target=body, name="background", daemon=True).start()
    return wait


def hurried(work: Callable[[], None], interrupt: Interrupt, hurry: Callable[[], None]) -> None:
    """Do `work`; when somebody asks for an end meanwhile, `hurry` it and see it done.

    Raises:
        Interrupted: somebody did; the work has come to its end all the same.
    """
    begun = in_background(work)
    try:
        begun(interrupt)
    except Interrupted:
        with contextlib.suppress(RestoopsError):
            hurry()
            begun()
        raise


def side_by_side(
    work: Callable[[_K], _T],
    items: Iterable[_K],
    *,
    at_once: int,
    interrupt: Interrupt | None = None,
) -> tuple[dict[_K, _T], dict[_K, RestoopsError]]:
    """Do `work` on all items, on at most `at_once` of them at a time.

    Returns what came of each, and what went wrong with the others. With an `Interrupt` those
    that are still at work are walked away from when somebody asks for it. A fault of our own in
    one of them is raised when none is at work any more: what they work on may be locked for them.
    """
    gate = threading.Semaphore(at_once)

    def bounded(item: _K) -> _T:
        with gate:
            return work(item)

    begun = {item: in_background(lambda item=item: bounded(item)) for item in items}  # type: ignore[misc]
    done: dict[_K, _T] = {}
    failed: dict[_K, RestoopsError] = {}
    faults: list[Exception] = []
    for item, result in begun.items():
        try:
            done[item] = result(interrupt)
        except RestoopsError as error:
            failed[item] = error
        except Exception as fault:  # noqa: BLE001  raised again below
            faults.append(fault)
    if faults:
        raise faults[0]
    return done, failed
