"""Where earlier releases are, told by `rollback --list`, and what a rollback to each then does."""

from __future__ import annotations

import json

import pytest

from tests.e2e.conditions import shell, unchanged
from tests.e2e.inside import DIRECTORY, answering, assert_at_rest
from tests.e2e.running import planned
from tests.lab.images import App
from tests.lab.operator import Operator
from tests.lab.registry import Registry
from tests.lab.releases import REPOSITORY, Releases

pytestmark = pytest.mark.lab

NAMES = ("gone", "registry", "host", "warm", "live")


@pytest.fixture(scope="module")
def scattered(operator: Operator, releases: Releases, registry: Registry) -> Operator:
    """A host to which five releases were deployed, and of which each is somewhere else now."""
    pushed = {name: releases.push(App(name)) for name in NAMES}
    for release in pushed.values():
        operator.deploy(release.tag)
    for name in ("gone", "registry"):
        shell(operator.droplet, f"docker rmi -f {pushed[name].reference}")
    registry.delete(REPOSITORY, pushed["gone"].digest)
    return operator


def test_the_list_says_where_each_release_is_and_how_long_a_rollback_takes(
    scattered: Operator,
) -> None:
    told = scattered.must("rollback", "--list", "staging", "--json").events
    found = {one["release"]["tag"]: one for one in told}

    assert {tag: one["whereabouts"] for tag, one in found.items()} == {
        "sha-gone": "gone",
        "sha-registry": "only in the registry",
        "sha-host": "on the host",
        "sha-warm": "warm",
        "sha-live": "live",
    }
    assert all(one["who"] == "olga" and one["made_live_at"] for one in found.values())
    takes = [found[f"sha-{name}"]["takes_s"] for name in ("registry", "host", "warm")]
    assert takes == sorted(takes, reverse=True)
    assert min(takes) > 0
    assert found["sha-gone"]["takes_s"] is None


def test_a_rollback_to_a_release_that_is_gone_is_refused(scattered: Operator) -> None:
    with unchanged(scattered.droplet):
        outcome = scattered.run("rollback", "sha-gone", "staging", "--yes")

    assert outcome.status == 1, outcome
    assert "sha-gone is gone: neither on the host nor in the registry" in outcome.stderr


@pytest.mark.parametrize(
    ("name", "pulls", "starts"),
    [("warm", False, False), ("host", False, True), ("registry", True, True)],
)
def test_a_rollback_does_what_the_list_promised(
    scattered: Operator, name: str, *, pulls: bool, starts: bool
) -> None:
    outcome = scattered.rollback(f"sha-{name}", "--json")

    assert ("pull" in planned(outcome), "start" in planned(outcome)) == (pulls, starts)
    assert answering(scattered.url) == name
    assert_at_rest(scattered.droplet)


def test_status_says_when_the_history_was_altered(scattered: Operator) -> None:
    shell(scattered.droplet, f"sed -i '1s/olga/eve/' {DIRECTORY}/history.jsonl")
    try:
        outcome = scattered.run("status", "staging", "--json")
        plain = scattered.run("status", "staging")
    finally:
        shell(scattered.droplet, f"sed -i '1s/eve/olga/' {DIRECTORY}/history.jsonl")

    assert (outcome.status, plain.status) == (3, 3)
    assert any("altered" in fault for fault in outcome.events[0]["faults"])
    assert "altered" in plain.stdout + plain.stderr
    healed = json.dumps(scattered.must("status", "staging", "--json").events)
    assert "altered" not in healed
