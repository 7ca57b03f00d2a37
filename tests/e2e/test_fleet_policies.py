"""Four droplets under load: each policy, batches, chosen hosts, a release command and hooks."""

from __future__ import annotations

import json
import stat
import time
from pathlib import Path

import pytest

from tests.e2e.fleets import MIGRATES, broken, is_output, migrating, results, serving, unnoticed
from tests.e2e.inside import assert_at_rest
from tests.e2e.running import Running, is_step
from tests.lab.images import App
from tests.lab.operator import Operator, Outcome
from tests.lab.releases import Releases

pytestmark = pytest.mark.lab

HOOK = """\
#!/bin/sh
echo "$1 $RESTOOPS_RUN_ENVIRONMENT $RESTOOPS_RUN_TAG $RESTOOPS_RUN_HOSTS" >>told
"""
each_host = pytest.mark.parametrize(
    "k", [2, *(pytest.param(k, marks=pytest.mark.full) for k in (0, 1, 3))]
)


@pytest.fixture(autouse=True)
def first(fleet: Operator, releases: Releases) -> None:
    """The release that serves before each test; every host is at rest after it."""
    for section in ("fleet", "release", "hooks"):
        fleet.settings[section] = {}
    fleet.deploy(releases.push(App("first")).tag)


def breaking_at_the_switch(fleet: Operator, tag: str, k: int, *options: str) -> Outcome:
    """Deploy a tag that host `k` answers badly with once all are prepared."""
    fleet.settings["release"] = MIGRATES
    deploying = fleet.start("deploy", tag, "staging", "--json", *options)
    listen = migrating(fleet, lambda: broken(fleet.droplets[k]))
    with unnoticed(fleet), Running(deploying, listen) as deploy:
        return deploy.finish()


def but(k: int, others: str, own: str) -> list[str]:
    """Return what serves when only host `k` differs."""
    return [own if number == k else others for number in range(4)]


def brought_together(fleet: Operator, releases: Releases) -> None:
    fleet.settings["fleet"] = {}
    fleet.settings["release"] = {}
    with unnoticed(fleet):
        fleet.deploy(releases.push(App("together")).tag)
    assert serving(fleet) == ["together"] * 4
    for droplet in fleet.droplets:
        assert_at_rest(droplet)


@pytest.mark.full
@each_host
def test_stop_leaves_what_has_switched_and_says_that_hosts_differ(
    fleet: Operator, releases: Releases, k: int
) -> None:
    fleet.settings["fleet"] = {"policy": "stop"}
    tag = releases.push(App("stops")).tag

    outcome = breaking_at_the_switch(fleet, tag, k)

    assert outcome.status == 3, outcome
    assert serving(fleet) == but(k, "stops", "first")
    own = fleet.droplets[k].address
    assert {host: end for host, (end, _) in results(outcome).items() if host != own} == {
        droplet.address: "done" for droplet in fleet.droplets if droplet.address != own
    }
    brought_together(fleet, releases)


@each_host
def test_a_quorum_goes_on_without_a_host_that_fails_at_the_switch(
    fleet: Operator, releases: Releases, k: int
) -> None:
    fleet.settings["fleet"] = {"policy": "quorum", "quorum": 3}
    tag = releases.push(App("quorum")).tag

    outcome = breaking_at_the_switch(fleet, tag, k)

    assert outcome.status == 3, outcome
    assert serving(fleet) == but(k, "quorum", "first")
    brought_together(fleet, releases)


@pytest.mark.full
def test_a_quorum_that_cannot_be_reached_any_more_takes_all_back(
    fleet: Operator, releases: Releases
) -> None:
    fleet.settings["fleet"] = {"policy": "quorum", "quorum": 4}

    outcome = breaking_at_the_switch(fleet, releases.push(App("no-quorum")).tag, 1)

    assert outcome.status == 1, outcome
    assert serving(fleet) == ["first"] * 4


@pytest.mark.full
@each_host
def test_a_batch_that_fails_takes_the_batches_before_it_back(
    fleet: Operator, releases: Releases, k: int
) -> None:
    tag = releases.push(App("batches")).tag

    outcome = breaking_at_the_switch(fleet, tag, k, "--batch", "25%", "--pause", "0.5")

    assert outcome.status == 1, outcome
    switched = [event for event in outcome.events if is_step(event, "step_ended", "verify")]
    assert len({event["host"] for event in switched}) == k, "one host after the other, up to it"
    assert serving(fleet) == ["first"] * 4
    for droplet in fleet.droplets:
        assert_at_rest(droplet)


