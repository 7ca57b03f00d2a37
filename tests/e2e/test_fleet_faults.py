"""One host of four is broken or silent, in each phase: the others lose no request and agree."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.request import urlopen

import pytest

from tests.e2e.fleets import (
    MIGRATES,
    begins,
    broken,
    migrating,
    once,
    results,
    serving,
    unnoticed,
)
from tests.e2e.inside import answering, assert_at_rest
from tests.e2e.running import Event, Running, is_step
from tests.lab.droplet import Droplet
from tests.lab.images import App
from tests.lab.operator import Operator
from tests.lab.patience import eventually
from tests.lab.releases import Releases

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("processes")]
ANSWER_TIMEOUT_S = 100
"""Of a host of which a signal is not to wait for an answer."""
START_S = 60
"""Of a release that starts slowly: longer than it takes to give up a host that is silent."""
each_host = pytest.mark.parametrize(
    "k", [1, *(pytest.param(k, marks=pytest.mark.full) for k in (0, 2, 3))]
)


@pytest.fixture(autouse=True)
def first(fleet: Operator, releases: Releases) -> None:
    """The release that serves before each test."""
    fleet.settings["ssh"] |= {"connect_timeout_s": 6, "answer_timeout_s": 8}
    fleet.settings["release"] = fleet.settings["swap"] = {}
    fleet.deploy(releases.push(App("first")).tag, "--wait", "30")


@each_host
def test_a_host_that_fails_at_the_switch_takes_all_back(
    fleet: Operator, releases: Releases, k: int
) -> None:
    tag = releases.push(App("breaks")).tag
    host = fleet.droplets[k]
    fleet.settings["release"] = MIGRATES
    listen = migrating(fleet, lambda: broken(host))
    deploying = fleet.start("deploy", tag, "staging", "--json")
    with unnoticed(fleet), Running(deploying, listen) as deploy:
        outcome = deploy.finish()

    assert outcome.status == 1, outcome
    assert outcome.events[-1]["message"].startswith(f"{host.address}: through the proxy, ")
    assert serving(fleet) == ["first"] * 4
    assert {ending for ending, _ in results(outcome).values()} == {"undone"}


def moment(when: str, host: Droplet) -> Callable[[Event], bool]:
    """Return what matches the event at which something happens to the host."""
    if when == "bake ended":
        return lambda event: is_step(event, "step_ended", "bake") and event["host"] == host.address
    return begins(when, host)


@contextmanager
def in_flight(url: str) -> Iterator[None]:
    """Have a request on its way, whatever becomes of it."""

    def ask() -> None:
        with contextlib.suppress(OSError):
            urlopen(url, timeout=30).close()

    threading.Thread(target=ask, daemon=True).start()
    yield


@each_host
@pytest.mark.parametrize(
    ("when", "status", "others"),
    [
        pytest.param("await_healthy", 1, {"first"}, id="while preparing"),
        # Prepared and asked for a sign of life; the release command runs on another host.
        pytest.param("output", 1, {"first"}, id="before the switch", marks=pytest.mark.full),
        # One that has switched already before packets are lost does not keep the others back.
        pytest.param("switch", 3, {"first", "silent"}, id="at the switch", marks=pytest.mark.full),
        pytest.param("bake", 3, {"silent"}, id="while watched", marks=pytest.mark.full),
        pytest.param("bake ended", 3, {"silent"}, id="while settling", marks=pytest.mark.full),
    ],
)
def test_packets_lost_both_ways_to_one_host(
    fleet: Operator, releases: Releases, k: int, when: str, status: int, others: set[str]
) -> None:
    fleet.settings["swap"] = {"bake_s": 6}  # there is time for packets to be lost
    fleet.settings["release"] = MIGRATES if when == "output" else {}
    # While it becomes healthy there is time for packets to be lost, and for that to be found out.
    mode = "slow-start" if when == "await_healthy" else "healthy"
    fleet.settings["health"]["timeout_s"] = START_S
    tag = releases.push(App("silent", mode, start_delay_s=START_S)).tag
    lost = fleet.droplets[k]
    try:
        deploying = fleet.start("deploy", tag, "staging", "--json")
        listen = (
            migrating(fleet, lost.drop_packets)
            if when == "output"
            else once(moment(when, lost), lost.drop_packets)
        )
        # While it runs on the old release, that release is not idle: settling takes its time.
        with (
            in_flight(fleet.urls[k] + "slow?s=20"),
            unnoticed(fleet, lost),
            Running(deploying, listen) as deploy,
        ):
            outcome = deploy.finish(150)
        assert outcome.status == status, outcome
        found = serving(fleet, lost)
        assert len(set(found)) == 1
        assert set(found) <= others
    finally:
        lost.pass_packets()
    assert eventually(lambda: answering(fleet.urls[k]) in ("first", "silent"))
    fleet.settings["release"] = {}  # nobody would let it go on
    with unnoticed(fleet):
        fleet.deploy(releases.push(App("after")).tag, "--wait", "30")
    assert serving(fleet) == ["after"] * 4
    for droplet in fleet.droplets:
        assert_at_rest(droplet)


@each_host
def test_a_host_whose_power_is_lost_between_prepare_and_switch_means_that_nothing_is_switched(
    fleet: Operator, releases: Releases, k: int
) -> None:
    lost = fleet.droplets[k]
    # The release command runs on the first host: there it would be what fails.
    fleet.settings["release"] = MIGRATES
    tag = releases.push(App("unpowered")).tag
    deploying = fleet.start("deploy", tag, "staging", "--json")
    try:
        with (
            unnoticed(fleet, lost),
            Running(deploying, migrating(fleet, lost.power_off)) as deploy,
        ):
            outcome = deploy.finish()
        assert outcome.status == 1, outcome
        assert not any(is_switch_to_new(event) for event in outcome.events)
        assert serving(fleet, lost) == ["first"] * 3
    finally:
        lost.start()
    assert eventually(lambda: answering(fleet.urls[k]) == "first")


def is_switch_to_new(event: Event) -> bool:
    """Return whether traffic is sent to the new release; the old one is only asserted again."""
    return is_step(event, "step_started", "verify")


def test_a_signal_does_not_wait_for_a_host_that_is_silent(
    fleet: Operator, releases: Releases
) -> None:
    fleet.settings["ssh"] |= {"answer_timeout_s": ANSWER_TIMEOUT_S}
    fleet.settings["health"]["timeout_s"] = ANSWER_TIMEOUT_S
    tag = releases.push(App("never", "never-healthy")).tag
    lost = fleet.droplets[2]
    try:
        with (
            unnoticed(fleet, lost),
            Running(fleet.start("deploy", tag, "staging", "--json")) as deploy,
        ):
            for droplet in fleet.droplets:
                deploy.await_event(begins("await_healthy", droplet), f"wait on {droplet.address}")
            lost.drop_packets()
            time.sleep(1)
            deploy.signal(signal.SIGINT)
            deploy.await_event(lambda event: event["event"] == "stopping", "stopping")
            outcome = deploy.finish(ANSWER_TIMEOUT_S / 2)
        assert outcome.status == 130, outcome
        assert serving(fleet, lost) == ["first"] * 3
    finally:
        lost.pass_packets()
    fleet.deploy(releases.push(App("after")).tag, "--wait", "30")
    assert serving(fleet) == ["after"] * 4
