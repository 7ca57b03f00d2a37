"""Releases that must not go live: each fails with its reason, and nobody notices anything."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from tests.e2e.inside import answering, assert_at_rest, look, wipe
from tests.lab.images import App
from tests.lab.loadrun import LoadRun
from tests.lab.operator import Operator
from tests.lab.patience import PATIENCE_S
from tests.lab.releases import Releases

pytestmark = pytest.mark.lab

RATE = 300
TIMEOUT_S = 4.0
CRASH = App("crash", mode="crash")
NEVER = App("never", mode="never-healthy")
FLAPPING = App("flaps", mode="flapping")
NO_HEALTH = App("nohealth", health_404=True)

CRASH_SAYS = (
    "  | fatal: cannot read configuration: /app/config.json: no such file",
    "sha-crash ended",
    "right after its start; last answer on /health: no answer",
)
BAD = [
    pytest.param(CRASH, CRASH_SAYS, id="it crashes at its start"),
    pytest.param(
        NEVER,
        (
            "  | never: listening on port 3001 (never-healthy)",
            "within 4 s; last answer: 503: ",
            '"reason":"database: connection refused"',
        ),
        id="it is never healthy",
    ),
    pytest.param(
        FLAPPING,
        ("  | flaps: listening on port 3001 (flapping)", "within 4 s; last answer: "),
        id="its health flaps",
    ),
    pytest.param(
        NO_HEALTH,
        (
            "  | nohealth: listening on port 3001 (healthy)",
            "within 4 s; last answer: 404: not found",
        ),
        id="its health path is not there",
    ),
]


@pytest.fixture
def load(operator: Operator, releases: Releases) -> Iterator[LoadRun]:
    """Load on a release that serves alone."""
    found = look(operator.droplet)
    if [slot.tag for slot in found.slots.values()] != ["sha-good"]:
        wipe(operator.droplet)
        operator.deploy(releases.push(App("good")).tag)
    with LoadRun(operator.url, RATE) as running:
        running.wait_for_traffic()
        yield running


def deploy_bad(operator: Operator, releases: Releases, app: App) -> str:
    """Deploy a release that fails, and return what the operator reads."""
    outcome = operator.run(
        "deploy", releases.push(app).tag, "staging", "--timeout", f"{TIMEOUT_S:g}"
    )
    assert outcome.status == 1, outcome
    assert outcome.stdout == ""
    return outcome.stderr


def last_record(operator: Operator) -> dict[str, Any]:
    """Return the newest run in the history of the host."""
    return operator.must("history", "staging", "--json").events[0]


def seconds_from_start_to_end(record: dict[str, Any]) -> float:
    """Return how long a run went on after its container was started, clean-up included."""
    start = next(timing for timing in record["log"] if timing["step"] == "start")
    started = datetime.fromisoformat(start["at"]).timestamp() + float(start["seconds"])
    return datetime.fromisoformat(record["ended_at"]).timestamp() - started


@pytest.mark.parametrize(("app", "says"), BAD)
def test_a_bad_release_fails_in_time_and_leaves_all_as_it_was(
    operator: Operator, releases: Releases, load: LoadRun, app: App, says: tuple[str, ...]
) -> None:
    before = assert_at_rest(operator.droplet)

    told = deploy_bad(operator, releases, app)

    for text in says:
        assert text in told
    assert "The release before still serves." in told
    assert "not the new one's fault" not in told
    result = load.stop()
    assert (result.failed, result.sequence) == (0, ["good"]), str(result)
    assert assert_at_rest(operator.droplet) == before
    status = operator.status()
    assert (status["faults"], status["open_run"]) == ([], None)
    record = last_record(operator)
    assert (record["outcome"], record["run"]["release"]["tag"]) == ("failed", f"sha-{app.release}")
    took_s = seconds_from_start_to_end(record)
    print(f"{app.mode}: failed {took_s:.1f} s after its start")
    assert app is CRASH or took_s >= TIMEOUT_S
    assert took_s < TIMEOUT_S + PATIENCE_S


def test_a_bad_release_costs_the_warm_one_but_not_the_one_that_serves(
    operator: Operator, releases: Releases, load: LoadRun
) -> None:
    operator.deploy(releases.push(App("better")).tag)
    before = assert_at_rest(operator.droplet)
    load.wait_for_release("better")

    deploy_bad(operator, releases, CRASH)
    found = assert_at_rest(operator.droplet)
    assert found.slots == {before.live: before.slots[before.live]}
    assert found.images == before.images

    load.expect_change()
    operator.rollback()
    load.wait_for_release("good")
    result = load.stop()
    assert (result.failed, result.mixed) == (0, 0), str(result)
    assert result.sequence == ["good", "better", "good"]


def test_a_bad_first_release_leaves_nothing_behind(operator: Operator, releases: Releases) -> None:
    wipe(operator.droplet)

    told = deploy_bad(operator, releases, CRASH)

    assert CRASH_SAYS[0] in told
    assert "fault" not in told  # nothing serves that could be down as well
    found = assert_at_rest(operator.droplet)
    assert (found.live, found.slots, found.images) == ("none", {}, frozenset())
    operator.deploy(releases.push(App("good")).tag)
    assert answering(operator.url) == "good"
