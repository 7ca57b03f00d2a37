"""Four droplets under load: what happens to one of them decides about all, and drops nothing."""

from __future__ import annotations

import time

import pytest

from tests.e2e.fleets import begins, mended, results, serving, unnoticed
from tests.e2e.running import Running
from tests.lab.images import App
from tests.lab.operator import Operator
from tests.lab.releases import Releases

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("processes")]

NEVER = 60
"""Seconds: a release that is not healthy goes on being asked for longer than a test takes."""


@pytest.fixture(autouse=True)
def first(fleet: Operator, releases: Releases) -> None:
    """The release that serves before each test."""
    fleet.settings["health"]["timeout_s"] = NEVER
    fleet.deploy(releases.push(App("first")).tag)


def test_a_release_goes_live_on_all_hosts_and_back(fleet: Operator, releases: Releases) -> None:
    tag = releases.push(App("second")).tag
    with unnoticed(fleet):
        outcome = fleet.deploy(tag, "--json")
        assert serving(fleet) == ["second"] * 4
        assert set(results(outcome).values()) == {("done", tag)}
        fleet.rollback()
    assert serving(fleet) == ["first"] * 4


@pytest.mark.parametrize("k", [0, *(pytest.param(k, marks=pytest.mark.full) for k in (1, 2)), 3])
def test_a_host_that_cannot_be_prepared_means_that_nothing_changed(
    fleet: Operator, releases: Releases, k: int
) -> None:
    tag = releases.push(App(f"unpullable{k}")).tag
    port = fleet.settings["registry"]["host"].rpartition(":")[2]
    rule = ["OUTPUT", "-p", "tcp", "--dport", port, "-j", "REJECT"]
    host = fleet.droplets[k]
    host.exec(["iptables", "-I", *rule])
    try:
        with unnoticed(fleet):
            outcome = fleet.run("deploy", tag, "staging", "--json")
    finally:
        host.exec(["iptables", "-D", *rule])

    assert outcome.status == 1, outcome
    assert outcome.events[-1]["message"].startswith(f"{host.address}: pull of")
    assert serving(fleet) == ["first"] * 4
    assert {ending for ending, _ in results(outcome).values()} == {"undone"}


def test_of_two_fleets_one_goes_ahead_and_the_other_is_told(
    fleet: Operator, releases: Releases
) -> None:
    slow = releases.push(App("slow", "slow-start", start_delay_s=NEVER)).tag
    other = releases.push(App("other")).tag
    with unnoticed(fleet), Running(fleet.start("deploy", slow, "staging", "--json")) as first:
        first.await_step("await_healthy")
        assert fleet.run("deploy", other, "staging").status == 4
        for droplet in fleet.droplets:
            first.await_event(begins("await_healthy", droplet), f"wait on {droplet.address}")
            mended(droplet)
        assert first.finish().status == 0
    assert serving(fleet) == ["slow"] * 4


def test_a_rollback_can_end_a_running_deploy_and_wins(fleet: Operator, releases: Releases) -> None:
    fleet.deploy(releases.push(App("second")).tag)
    stuck = releases.push(App("stuck", "never-healthy")).tag
    with unnoticed(fleet):
        with Running(fleet.start("deploy", stuck, "staging", "--json")) as deploy:
            deploy.await_step("await_healthy")
            rollback = fleet.start(
                "rollback", "sha-first", "staging", "--yes", "--preempt", "--json"
            )
            with Running(rollback) as running:
                running.await_event(lambda event: event["event"] == "recovering", "recovery")
                assert running.finish().status == 0  # it gives up after a few seconds otherwise
            assert deploy.finish().status in (1, 3)  # what it says of hosts that are lost to it
        time.sleep(1)
    assert serving(fleet) == ["first"] * 4
    assert all(host["faults"] == [] for host in fleet.run("status", "staging", "--json").events)
