"""A signal is answered within a second, whatever is being waited for.

What a host or a program makes us wait for hangs in real time, for much longer than any machine
takes to answer; our own pauses pass on a fake clock.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from restoops.adapters.connection import Holder
from restoops.errors import Interrupted, RestoopsError, StepFailed
from restoops.flows.background import in_background
from restoops.flows.hooks import HOOKS, Hooks
from restoops.flows.rollout import Rollout
from restoops.model import Counts
from restoops.plan.steps import Step, Verify
from restoops.report.events import Event, Output, PuttingRight, StepBroken, StepStarted
from tests.flows.acting import COLD, HEALTH, WATCHED, Operator, deployed
from tests.flows.clock import FakeClock
from tests.flows.crew import again, fleet
from tests.flows.fake import FakeHost
from tests.plan.states import BLUE, GREEN, V1, V2, V3

ANSWER_S = 1.0
"""Of the fake clock."""
HANGS_S = 30
BUSY_S = 10.0
"""Of real time: a machine with other things to do may take that long for what others do at once."""
OTHER = Holder("peter", "CI", "restoops deploy v9 staging", "2026-01-02T03:04:05.000Z")


@dataclass(frozen=True)
class Moment:
    """Seconds of real time and of our own clock."""

    real: float
    ours: float


@dataclass
class Wait:
    """Something that goes on until the test is over; a signal comes when it has begun."""

    operator: Operator
    act: Callable[[Operator], object]
    asked_at: Moment | None = None
    answered_at: Moment | None = None
    _over: threading.Event = field(default_factory=threading.Event)

    def hang(self) -> None:
        self.ask()
        self._over.wait(HANGS_S)

    def ask(self) -> None:
        self.asked_at = self.now()
        self.operator.interrupt.ask()

    def now(self) -> Moment:
        return Moment(time.monotonic(), self.operator.clock.monotonic())

    def end(self) -> None:
        self._over.set()

    def hear(self, event: Event) -> None:
        """Note the first thing that tells of an end."""
        ends = isinstance(event, StepBroken | PuttingRight)
        if ends and self.asked_at and not self.answered_at:
            self.answered_at = self.now()


def call(name: str, act: Callable[[Operator], object], host: FakeHost) -> Wait:
    wait = Wait(Operator(host), act)
    host.hanging[name] = wait.hang
    return wait


def deploy(operator: Operator) -> object:
    return operator.deploy(V3)


def rollback(operator: Operator) -> object:
    return operator.rollback("v1")


def hanging(name: str) -> Callable[[], Wait]:
    return lambda: call(name, deploy, deployed(V1, V2))


def when_verifying() -> Wait:
    host = deployed(V1, V2)
    wait = Wait(Operator(host), deploy)

    def listen(event: Event) -> None:
        if isinstance(event, StepStarted) and isinstance(event.step, Verify):
            host.hanging["ask"] = wait.hang

    wait.operator.listen = listen
    return wait


def running_the_release_command() -> Wait:
    wait = call("run_release", deploy, deployed(V1, V2))
    wait.operator.rollout = Rollout(command=("migrate",))
    return wait


def stopping(name: str, host: FakeHost) -> Callable[[], Wait]:
    def begin() -> Wait:
        wait = call(name, deploy, replace(host, containers=dict(host.containers)))
        wait.operator.wishes = COLD
        wait.operator.host.on_cut_short = wait.end
        return wait

    return begin


def resolving() -> Wait:
    wait = Wait(Operator(deployed(V1, V2)), deploy)

    def resolve() -> object:
        wait.hang()
        return V3

    wait.operator.resolve = lambda interrupt: in_background(resolve)(interrupt)  # type: ignore[assignment, return-value]
    return wait


def asking_the_registry() -> Wait:
    host = deployed(V1, V2, V3)
    host.images.discard(V1.digest)
    wait = Wait(Operator(host), rollback)

    def can_pull(_: object) -> bool:
        wait.hang()
        return True

    wait.operator.can_pull = can_pull
    return wait


def pulling_the_proxy(host: FakeHost, act: Callable[[Operator], object]) -> Wait:
    host.pulls_proxy = 1_000_000
    wait = Wait(Operator(host), act)

    def listen(event: Event) -> None:
        if type(event).__name__ == "Progress" and not wait.asked_at:
            wait.ask()

    wait.operator.listen = listen
    return wait


class Passing(FakeClock):
    """Time in which a signal comes when somebody has waited for so long."""

    def __init__(self, wait: Wait, after_s: float) -> None:
        super().__init__()
        self._wait = wait
        self._after_s = after_s

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        if self.passed >= self._after_s and not self._wait.asked_at:
            self._wait.ask()


def pausing(prepare: Callable[[Operator], object], act: Callable[[Operator], object] = deploy,
            hosts: Callable[[], Operator] = lambda: Operator(deployed(V1, V2)),
            ) -> Callable[[], Wait]:  # fmt: skip
    def begin() -> Wait:
        operator = hosts()
        prepare(operator)
        wait = Wait(operator, act)
        operator.clock = Passing(wait, after_s=2.5)
        return wait

    return begin


def never_healthy(operator: Operator) -> None:
    operator.host.sick.add(V3.digest)


def slow_to_start(operator: Operator) -> None:
    operator.health = replace(HEALTH, start_wait_s=100)


def seldom_asked(operator: Operator) -> None:
    operator.host.sick.add(V3.digest)
    operator.health = replace(HEALTH, interval_s=100)


def watched(operator: Operator) -> None:
    operator.wishes = WATCHED
    operator.host.met = {V3.digest: Counts(100, 0)}


def draining(operator: Operator) -> None:
    operator.host.requests = {GREEN: [1] * 10_000}


def in_batches(operator: Operator) -> None:
    operator.rollout = Rollout(batch="1", pause_s=100)


def in_watched_batches(operator: Operator) -> None:
    in_batches(operator)
    operator.wishes = WATCHED


def behind_another_run(operator: Operator) -> None:
    operator.hosts[1].holder = OTHER
    operator.wait_s = 100


def crew() -> Operator:
    return again(fleet(V1, V2))


def deploy_all(operator: Operator) -> object:
    return operator.deploy_all(V3)


WAITS: dict[str, Callable[[], Wait]] = {
    "for the lock": hanging("lock"),
    "for the locks of other hosts": pausing(behind_another_run, deploy_all, crew),
    "for what is there": hanging("observe"),
    "for the digest of a tag": resolving,
    "for the registry to know an image": asking_the_registry,
    "for the image of the proxy": lambda: pulling_the_proxy(FakeHost(), deploy),
    "for an image": hanging("pull"),
    "for an old release to stop before the switch": stopping("remove", deployed(V1, V2)),
    "for a start, before it is asked": pausing(slow_to_start),
    "for an answer on health.path": hanging("ask"),
    "for a release to become healthy": pausing(never_healthy),
    "between two questions": pausing(seldom_asked),
    "for the release command": running_the_release_command,
    "for an answer through the proxy": when_verifying,
    "between batches": pausing(in_batches, deploy_all, crew),
    "between batches that are watched": pausing(in_watched_batches, deploy_all, crew),
    "for the verdict": pausing(watched),
    "for requests to end": pausing(draining),
    "for an old release to stop after the switch": stopping("stop", deployed(V1)),
}


@pytest.mark.parametrize("name", WAITS)
def test_a_signal_ends_every_wait_within_a_second(name: str) -> None:
    wait = WAITS[name]()
    listen = wait.operator.listen

    def hear(event: Event) -> None:
        wait.hear(event)
        listen(event)

    wait.operator.listen = hear
    try:
        with contextlib.suppress(Interrupted):
            wait.act(wait.operator)
        wait.answered_at = wait.answered_at or wait.now()
        assert wait.asked_at, "nothing was waited for"
        assert wait.answered_at.ours - wait.asked_at.ours < ANSWER_S
        assert wait.answered_at.real - wait.asked_at.real < BUSY_S
        assert all(host.holder in (None, OTHER) for host in wait.operator.hosts)
        assert wait.operator.host.serving in (V2, V3, V1, None)
    finally:
        wait.end()


@pytest.mark.parametrize(("name", "host"), [("remove", deployed(V1, V2)), ("stop", deployed(V1))])
def test_a_release_that_is_being_stopped_has_stopped_when_the_run_is_over(
    name: str, host: FakeHost
) -> None:
    wait = stopping(name, host)()

    with pytest.raises(Interrupted):
        wait.act(wait.operator)

    (old,) = [host for host in wait.operator.hosts if host.state().open_run is None]
    assert old.calls.count("cut_short") == 1
    running = {it.release for it in old.containers.values() if it.is_running}
    assert running == {old.serving}


def test_a_signal_before_the_proxy_runs_does_not_say_that_something_serves() -> None:
    host = deployed(V1, V2, V3)
    host.proxy_runs = False
    wait = pulling_the_proxy(host, rollback)

    with pytest.raises(Interrupted, match="interrupted and undone; no release is live"):
        wait.act(wait.operator)

    assert host.state().open_run is None


# Hooks are real programs


def hooked(name: str, folder: Path, operator: Operator) -> Operator:
    """Let a hook say that it has begun, and never end."""
    script = "trap 'echo ended >>told; exit' TERM; echo begun; sleep 60 & wait"
    operator.hooks = Hooks({name: ("sh", "-c", script)}, folder, 60)
    return operator


@contextlib.contextmanager
def signal_when_begun(operator: Operator, name: str) -> Iterator[list[float]]:
    """Send a signal when the hook has begun; yield how long it took from then to the end."""
    taken: list[float] = []
    begun: list[float] = []

    def listen(event: Event) -> None:
        if event == Output(name, "begun"):
            begun.append(time.monotonic())
            operator.interrupt.ask()

    operator.listen = listen
    yield taken
    taken.append(time.monotonic() - begun[0])


@pytest.mark.parametrize("name", HOOKS)
def test_a_signal_ends_a_hook_within_a_second(name: str, tmp_path: Path) -> None:
    operator = hooked(name, tmp_path, Operator(deployed(V1)))
    if name == "on_failure":
        operator.host.failing["route"] = StepFailed("refused")
    expected: type[RestoopsError] | None = {
        "pre_deploy": Interrupted, "on_failure": StepFailed,
    }.get(name)  # fmt: skip

    with signal_when_begun(operator, name) as taken:
        if expected:
            with pytest.raises(expected):
                operator.deploy(V2)
        else:
            operator.deploy(V2)

    assert taken[0] < BUSY_S
    assert (tmp_path / "told").read_text() == "ended\n"
    assert operator.host.serving == (V2 if name == "post_deploy" else V1)
    assert operator.host.holder is None


def test_on_failure_is_told_of_a_signal_and_ends_with_the_next(tmp_path: Path) -> None:
    wait = call("pull", lambda operator: operator.deploy(V2), deployed(V1))
    operator = hooked("on_failure", tmp_path, wait.operator)

    with signal_when_begun(operator, "on_failure") as taken, pytest.raises(Interrupted):
        operator.deploy(V2)
    wait.end()

    assert taken[0] < BUSY_S
    cut_off = Output("on_failure", "cut off by a signal, which does not change the result")
    assert cut_off in operator.told
    assert operator.host.serving == V1


def test_post_deploy_does_not_begin_after_a_signal_that_came_too_late(tmp_path: Path) -> None:
    operator = hooked("post_deploy", tmp_path, Operator(deployed(V1)))
    steps: list[Step] = []

    def listen(event: Event) -> None:
        if isinstance(event, StepStarted):
            steps.append(event.step)
            if steps == list(operator.steps):
                operator.interrupt.ask()

    operator.listen = listen

    operator.deploy(V2)

    assert Output("post_deploy", "begun") not in operator.told
    assert operator.host.serving == V2


def test_a_deploy_that_pre_deploy_stops_has_failed(tmp_path: Path) -> None:
    operator = Operator(deployed(V1))
    told = 'echo "$RESTOOPS_RUN_ERROR" >told'
    commands = {"pre_deploy": ("false",), "on_failure": ("sh", "-c", told)}
    operator.hooks = Hooks(commands, tmp_path, 10)

    with pytest.raises(StepFailed, match="hook pre_deploy"):
        operator.deploy(V2)

    assert "hook pre_deploy: false ended with status 1" in (tmp_path / "told").read_text()
    assert operator.host.containers[BLUE].release == V1
