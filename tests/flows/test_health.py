"""Sick, slow, flapping and crashing releases never serve; a drain has an end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from restoops.errors import Interrupted, NeedsAttention, StepFailed
from restoops.model import Answer, Color
from restoops.plan.steps import AwaitHealthy, Drain, Verify
from restoops.report.events import Event, StepBroken, StepEnded, StepStarted
from tests.flows.acting import Operator, deployed
from tests.flows.clock import FakeClock
from tests.flows.fake import FakeHost
from tests.plan.states import BLUE, GREEN, V1, V2, V3, WISHES, release


def _assert_v1_serves_alone(host: FakeHost) -> None:
    assert host.serving == V1
    assert set(host.containers) == {BLUE}
    assert host.images == {V1.digest}
    assert host.history[-1].outcome == "failed"


def test_a_release_that_crashes_at_start_fails_at_once_and_shows_its_log() -> None:
    host = deployed(V1)
    host.crashing.add(V2.digest)
    operator = Operator(host)

    with pytest.raises(StepFailed, match="v2 ended with status 3 right after its start") as caught:
        operator.deploy(V2)

    assert caught.value.details == "v2 says something"
    assert operator.clock.monotonic() < 1
    _assert_v1_serves_alone(host)


def test_a_release_that_is_never_healthy_fails_at_its_timeout_with_its_last_answer() -> None:
    host = deployed(V1)
    host.sick.add(V2.digest)
    operator = Operator(host)

    message = "green did not answer 2xx 2 times in a row on /health within 60 s; last answer: 503"
    with pytest.raises(StepFailed, match=message) as caught:
        operator.deploy(V2)

    assert caught.value.details == "v2 says something"
    for setting in ("container.port", "health.path", "health.timeout_s"):
        assert f"`{setting}`" in caught.value.hint
    assert 60 <= operator.clock.monotonic() < 62
    _assert_v1_serves_alone(host)


def test_a_flapping_release_never_serves() -> None:
    host = deployed(V1)
    host.answers[V2.digest] = [200, 503] * 1000

    with pytest.raises(StepFailed, match="not answer 2xx"):
        Operator(host).deploy(V2)

    _assert_v1_serves_alone(host)


def test_a_flapping_release_that_answers_only_the_proxy_badly_never_serves() -> None:
    host = deployed(V1)
    host.doubted.add(GREEN)

    with pytest.raises(StepFailed, match="not answer 2xx"):
        Operator(host).deploy(V2)

    _assert_v1_serves_alone(host)


def test_a_slow_start_is_waited_for() -> None:
    host = deployed(V1)
    host.answers[V2.digest] = [0] * 300
    operator = Operator(host)

    operator.deploy(V2)

    assert host.serving == V2
    assert 30 <= operator.clock.monotonic() < 32


def test_the_first_question_comes_after_the_wait_for_a_start() -> None:
    host = deployed(V1)
    operator = Operator(host)
    operator.health = replace(operator.health, start_wait_s=3)

    operator.deploy(V2)

    assert operator.clock.monotonic() >= 3


def test_a_release_that_dies_while_it_is_asked_fails_at_once() -> None:
    host = deployed(V1)
    host.answers[V2.digest] = [503] * 1000
    clock = _At(5, lambda: host.kill(GREEN))

    with pytest.raises(StepFailed, match=r"ended with status 0.*last answer on /health: 503"):
        Operator(host, clock=clock).deploy(V2)

    assert clock.monotonic() < 6
    _assert_v1_serves_alone(host)


def test_logs_that_cannot_be_read_do_not_hide_the_fault() -> None:
    host = deployed(V1)
    host.crashing.add(V2.digest)
    host.failing["logs"] = StepFailed("no logs")

    with pytest.raises(StepFailed, match="right after its start") as caught:
        Operator(host).deploy(V2)

    assert caught.value.details == "(its logs cannot be read: no logs)"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        pytest.param(Answer(502), "nobody and not green answered /health: 502",
                     id="nobody answers"),
        pytest.param(Answer(200), "nobody and not green answered /health: 200",
                     id="somebody else answers well"),
    ],
)  # fmt: skip
def test_a_release_that_is_not_reached_through_the_proxy_goes_back(
    answer: Answer, message: str
) -> None:
    host = deployed(V1)
    host.misrouted = answer
    operator = Operator(host)

    with pytest.raises(StepFailed, match=message):
        operator.deploy(V2)

    assert operator.told_of(StepBroken) == [Verify(GREEN)]
    _assert_v1_serves_alone(host)


def test_a_failed_first_deploy_leaves_nobody_live() -> None:
    host = FakeHost(sick={V1.digest})

    with pytest.raises(StepFailed):
        Operator(host).deploy(V1)

    assert (host.live, host.on_file, host.containers) == (None, None, {})
    assert host.history[-1].outcome == "failed"


def test_what_still_runs_at_the_end_of_the_drain_is_counted_and_told() -> None:
    host = deployed(V1)
    host.requests = {BLUE: [7] * 100_000}
    operator = Operator(host)

    operator.deploy(V2)

    assert operator.ended.cut == 7
    assert host.history[-1].cut == 7
    assert 30 <= operator.clock.monotonic() < 32
    drained = [e for e in operator.told if isinstance(e, StepEnded) and e.step == Drain(BLUE, 30)]
    assert [e.note for e in drained] == ["7 requests still running"]


def test_nothing_is_stopped_while_a_proxy_that_was_replaced_may_have_requests_there() -> None:
    host = deployed(V1)
    host.old_proxy_polls = 5
    operator = Operator(host, replace(WISHES, warm_s=0))

    operator.deploy(V2)  # the host refuses to stop anything before

    [drained] = [
        it for it in operator.told if isinstance(it, StepEnded) and isinstance(it.step, Drain)
    ]
    assert drained.seconds >= 0.3
    assert host.state().containers[BLUE].status == "exited"


def test_a_proxy_that_was_replaced_is_not_waited_for_longer_than_a_drain() -> None:
    host = deployed(V1)
    host.old_proxy_polls = 10_000
    host.failing["stop"] = StepFailed("here a stop would have been")
    operator = Operator(host, replace(WISHES, warm_s=0, drain_s=2))

    with pytest.raises(NeedsAttention, match="here a stop would have been"):
        operator.deploy(V2)

    notes = [it.note for it in operator.told if isinstance(it, StepEnded)]
    assert "a proxy that was replaced may still run requests" in notes


def test_a_release_that_stays_warm_does_not_wait_for_a_proxy_that_was_replaced() -> None:
    host = deployed(V1)
    host.old_proxy_polls = 10_000

    Operator(host).deploy(V2)

    assert "has_old_proxy" not in host.calls


def test_one_idle_poll_between_two_requests_is_not_idle() -> None:
    host = deployed(V1)
    host.requests = {BLUE: [1, 0, 1, 0, 0, 0, 9]}

    Operator(host, replace(WISHES, warm_s=0)).deploy(V2)

    assert host.requests == {BLUE: []}  # two in a row ended the drain, and one more is looked at
    assert host.cut == 9


def test_a_signal_ends_the_wait_for_health_within_a_moment() -> None:
    host = deployed(V1)
    host.sick.add(V2.digest)
    operator = Operator(host)
    operator.clock = _At(7, operator.interrupt.ask)

    with pytest.raises(Interrupted, match="interrupted and undone; v1 serves"):
        operator.deploy(V2)

    assert operator.clock.monotonic() < 8
    assert host.serving == V1
    assert set(host.containers) == {BLUE}


def test_an_interrupted_run_does_not_wait_long_for_old_requests() -> None:
    host = deployed(V1)
    host.requests = {BLUE: [1] * 100_000}
    operator = Operator(host)

    def at_drain(event: Event) -> None:
        if isinstance(event, StepStarted) and isinstance(event.step, Verify):
            operator.interrupt.ask()

    operator.listen = at_drain

    with pytest.raises(Interrupted, match="finished: traffic had moved already; v2 serves"):
        operator.deploy(V2)

    assert operator.clock.monotonic() < 7
    assert host.containers[BLUE].is_running
    assert host.retiring[-1][0] is BLUE


def test_a_second_signal_does_not_stop_what_puts_things_right() -> None:
    host = deployed(V1)
    operator = Operator(host)

    def always(event: Event) -> None:
        if isinstance(event, StepStarted) and isinstance(event.step, AwaitHealthy):
            operator.interrupt.ask()

    operator.listen = always

    with pytest.raises(Interrupted, match="undone"):
        operator.deploy(V3)

    assert host.history[-1].outcome == "interrupted"
    assert set(host.containers) == {BLUE}


class _At(FakeClock):
    """A clock that acts once, when a time has come."""

    def __init__(self, moment: float, act: Callable[[], object]) -> None:
        super().__init__()
        self._moment = moment
        self._act = act

    def sleep(self, seconds: float) -> None:
        is_before = self.passed < self._moment
        super().sleep(seconds)
        if is_before and self.passed >= self._moment:
            self._act()


def _shared_fault(operator: Operator) -> StepFailed:
    with pytest.raises(StepFailed) as caught:
        operator.deploy(V2)
    assert "the release before answers 503 as well: not the new one's fault" in str(caught.value)
    assert "database" in caught.value.hint
    return caught.value


def test_a_release_is_not_blamed_when_the_one_that_serves_is_sick_as_well() -> None:
    host = deployed(V1)
    host.sick |= {V1.digest, V2.digest}

    assert "last answer: 503" in _shared_fault(Operator(host)).message

    assert host.history[-1].error.endswith("not the new one's fault")
    assert (host.live, set(host.containers)) == (BLUE, {BLUE})


def test_a_release_that_ends_for_want_of_a_database_is_not_blamed_either() -> None:
    host = deployed(V1)
    host.sick.add(V1.digest)
    host.crashing.add(V2.digest)

    assert "right after its start" in _shared_fault(Operator(host)).message


def test_a_database_that_dies_at_the_switch_is_not_the_new_releases_fault() -> None:
    host = deployed(V1)
    operator = Operator(host)

    def at_verify(event: Event) -> None:
        if isinstance(event, StepStarted) and isinstance(event.step, Verify):
            host.sick |= {V1.digest, V2.digest}

    operator.listen = at_verify

    assert "through the proxy, green answered /health: 503" in _shared_fault(operator).message
    assert (host.live, set(host.containers)) == (BLUE, {BLUE})


def test_a_release_that_mends_what_ails_the_one_that_serves_goes_live() -> None:
    host = deployed(V1)
    host.sick.add(V1.digest)

    Operator(host).deploy(V2)

    assert host.serving == V2


class _Named(FakeHost):
    """A host on which every release says on /health that it is the same one."""

    names = "abc1234"

    def ask(self, path: str, slot: Color | None) -> tuple[Answer, Color | None]:
        answer, answered = super().ask(path, slot)
        return replace(answer, text=f'{{"release": {{"sha": "{self.names}"}}}}'), answered


def test_a_stale_image_under_a_new_tag_never_serves() -> None:
    stale, right = release("sha-def5678"), release("sha-abc1234")
    host = _Named()
    Operator(host).deploy(right)

    message = "green was started as sha-def5678, but says on /health that it is abc1234"
    with pytest.raises(StepFailed, match=message):
        Operator(host).deploy(stale)

    assert host.serving == right
    assert set(host.containers) == {BLUE}


def test_a_rollback_is_not_refused_for_what_an_image_says_it_is() -> None:
    first, second = release("sha-abc1234"), release("sha-def5678")
    host = _Named()
    Operator(host).deploy(first)
    host.names = "def5678"
    Operator(host).deploy(second)

    Operator(host).rollback()

    assert host.serving == first
