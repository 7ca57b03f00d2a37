"""Work that goes on side by side ends as one."""

from __future__ import annotations

import signal
import threading

import pytest

from restoops.flows.background import in_background, side_by_side


def test_a_fault_of_our_own_in_one_waits_for_the_others() -> None:
    is_broken = threading.Event()
    ended: list[str] = []

    def work(name: str) -> None:
        if name == "broken":
            is_broken.set()
            raise ZeroDivisionError
        assert is_broken.wait(30)
        # The others are at work for longer than it takes to hear of the fault.
        threading.Event().wait(0.2)
        ended.append(name)

    with pytest.raises(ZeroDivisionError):
        side_by_side(work, ["broken", "second", "third"], at_once=3)

    assert sorted(ended) == ["second", "third"]


def test_a_signal_that_another_thread_gets_is_acted_upon_during_a_wait() -> None:
    heard = threading.Event()

    def work() -> bool:
        threading.Event().wait(0.3)  # until it is waited for
        signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)
        return heard.wait(10)

    before = signal.signal(signal.SIGUSR1, lambda *_: heard.set())
    try:
        assert in_background(work)(), "nobody acted upon it while the work was waited for"
    finally:
        signal.signal(signal.SIGUSR1, before)
