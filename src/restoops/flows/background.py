"""Work that goes on while something else is done, or that can be walked away from."""

from __future__ import annotations

import contextlib
import os
import queue
import threading
from collections import deque
from collections.abc import Callable, Hashable, Iterable
from functools import partial
from typing import TypeVar

from restoops.errors import Interrupted, RestoopsError
from restoops.flows.interrupt import Interrupt

_T = TypeVar("_T")
_K = TypeVar("_K", bound=Hashable)
_POLL_S = 0.05


class _Worker(threading.Thread):
    """A thread that does one work after the other.

    With many hosts, starting a thread takes longer than most of what it is started for.
    """

    def __init__(self) -> None:
        super().__init__(name="background", daemon=True)
        self._given = queue.SimpleQueue[Callable[[], None]]()

    def run(self) -> None:
        while True:
            self._given.get()()
            self.name = "idle"
            _idle.append(self)

    def begin(self, work: Callable[[], None]) -> None:
        """Do this next."""
        self.name = "background"
        self._given.put(work)


_idle: list[_Worker] = []
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_idle.clear)  # a copy of the process has no such threads


def _begin(work: Callable[[], None]) -> None:
    try:
        worker = _idle.pop()
    except IndexError:
        worker = _Worker()
        worker.start()
    worker.begin(work)


def in_background(work: Callable[[], _T]) -> Callable[..., _T]:
    """Begin `work` now; call the result to have its value, or the error that it ended with.

    With an `Interrupt` as argument the call ends as soon as somebody asks for it, and leaves
    the work to itself: it runs in a daemon thread.
    """
    do, wait = _split(work)
    _begin(do)
    return wait


def _split(work: Callable[[], _T]) -> tuple[Callable[[], None], Callable[..., _T]]:
    """Return what does the work, whichever thread calls it, and what waits for its result."""
    done = threading.Event()
    result: list[_T] = []
    fault: list[BaseException] = []

    def do() -> None:
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

    return do, wait


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
    """Do `work` on all items, in their order, on at most `at_once` of them at a time.

    Returns what came of each, and what went wrong with the others. With an `Interrupt` those
    that are still at work are walked away from when somebody asks for it. A fault of our own in
    one of them is raised when none is at work any more: what they work on may be locked for them.
    """
    split = {item: _split(partial(work, item)) for item in items}
    left = deque(do for do, _ in split.values())

    def work_on() -> None:
        with contextlib.suppress(IndexError):
            while True:
                left.popleft()()

    for _ in range(min(at_once, len(split))):
        _begin(work_on)
    done: dict[_K, _T] = {}
    failed: dict[_K, RestoopsError] = {}
    faults: list[Exception] = []
    for item, (_, result) in split.items():
        try:
            done[item] = result(interrupt)
        except RestoopsError as error:
            failed[item] = error
        except Exception as fault:  # noqa: BLE001  raised again below
            faults.append(fault)
    if faults:
        raise faults[0]
    return done, failed