def test_only_the_hosts_that_were_chosen_are_acted_on(fleet: Operator, releases: Releases) -> None:
    chosen = [fleet.droplets[number].address for number in (1, 3)]
    hosts = [word for address in chosen for word in ("--host", address)]
    with unnoticed(fleet):
        outcome = fleet.deploy(releases.push(App("chosen")).tag, "--json", *hosts)

    assert sorted(results(outcome)) == sorted(chosen)
    told = outcome.events[-1]
    assert told["event"] == "elsewhere"
    assert {host: it["tag"] for host, it in told["hosts"].items()} == {
        fleet.droplets[number].address: "sha-first" for number in (0, 2)
    }
    assert serving(fleet) == ["first", "chosen", "first", "chosen"]


def test_the_release_command_runs_on_one_host_and_its_failure_switches_nothing(
    fleet: Operator, releases: Releases
) -> None:
    one, failing = fleet.droplets[0].address, releases.push(App("fails")).tag
    fleet.settings["release"] = {"command": ["/testapp", "migrate", "fail"]}
    with unnoticed(fleet):
        outcome = fleet.run("deploy", failing, "staging", "--json")
    assert outcome.status == 1, outcome
    assert "the release command ended with status 3" in outcome.events[-1]["message"]
    assert serving(fleet) == ["first"] * 4

    fleet.settings["release"] = {"command": ["/testapp", "migrate", "ok"]}
    tag = releases.push(App("migrates")).tag
    with unnoticed(fleet):
        shown = [event for event in fleet.deploy(tag, "--json").events if is_output(event)]
        back = fleet.rollback("--json")
    assert {event["source"] for event in shown} == {one}
    assert not any(is_output(event) for event in back.events)
    kept = [run["output"] for run in fleet.run("history", "staging", "--json").events]
    assert [event["line"] for event in shown] in kept
    assert serving(fleet) == ["first"] * 4


def test_hooks_learn_what_goes_live_where(fleet: Operator, releases: Releases) -> None:
    hook = fleet.folder / "hook"
    hook.write_text(HOOK)
    hook.chmod(hook.stat().st_mode | stat.S_IXUSR)
    names = ("pre_deploy", "post_deploy", "on_failure")
    fleet.settings["hooks"] = {name: ["./hook", name] for name in names}
    good, bad = releases.push(App("hooked")).tag, releases.push(App("crashes", "crash")).tag

    fleet.deploy(good)
    assert fleet.run("deploy", bad, "staging").status == 1

    hosts = " ".join(droplet.address for droplet in fleet.droplets)
    assert Path(fleet.folder, "told").read_text().splitlines() == [
        f"pre_deploy staging {good} {hosts}",
        f"post_deploy staging {good} {hosts}",
        f"pre_deploy staging {bad} {hosts}",
        f"on_failure staging {bad} {hosts}",
    ]


def test_of_two_fleets_that_start_at_once_one_wins_and_the_other_follows(
    fleet: Operator, releases: Releases
) -> None:
    tags = [releases.push(App(name)).tag for name in ("one", "two")]
    with unnoticed(fleet):
        both = [fleet.start("deploy", tag, "staging", "--json", "--wait", "60") for tag in tags]
        with Running(both[0]) as one, Running(both[1]) as two:
            outcomes = [one.finish(), two.finish()]

    assert [outcome.status for outcome in outcomes] == [0, 0], outcomes
    assert len(set(serving(fleet))) == 1, "hosts differ"
    runs = [json.dumps(run) for run in fleet.run("history", "staging", "--json").events]
    assert all(any(tag in run for run in runs) for tag in tags)


def test_two_runs_on_overlapping_hosts_do_not_wait_for_each_other(
    fleet: Operator, releases: Releases
) -> None:
    addresses = [droplet.address for droplet in fleet.droplets]
    tag = releases.push(App("overlap")).tag

    def on(*numbers: int) -> list[str]:
        return [word for number in numbers for word in ("--host", addresses[number])]

    with unnoticed(fleet):
        began = time.monotonic()
        left = fleet.start("deploy", tag, "staging", "--json", "--wait", "90", *on(0, 1, 2))
        right = fleet.start("deploy", tag, "staging", "--json", "--wait", "90", *on(2, 3))
        with Running(left) as one, Running(right) as two:
            statuses = [one.finish(100).status, two.finish(100).status]
        took_s = time.monotonic() - began

    assert statuses == [0, 0]
    assert took_s < 90, "one of them waited for the end of its patience"
    assert serving(fleet) == ["overlap"] * 4
