"""A new release is watched under real traffic, by HAProxy's own counters."""

from __future__ import annotations

import re
from contextlib import ExitStack

import pytest

from tests.e2e.inside import answering, assert_at_rest
from tests.lab.images import App
from tests.lab.loadrun import LoadRun
from tests.lab.operator import Operator
from tests.lab.releases import Releases

pytestmark = pytest.mark.lab

RATE = 100
BAKE_S = 4
"""Long enough for 50 requests on a busy machine."""


@pytest.fixture(autouse=True)
def watching(operator: Operator, releases: Releases) -> None:
    """Every deploy is watched; `first` serves."""
    operator.settings["swap"] = {"bake_s": BAKE_S}
    operator.deploy(releases.push(App("first")).tag)


def test_a_release_that_does_well_stays(operator: Operator, releases: Releases) -> None:
    with LoadRun(operator.url, RATE) as load:
        load.wait_for_traffic()
        outcome = operator.deploy(releases.push(App("second")).tag)
        load.wait_for_release("second")
        result = load.stop()

    assert result.failed == 0, str(result)
    assert "watch" in outcome.stderr
    assert "0 of " in outcome.stderr
    assert "requests failed (0.0%); of the release before: 0 of " in outcome.stderr
    assert answering(operator.url) == "second"


def test_a_release_that_errs_goes_back_with_the_figures(
    operator: Operator, releases: Releases
) -> None:
    before = assert_at_rest(operator.droplet)
    with LoadRun(operator.url, RATE) as load:
        load.wait_for_traffic()
        outcome = operator.run("deploy", releases.push(App("errs", "erring")).tag, "staging")

    assert outcome.status == 1, outcome
    assert "the new release errs beyond `bake.max_error_rate` (2.0%)" in outcome.stderr
    # Not quite all: restoops itself asked for /health through the proxy, and that was good.
    figures = r"requests failed \((9\d|100)\.\d%\); of the release before: 0 of "
    assert re.search(figures, outcome.stderr), outcome
    assert answering(operator.url) == "first"
    assert assert_at_rest(operator.droplet).live == before.live


def test_a_release_that_dies_under_traffic_goes_back(
    operator: Operator, releases: Releases
) -> None:
    with LoadRun(operator.url, RATE) as load:
        load.wait_for_traffic()
        outcome = operator.run("deploy", releases.push(App("dies", "dying")).tag, "staging")

    assert outcome.status == 1, outcome
    assert "the new release died after the switch" in outcome.stderr
    assert "  | dies: fatal: out of memory" in outcome.stderr
    assert answering(operator.url) == "first"


def test_too_few_requests_are_said(operator: Operator, releases: Releases) -> None:
    outcome = operator.deploy(releases.push(App("quiet")).tag)

    assert "too few requests to tell (" in outcome.stderr
    assert " of 50)" in outcome.stderr
    assert answering(operator.url) == "quiet"


def test_one_host_of_a_fleet_that_errs_takes_all_back(fleet: Operator, releases: Releases) -> None:
    fleet.settings["swap"] = {"bake_s": BAKE_S}
    fleet.deploy(releases.push(App("first")).tag)
    with ExitStack() as stack:
        loads = [stack.enter_context(LoadRun(url, RATE / 2)) for url in fleet.urls]
        for load in loads:
            load.wait_for_traffic()
        outcome = fleet.run("deploy", releases.push(App("errs", "erring")).tag, "staging")

    assert outcome.status == 1, outcome
    assert "errs beyond `bake.max_error_rate`" in outcome.stderr
    assert [answering(url) for url in fleet.urls] == ["first"] * 4
