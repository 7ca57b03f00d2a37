"""A fleet that two processes lead: what becomes of it when one of them does not go on."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from restoops.adapters.connection import LEASE_S
from tests.e2e.fleets import begins, mended, once, serving, unnoticed
from tests.e2e.inside import assert_at_rest
from tests.e2e.running import Running, is_step
from tests.lab.images import App
from tests.lab.operator import Operator
from tests.lab.patience import eventually
from tests.lab.releases import Releases

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("processes")]
AWAY = 1
"""One of the hosts that the second process leads."""
NEVER = 60
"""Seconds that a release takes to become healthy which is not waited for."""


@pytest.fixture(autouse=True)
def first(fleet: Operator, releases: Releases) -> None:
    """The release that serves before each test."""
    fleet.settings["health"]["timeout_s"] = NEVER
    fleet.deploy(releases.push(App("first")).tag, "--wait", "30")


def second_process(run: Running) -> int:
    """Return the pid of the second process."""
    pid = run.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    assert len(children) == 1, children
    return int(children[0])


def is_gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def slow(releases: Releases) -> str:
    """Return a release that is not healthy before it is mended."""
    return releases.push(App("slow", "slow-start", start_delay_s=NEVER)).tag


@pytest.mark.parametrize(
    ("step", "event", "status", "others"),
    [
        ("await_healthy", "step_started", 1, {"first"}),
        # Nobody can say how far its own are: the others are taken back, or all had switched.
        ("switch", "step_started", 3, {"first", "killed"}),
        pytest.param("verify", "step_ended", 3, {"first", "killed"}, marks=pytest.mark.full),
        pytest.param("keep_warm", "step_started", 3, {"killed"}, marks=pytest.mark.full),
    ],
)
def test_when_the_second_process_is_killed_its_hosts_go_on_serving_and_are_put_right_later(
    fleet: Operator, releases: Releases, step: str, event: str, status: int, others: set[str]
) -> None:
    host = fleet.droplets[AWAY]
    tag = releases.push(App("killed")).tag

    with unnoticed(fleet):
        moment = once(
            lambda told: is_step(told, event, step) and told["host"] == host.address,
            lambda: os.kill(second_process(run), signal.SIGKILL),
        )
        with Running(fleet.start("deploy", tag, "staging", "--json"), moment) as run:
            outcome = run.finish()
        assert outcome.status == status, outcome
        found = serving(fleet)
        assert found[0] == found[2]
        assert found[0] in others
        assert "the process of restoops that led this host has ended" in outcome.stdout
        fleet.deploy(releases.push(App("after")).tag, "--wait", "30")

    assert serving(fleet) == ["after"] * 4
    for droplet in fleet.droplets:
        assert_at_rest(droplet)


def test_ctrl_c_in_a_terminal_reaches_both_and_the_first_says_what_it_means(
    fleet: Operator, releases: Releases
) -> None:
    with (
        unnoticed(fleet),
        Running(fleet.start("deploy", slow(releases), "staging", "--json", own_group=True)) as run,
    ):
        run.await_event(begins("await_healthy", fleet.droplets[AWAY]), "wait")
        second = second_process(run)
        os.killpg(run.process.pid, signal.SIGINT)
        outcome = run.finish()

    assert outcome.status == 130, outcome
    assert "undone" in outcome.events[-1]["message"]
    assert is_gone(second)
    assert serving(fleet) == ["first"] * 4
    for droplet in fleet.droplets:
        assert_at_rest(droplet)


def test_kill_9_of_the_first_process_ends_the_second(fleet: Operator, releases: Releases) -> None:
    with unnoticed(fleet):
        with Running(fleet.start("deploy", slow(releases), "staging", "--json")) as run:
            run.await_event(begins("await_healthy", fleet.droplets[AWAY]), "wait")
            second = second_process(run)
            run.signal(signal.SIGKILL)
            assert eventually(lambda: is_gone(second), timeout_s=LEASE_S / 3)
        fleet.deploy(releases.push(App("after")).tag, "--wait", str(LEASE_S // 3))

    assert serving(fleet) == ["after"] * 4


@pytest.mark.full
def test_when_the_first_process_is_frozen_the_second_holds_no_lock_for_it(
    fleet: Operator, releases: Releases
) -> None:
    with (
        unnoticed(fleet),
        Running(fleet.start("deploy", slow(releases), "staging", "--json")) as frozen,
    ):
        for droplet in fleet.droplets:
            frozen.await_event(begins("await_healthy", droplet), f"wait on {droplet.address}")
        second = second_process(frozen)
        frozen.signal(signal.SIGSTOP)
        try:
            fleet.deploy(releases.push(App("other")).tag, "--wait", str(4 * LEASE_S))
            assert is_gone(second) or is_zombie(second)
        finally:
            frozen.signal(signal.SIGCONT)
        outcome = frozen.finish()

    assert outcome.status not in (0, -signal.SIGKILL), outcome
    assert serving(fleet) == ["other"] * 4
    for droplet in fleet.droplets:
        assert_at_rest(droplet)


@pytest.mark.full
def test_a_second_process_that_is_frozen_is_not_waited_for(
    fleet: Operator, releases: Releases
) -> None:
    with unnoticed(fleet):
        with Running(fleet.start("deploy", slow(releases), "staging", "--json")) as run:
            for droplet in fleet.droplets:
                run.await_event(begins("await_healthy", droplet), f"wait on {droplet.address}")
            second = second_process(run)
            os.kill(second, signal.SIGSTOP)
            outcome = run.finish()
        assert outcome.status == 1, outcome
        assert is_gone(second)
        assert serving(fleet) == ["first"] * 4
        fleet.deploy(releases.push(App("after")).tag, "--wait", str(2 * LEASE_S))

    assert serving(fleet) == ["after"] * 4
    for droplet in fleet.droplets:
        assert_at_rest(droplet)


def is_zombie(pid: int) -> bool:
    """Return whether it has ended, and its end was not heard of."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def test_a_release_goes_live_on_the_hosts_of_both(fleet: Operator, releases: Releases) -> None:
    with unnoticed(fleet):
        with Running(fleet.start("deploy", slow(releases), "staging", "--json")) as run:
            for droplet in fleet.droplets:
                run.await_event(begins("await_healthy", droplet), f"wait on {droplet.address}")
            second = second_process(run)
            for droplet in fleet.droplets:
                mended(droplet)
            assert run.finish().status == 0
        assert is_gone(second)

    assert serving(fleet) == ["slow"] * 4
