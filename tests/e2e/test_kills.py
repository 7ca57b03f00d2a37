"""A run that is cut off at any step: a healthy release serves, the next command puts it right."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import get_args

import pytest

from restoops.plan.steps import Step
from restoops.report.jsonl import snake
from tests.e2e.inside import assert_at_rest, look
from tests.e2e.running import Event, Running, planned
from tests.e2e.stage import Stage
from tests.e2e.table import Moment, moments, sample, steps_of
from tests.lab.loadrun import LoadRun
from tests.lab.operator import Operator, Outcome
from tests.lab.releases import Releases

RATE = 150
AWAIT_TWO_PROXIES = """\
until [ "$(docker ps -q --filter label=restoops.role=proxy | wc -l)" -ge 2 ]; do :; done
"""
MOMENTS = [
    pytest.param(moment, id=str(moment), marks=() if moment in sample() else pytest.mark.full)
    for moment in moments()
]


@pytest.fixture(scope="module")
def stage(operator: Operator, releases: Releases, proxy_images: tuple[str, str]) -> Stage:
    return Stage(operator, releases, proxy_images)


class Cut:
    """Sends the signal of a moment when it comes, once."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment
        self._seen = 0
        self._has_plan = False
        self.is_sent = False

    def __call__(self, running: Running, event: Event) -> None:
        self._has_plan |= event["event"] == "planned"
        if not self._has_plan or event["event"] != self._moment.event or self.is_sent:
            return
        if self._seen == self._moment.index:
            assert event["step"]["step"] == self._moment.step
            running.signal(self._moment.number)
            self.is_sent = True
        self._seen += 1


@contextmanager
def load_without_failure(stage: Stage, moment: Moment) -> Iterator[None]:
    """Have load that must not notice anything; there is none before the first deploy."""
    if moment.which == "first deploy":
        yield
        return
    with LoadRun(stage.operator.url, RATE) as load:
        load.wait_for_traffic()
        yield
        result = load.stop()
    assert result.failed == 0, str(result)


def cut_off(stage: Stage, moment: Moment, arguments: list[str]) -> Outcome:
    """Run a command that gets its signal, and return how it ended."""
    cut = Cut(moment)
    with Running(stage.start(arguments), cut) as running:
        outcome = running.finish()
    assert cut.is_sent, outcome
    assert planned(outcome) == moment.plan
    return outcome


def is_end(moment: Moment) -> bool:
    return moment.event == "step_ended" and moment.index == len(moment.plan) - 1


def check_honoured(stage: Stage, moment: Moment, outcome: Outcome, tag: str) -> None:
    """SIGINT and SIGTERM: the run was undone or finished by itself, and says what serves."""
    is_first = moment.which == "first deploy"
    found = assert_at_rest(stage.operator.droplet, needs_proxy=not is_first)
    if outcome.status == 0:
        assert found.live_tag == tag
        return
    assert outcome.status == 130, outcome
    serves = "no release is live" if found.live == "none" else f"{found.live_tag} serves"
    assert serves in outcome.events[-1]["message"]


@pytest.mark.lab
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_run_that_is_cut_off_is_put_right_by_the_next(stage: Stage, moment: Moment) -> None:
    arguments, tag = stage.prepare(moment.which)
    before = look(stage.operator.droplet)
    old = "" if moment.which == "first deploy" else before.live_tag

    with load_without_failure(stage, moment):
        outcome = cut_off(stage, moment, arguments)
        if moment.number is signal.SIGKILL:
            # After its last step a run may have ended before the signal arrives.
            has_ended = is_end(moment) and outcome.status == 0
            assert has_ended or outcome.status == -signal.SIGKILL
        else:
            check_honoured(stage, moment, outcome, tag)
        stage.operator.must(*arguments)

    # A run that was interrupted after its switch leaves the stop of the old one to the host.
    is_hasty = outcome.status == 130
    states = {"exited"} if moment.which == "deploy that stops" else {"running"}
    stage.assert_right(moment.which, tag, old, states | ({"running"} if is_hasty else set()))


@pytest.mark.lab
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=lambda number: number.name)
def test_another_deploy_after_one_that_was_cut_off_just_as_it_switched(
    stage: Stage, number: signal.Signals
) -> None:
    """A comparable tool took the live container for the stale one here, and stopped it."""
    arguments, tag = stage.prepare("deploy")
    moment = Moment("deploy", steps_of("deploy").index("switch"), "switch", number, "step_ended")
    another = stage.fresh()

    with load_without_failure(stage, moment):
        cut_off(stage, moment, arguments)
        stage.operator.deploy(another)

    stage.assert_right("deploy", another, tag, {"running"})


@pytest.mark.lab
@pytest.mark.parametrize("turn", [1, *(pytest.param(n, marks=pytest.mark.full) for n in (2, 3, 4))])
def test_a_run_that_is_killed_while_two_proxies_run(stage: Stage, turn: int) -> None:
    """The old one must not go on serving, with a switch of its own that nobody turns."""
    arguments, tag = stage.prepare("deploy with new proxy")
    droplet = stage.operator.droplet
    old = look(droplet).live_tag
    with LoadRun(stage.operator.url, RATE) as load:
        load.wait_for_traffic()
        with Running(stage.start(arguments)) as running:
            droplet.exec(["timeout", "30", "sh", "-c", AWAIT_TWO_PROXIES])
            running.signal(signal.SIGKILL)
            running.finish()
        stage.operator.must(*arguments)
        result = load.stop()

    print(f"{turn}: {result}")
    stage.assert_right("deploy", tag, old, {"running"})
    assert result.failed == 0, str(result)


def test_the_table_holds_every_kind_of_step() -> None:
    every = {snake(kind.__name__) for kind in get_args(Step)}

    assert {moment.step for moment in moments()} == every
    assert {moment.step for moment in sample()} == every


def test_the_table_holds_every_step_of_a_run_with_every_signal() -> None:
    whole = {moment.which for moment in moments()} - {"deploy with new proxy"}
    for which in whole:
        found = {(m.index, m.step, m.number) for m in moments() if m.which == which}
        assert len(found) == 3 * len(steps_of(which))
