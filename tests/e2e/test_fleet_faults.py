"""One host of four is broken or silent, in each phase: the others lose no request and agree."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable

import pytest

from tests.e2e.fleets import results, serving, unnoticed
from tests.e2e.inside import answering, eventually
from tests.e2e.running import Event, Running, is_step
from tests.lab.droplet import Droplet
from tests.lab.images import App
from tests.lab.operator import Operator
from tests.lab.releases import Releases

pytestmark = pytest.mark.lab

BREAK = r"""
for address in 172.30.0.11 172.30.0.12; do
    exec 3<>/dev/tcp/$address/3001 || continue
    printf 'POST /break HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n' >&3
    cat <&3 >/dev/null
done
"""
each_host = pytest.mark.parametrize(
    "k", [1, *(pytest.param(k, marks=pytest.mark.full) for k in (0, 2, 3))]
)


@pytest.fixture(autouse=True)
def first(fleet: Operator, releases: Releases) -> None:
    """The release that serves before each test."""
    fleet.settings["ssh"] |= {"connect_timeout_s": 3, "answer_timeout_s": 5}
    fleet.deploy(releases.push(App("first")).tag, "--wait", "30")


def once(matches: Callable[[Event], bool], act: Callable[[], object]) -> Callable[..., None]:
    """Return a listener that acts at the first event that matches."""
    done = threading.Event()

    def listen(_: Running, event: Event) -> None:
        if not done.is_set() and matches(event):
            done.set()
            act()

    return listen


def begins(step: str, host: Droplet) -> Callable[[Event], bool]:
    return lambda event: is_step(event, "step_started", step) and event["host"] == host.address


@each_host
def test_a_host_that_fails_at_the_switch_takes_all_back(
    fleet: Operator, releases: Releases, k: int
) -> None:
    tag = releases.push(App("breaks")).tag
    host = fleet.droplets[k]
    # All hosts are prepared when the release command speaks, and none has switched.
    fleet.settings["release"] = {"command": ["/testapp", "migrate", "late"]}
    listen = once(
        lambda event: event["event"] == "output", lambda: host.exec(["bash", "-c", BREAK])
    )
    deploying = fleet.start("deploy", tag, "staging", "--json")
    with unnoticed(fleet), Running(deploying, listen) as deploy:
        outcome = deploy.finish()

    assert outcome.status == 1, outcome
    assert outcome.events[-1]["message"].startswith(f"{host.address}: through the proxy, ")
    assert serving(fleet) == ["first"] * 4
    assert {ending for ending, _ in results(outcome).values()} == {"undone"}


@each_host
@pytest.mark.parametrize(
    ("step", "others"),
    [
        pytest.param("await_healthy", "first", id="while preparing"),
        pytest.param("switch", "first", id="at the switch", marks=pytest.mark.full),
        pytest.param("bake", "silent", id="after the switch", marks=pytest.mark.full),
    ],
)
def test_packets_lost_both_ways_to_one_host(
    fleet: Operator, releases: Releases, k: int, step: str, others: str
) -> None:
    fleet.settings["swap"] = {"bake_s": 3}  # there is time for packets to be lost
    tag = releases.push(App("silent")).tag
    lost = fleet.droplets[k]
    listen = once(begins(step, lost), lost.drop_packets)
    try:
        deploying = fleet.start("deploy", tag, "staging", "--json")
        with unnoticed(fleet, lost), Running(deploying, listen) as deploy:
            outcome = deploy.finish(150)
        assert outcome.status in (1, 3), outcome
        # A switch that had come through before the packets were lost: then all have switched.
        expected = {others, "silent"} if step == "switch" else {others}
        found = serving(fleet, lost)
        assert len(set(found)) == 1
        assert set(found) <= expected
    finally:
        lost.pass_packets()
    eventually(lambda: answering(fleet.urls[k]) in ("first", "silent"))
    with unnoticed(fleet):
        fleet.deploy(releases.push(App("after")).tag, "--wait", "30")
    assert serving(fleet) == ["after"] * 4


def test_a_signal_does_not_wait_for_a_host_that_is_silent(
    fleet: Operator, releases: Releases
) -> None:
    fleet.settings["ssh"] |= {"answer_timeout_s": 100}
    fleet.settings["health"]["timeout_s"] = 100
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
            began = time.monotonic()
            deploy.signal(signal.SIGINT)
            deploy.await_event(lambda event: event["event"] == "stopping", "stopping")
            print(f"said so after {time.monotonic() - began:.2f} s")
            outcome = deploy.finish()
            print(f"ended after {time.monotonic() - began:.2f} s")
        assert outcome.status == 130, outcome
        assert time.monotonic() - began < 60, "it waited for the host's answer"
        assert serving(fleet, lost) == ["first"] * 3
    finally:
        lost.pass_packets()
    fleet.deploy(releases.push(App("after")).tag, "--wait", "30")
    assert serving(fleet) == ["after"] * 4
