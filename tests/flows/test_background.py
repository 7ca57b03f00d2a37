"""Work that goes on side by side ends as one."""

from __future__ import annotations

import threading

import pytest

from restoops.flows.background import side_by_side


def test_a_fault_of_our_own_in_one_waits_for_the_others() -> None:
    is_broken = threading.Event()
    ended: list[str] = []

    def work(name: str) -> None:
        if name == "broken":
            is_broken.set()
            raise ZeroDivisionError
        is_broken.wait(5)
        # The others are at work for longer than it takes to hear of the fault.
        threading.Event().wait(0.2)
        ended.append(name)

    with pytest.raises(ZeroDivisionError):
        side_by_side(work, ["broken", "second", "third"], at_once=3)

    assert sorted(ended) == ["second", "third"]
