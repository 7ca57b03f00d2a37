"""GitHub is told of a run beside it: a run is never failed and hardly delayed by that."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

import restoops.flows.announcing as announcing
from restoops.adapters.deployments import Deployment
from restoops.errors import Interrupted, StepFailed, Unreachable
from restoops.flows.announcing import Announcer, commit_of, take_back
from restoops.model import Release
from restoops.plan.fleet import Ending, HostResult
from restoops.plan.steps import Switch
from restoops.report.events import Event, FleetEnded, RunEnded, RunStarted, StepStarted
from tests.plan.states import GREEN, V1, V2

COMMIT = "abc1234" + "0" * 33
RELEASE = Release("sha-abc1234", V2.digest)
STARTED = RunStarted("deploy", "staging", RELEASE, ("h1", "h2"))
STEP = StepStarted("h1", Switch(GREEN))
ENDED = RunEnded("deploy", "staging", "h1", RELEASE, V1, 3, True, False, 0, 600)


class FakeBoard:
    """Keeps what it is told; may refuse, or say nothing for ever."""

    def __init__(self, *, refuses: bool = False, hangs: bool = False) -> None:
        self.wishes: list[Deployment] = []
        self.states: list[str] = []
        self.retired: list[str] = []
        self._refuses = refuses
        self._goes_on = threading.Event()
        if not hangs:
            self.go_on()

    def go_on(self) -> None:
        """Say something after all."""
        self._goes_on.set()

    def create(self, wish: Deployment) -> int:
        self._goes_on.wait()
        if self._refuses:
            raise Unreachable("GitHub says no", hint="Allow it.")
        self.wishes.append(wish)
        return 7

    def set_state(self, number: int, state: str, description: str = "") -> None:
        assert number == 7
        self.states.append(state)

    def retire_earlier(self, number: int, environment: str) -> None:
        self.retired.append(environment)


def run(
    board: FakeBoard, events: list[Event], error: BaseException | None = None
) -> tuple[FakeBoard, list[str]]:
    said: list[str] = []
    announcer = Announcer(board, COMMIT, said.append)
    for event in events:
        announcer.tell(event)
    announcer.end(error)
    return board, said


def fleet(*endings: Ending) -> FleetEnded:
    hosts = tuple(HostResult(f"h{n}", ending, RELEASE) for n, ending in enumerate(endings))
    return FleetEnded("deploy", "staging", RELEASE, hosts, 1, dry_run=False, cut=0)


class FakeWithdrawing:
    """Takes it back, refuses, or says nothing until the end of the test."""

    def __init__(self, how: str) -> None:
        self.end = threading.Event()
        self.taken: list[tuple[str, str]] = []
        self._how = how

    def take_back(self, environment: str, why: str) -> None:
        if self._how == "hangs":
            self.end.wait()
        if self._how == "refuses":
            raise Unreachable("GitHub says no")
        self.taken.append((environment, why))


@pytest.mark.parametrize(
    ("how", "taken", "told"),
    [
        ("", [("staging", "ill")], ""),
        ("refuses", [], "GitHub says no"),
        ("hangs", [], "no answer within 0.1 s"),
    ],
)
def test_that_a_release_turned_out_ill_is_told_soon_or_not_at_all(
    monkeypatch: pytest.MonkeyPatch, how: str, taken: list[tuple[str, str]], told: str
) -> None:
    monkeypatch.setattr(announcing, "PATIENCE_S", 0.1)
    board, said = FakeWithdrawing(how), list[str]()

    take_back(board, "staging", "ill", said.append)

    taken_in_time = list(board.taken)
    board.end.set()
    assert taken_in_time == taken
    assert [it.partition(": ")[2] for it in said] == ([told] if told else [])


@pytest.mark.parametrize(
    ("events", "error", "last"),
    [
        pytest.param([ENDED], None, "success", id="it serves"),
        pytest.param([fleet(Ending.DONE, Ending.DONE)], None, "success", id="on all hosts"),
        pytest.param([fleet(Ending.DONE, Ending.UNREACHED)], None, "failure", id="not on one"),
        pytest.param([], StepFailed("sick"), "failure", id="it failed"),
        pytest.param([], Interrupted("stop"), "inactive", id="it was called off"),
        pytest.param([], KeyError("ours"), "failure", id="a fault of our own"),
    ],
)
def test_a_run_is_a_deployment_that_begins_and_ends(
    events: list[Event], error: BaseException | None, last: str
) -> None:
    board, said = run(FakeBoard(), [STARTED, STEP, STEP, *events], error)

    assert board.states == ["in_progress", last]
    (wish,) = board.wishes
    assert (wish.ref, wish.environment) == (COMMIT, "staging")
    assert board.retired == (["staging"] if last == "success" else [])
    assert said == []


def test_a_run_that_changes_nothing_is_no_deployment() -> None:
    board, said = run(FakeBoard(), [STARTED, replace(ENDED, changed=False)])

    assert (board.wishes, said) == ([], [])


def test_what_github_refuses_is_said_and_is_no_failure() -> None:
    _, said = run(FakeBoard(refuses=True), [STARTED, STEP, ENDED])

    assert said == ["GitHub was not told of this deployment: GitHub says no Allow it."]


def test_a_github_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announcing, "PATIENCE_S", 0.01)

    board = FakeBoard(hangs=True)
    _, said = run(board, [STARTED, STEP, ENDED])
    board.go_on()

    assert said == ["GitHub was not told of this deployment: no answer within 0.01 s"]


@pytest.mark.parametrize(
    ("tag", "commit"),
    [
        pytest.param("sha-abc1234", COMMIT, id="the one of the job"),
        pytest.param("sha-def5678", "def5678", id="an earlier one"),
        pytest.param("develop-def5678", "def5678", id="of a branch"),
        pytest.param("v1.2.3", COMMIT, id="no commit in the tag"),
        pytest.param("nightly-20250131", COMMIT, id="a date in the tag"),
    ],
)
def test_the_commit_is_that_of_the_release(tag: str, commit: str) -> None:
    assert commit_of(Release(tag, V1.digest), COMMIT) == commit
