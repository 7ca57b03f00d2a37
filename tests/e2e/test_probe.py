"""The probe of a run, on a droplet: it sees what clients see, and ends with the run."""

import pytest

from tests.e2e.conditions import settings
from tests.e2e.running import Event, result
from tests.lab.images import App
from tests.lab.operator import Operator, Outcome
from tests.lab.patience import eventually
from tests.lab.releases import Releases

pytestmark = pytest.mark.lab


def probed(outcome: Outcome) -> Event:
    found = [event for event in outcome.events if event["event"] == "probed"]
    assert len(found) == 1
    return found[0]


def test_a_swap_is_probed_from_before_it_until_its_end(
    operator: Operator, releases: Releases
) -> None:
    operator.deploy(releases.push(App("one")).tag)
    slow = releases.push(App("two", mode="slow-start", start_delay_s=1))

    with settings(operator, probe={"rate": 50}):
        outcome = operator.deploy(slow.tag, "--json")

    seen, ended = probed(outcome), result(outcome)
    assert seen["requests"] == ended["requests"] == len(seen["samples"]) > 5
    assert seen["failed"] == ended["failed"] == 0
    assert {it["status"] for it in seen["samples"]} == {200}
    assert 0 < seen["p50_ms"] <= seen["p99_ms"] <= seen["slowest_ms"] < 5000
    assert seen["hosts"] == [operator.droplet.address]
    assert outcome.events.index(seen) == outcome.events.index(ended) - 1
    ps = ["ps", "-eo", "args"]
    assert eventually(lambda: "restoops-sample" not in operator.droplet.exec(ps))


def test_a_rollback_names_the_failed_requests(operator: Operator, releases: Releases) -> None:
    for name in ("one", "two"):
        operator.deploy(releases.push(App(name)).tag)

    assert "; 0 of " in operator.rollback().stdout


@pytest.mark.full
def test_a_deploy_that_is_watched_is_not_probed(operator: Operator, releases: Releases) -> None:
    operator.deploy(releases.push(App("one")).tag)

    with settings(operator, swap={"bake_s": 1}):
        outcome = operator.deploy(releases.push(App("two")).tag, "--json")

    assert [event for event in outcome.events if event["event"] == "probed"] == []
    assert result(outcome)["requests"] == 0
