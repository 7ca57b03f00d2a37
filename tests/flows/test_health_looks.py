"""Waiting until all is healthy, and watching until somebody has seen enough."""

from __future__ import annotations

from typing import cast

import pytest

from restoops.config.load import Loaded
from restoops.errors import Interrupted, Unhealthy, Unreachable
from restoops.flows.health import Looking, raise_if_unhealthy, wait, watch
from restoops.flows.interrupt import Interrupt
from restoops.plan.verdict import Health, Verdict
from tests.flows.clock import FakeClock


def health(verdict: Verdict, *reasons: str) -> Health:
    return Health("2026-01-02T03:04:05.000Z", verdict, reasons, (), None)


WELL, ILL = health(Verdict.HEALTHY), health(Verdict.DEGRADED, "web-1: a", "web-2: b")


def looking() -> Looking:
    return Looking(cast(Loaded, None), FakeClock(), Interrupt())  # neither is asked for settings


def test_without_a_wait_there_is_one_look() -> None:
    told: list[Health] = []

    assert wait(iter([ILL]).__next__, looking(), 0, told.append) is ILL
    assert told == []


def test_a_wait_ends_when_all_is_healthy() -> None:
    told: list[Health] = []
    it = looking()

    assert wait(iter([ILL, ILL, WELL]).__next__, it, 60, told.append) is WELL
    assert told == [ILL, ILL]
    assert it.clock.monotonic() == pytest.approx(4)


def test_when_the_time_is_up_there_is_one_last_look() -> None:
    looks: list[float] = []
    it = looking()

    def look() -> Health:
        looks.append(it.clock.monotonic())
        return ILL

    assert wait(look, it, 5, lambda _: None) is ILL
    assert looks == pytest.approx([0, 2, 4, 5])


def test_a_signal_ends_a_wait_and_a_watch() -> None:
    for do in (lambda it: wait(lambda: ILL, it, 60, lambda _: it.interrupt.ask()),
               lambda it: watch(lambda: ILL, it, lambda _: it.interrupt.ask())):  # fmt: skip
        it = looking()
        with pytest.raises(Interrupted):
            do(it)
        assert it.clock.monotonic() < 1


def test_what_is_not_healthy_is_an_error_with_its_first_reason() -> None:
    raise_if_unhealthy("staging", WELL)
    with pytest.raises(Unhealthy, match="staging is degraded: web-1: a; and 1 more") as caught:
        raise_if_unhealthy("staging", ILL)
    assert caught.value.status == 1
    with pytest.raises(Unreachable, match="staging: nothing could be reached: gone"):
        raise_if_unhealthy("staging", health(Verdict.UNREACHABLE, "gone"))
