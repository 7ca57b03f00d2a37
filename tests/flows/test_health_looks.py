"""Waiting until all is healthy, and watching until somebody has seen enough."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from restoops.adapters.clock import SystemClock
from restoops.config.hosts import Target
from restoops.config.load import Loaded, load
from restoops.errors import Interrupted, Unhealthy, Unreachable
from restoops.flows.health import Examiner, Looking, raise_if_unhealthy, wait, watch
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


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


def examined(folder: Path, connect_timeout_s: float) -> Looking:
    (folder / "restoops.yaml").write_text(
        f"ssh: {{connect_timeout_s: {connect_timeout_s}}}\n"
        "environments: {staging: {hosts: [127.0.0.1, 127.0.0.2]}}"
    )
    found = load("staging", start=folder, environ={}, terraform_outputs=None)
    return Looking(found, SystemClock(), Interrupt())


def test_a_host_that_hangs_costs_its_own_time_and_hides_no_other(
    tmp_path: Path, silent: int
) -> None:
    targets = [Target("a", "127.0.0.1", port=silent), Target("b", "127.0.0.2", port=1)]
    with Examiner(examined(tmp_path, 0.3), targets) as examiner:
        found = examiner.look()

    assert [(it.host, it.verdict) for it in found.hosts] == [
        ("127.0.0.1", Verdict.UNREACHABLE),
        ("127.0.0.2", Verdict.UNREACHABLE),
    ]
    assert "Connection refused" in found.hosts[1].reasons[0]


def test_a_signal_does_not_wait_for_a_host_that_hangs(tmp_path: Path, silent: int) -> None:
    it = examined(tmp_path, 200)
    with Examiner(it, [Target("a", "127.0.0.1", port=silent)]) as examiner:
        threading.Timer(0.1, it.interrupt.ask).start()
        with pytest.raises(Interrupted):
            examiner.look()
