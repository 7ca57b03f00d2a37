"""Reports and messages of real runs, whatever becomes of these."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from tests.e2e.conditions import settings
from tests.e2e.running import Running
from tests.lab.images import App
from tests.lab.inbox import Inbox, inbox
from tests.lab.operator import Operator, Outcome
from tests.lab.releases import Releases

pytestmark = pytest.mark.lab


@contextmanager
def listening(operator: Operator) -> Iterator[tuple[Inbox, Inbox]]:
    """Have services for messages that the operator's settings name."""
    with ExitStack() as stack:
        slack, other = stack.enter_context(inbox()), stack.enter_context(inbox())
        operator.env |= {"SLACK_URL": slack.url, "HOOK_URL": other.url}
        notify = {"slack": "SLACK_URL", "webhook": "HOOK_URL", "timeout_s": 30}
        stack.enter_context(settings(operator, notify=notify))
        yield slack, other


@pytest.fixture
def boxes(operator: Operator) -> Iterator[tuple[Inbox, Inbox]]:
    """Services for messages that the operator's settings name."""
    with listening(operator) as made:
        yield made


@dataclass(frozen=True, slots=True)
class Told:
    """What runs were reported by, and which messages came."""

    outcomes: list[Outcome]
    slack: list[dict[str, Any]]
    other: list[dict[str, Any]]


@pytest.fixture(scope="module")
def told(operator: Operator, releases: Releases) -> Told:
    """Runs that ended in each way; the one that failed is the last of which there is a record."""
    sick = releases.push(App("sick", mode="never-healthy")).tag
    with listening(operator) as (slack, other):
        outcomes = [
            operator.deploy(releases.push(App("aaaaaa1")).tag, "--report", "first.html"),
            operator.deploy(releases.push(App("aaaaaa2")).tag),
            operator.rollback("--report", "back.html"),
            operator.run("deploy", sick, "staging", "--report", "failed.html"),
            operator.run("deploy", "sha-0000000", "staging", "--report", "missing.html"),
        ]
        operator.deploy("sha-aaaaaa1")  # nothing moves: nobody is told
        operator.deploy("sha-aaaaaa2", "--dry-run", "--report", "dry.html")
    return Told(outcomes, slack.bodies, other.bodies)


def page(operator: Operator, name: str) -> str:
    return (operator.folder / name).read_text()


def test_runs_are_reported_and_told_of_as_they_ended(operator: Operator, told: Told) -> None:
    assert [it.status for it in told.outcomes] == [0, 0, 0, 1, 1]
    assert [(it["event"], it["outcome"]) for it in told.other] == [
        ("deploy", "success"), ("deploy", "success"), ("rollback", "success"),
        ("deploy", "failure"),
    ]  # fmt: skip
    assert [it["text"] for it in told.slack] == [it["text"] for it in told.other]
    assert told.other[2]["release"]["tag"] == "sha-aaaaaa1"
    assert told.other[3]["hosts"][0]["serves"]["tag"] == "sha-aaaaaa1"
    assert "did not answer 2xx" in told.other[3]["error"]
    assert "sha-aaaaaa1</span>" in page(operator, "first.html")
    assert "What clients met with" in page(operator, "back.html")
    for words in ("What went wrong", "What to do now", "Its last lines", "put right", "undone"):
        assert words in page(operator, "failed.html")
    assert "sha-0000000" in page(operator, "missing.html")
    assert "Dry run: sha-aaaaaa2 would serve" in page(operator, "dry.html")


@pytest.mark.usefixtures("told")
def test_an_earlier_run_has_a_page_of_what_was_kept(operator: Operator) -> None:
    newest = operator.must("history", "staging", "--json").events[0]["run"]["id"]

    written = operator.must("report", "last", "staging").stdout.strip()
    operator.must("report", newest[:-2], "--out", "run.html")
    data = operator.must("report", newest, "staging", "--json").events[0]

    assert written == f"{newest}.html"
    assert page(operator, written) == page(operator, "run.html")
    assert "Requests of the probe are not kept" in page(operator, written)
    assert (data["run"], data["tone"]) == (newest, "failed")
    broken = [bar["kind"] for bar in data["hosts"][0]["bars"] if bar["broken"]]
    assert broken == ["await_healthy"]
    assert operator.must("report", "last", "staging", "--out", "-").stdout.startswith("<!doctype")
    for name in ("20990101", newest[:2]):
        assert operator.run("report", name, "staging").status == 1


def test_a_path_that_cannot_be_written_is_refused_before_anything_is_done(
    operator: Operator, releases: Releases
) -> None:
    tag = releases.push(App("other")).tag
    before = operator.status()
    for path in ("missing/report.html", "/dev/null", "/"):
        for words in (("deploy", tag, "staging"), ("rollback", "staging", "--yes")):
            outcome = operator.run(*words, "--report", path)
            assert outcome.status == 2, outcome
            assert "cannot be written" in outcome.stderr
    assert operator.status() == before


@pytest.mark.full
def test_messages_that_are_not_delivered_change_nothing(
    operator: Operator, releases: Releases, boxes: tuple[Inbox, Inbox]
) -> None:
    slack, other = boxes
    slack.statuses, other.hangs = [500] * 20, True

    with settings(operator, notify={"slack": "SLACK_URL", "webhook": "HOOK_URL", "timeout_s": 1}):
        outcome = operator.deploy(releases.push(App("one")).tag)

    assert "serves on staging" in outcome.stdout
    told = [line for line in outcome.stderr.splitlines() if line.startswith("notify.")]
    assert [line.partition(":")[0] for line in told] == ["notify.slack", "notify.webhook"]
    assert "SECRET" not in outcome.stdout + outcome.stderr
    assert "SECRET" not in operator.droplet.exec(["cat", "/var/lib/restoops/testapp/history.jsonl"])


@pytest.mark.full
def test_an_interrupted_run_is_reported_and_told_of(
    operator: Operator, releases: Releases, boxes: tuple[Inbox, Inbox]
) -> None:
    operator.deploy(releases.push(App("one")).tag)
    slow = releases.push(App("two", mode="slow-start", start_delay_s=30)).tag

    command = operator.start("deploy", slow, "staging", "--json", "--report", "cut.html")
    with Running(command) as run:
        run.await_step("await_healthy")
        run.signal(signal.SIGTERM)
        assert run.finish().status == 130

    assert "was interrupted" in page(operator, "cut.html")
    assert boxes[1].bodies[-1]["outcome"] == "interrupted"
