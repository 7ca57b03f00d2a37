"""Carry out the steps of a plan, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import assert_never

from restoops.adapters.clock import Clock
from restoops.errors import RestoopsError, StepFailed, Unreachable
from restoops.flows.background import hurried, in_background
from restoops.flows.bake import Watch
from restoops.flows.drain import drain
from restoops.flows.host import Host, log_tail
from restoops.flows.interrupt import Interrupt
from restoops.flows.pause import pause
from restoops.flows.smoke import SmokeSettings, put
from restoops.model import Answer, Color, Container, Logins, Question, Timing
from restoops.plan.health import another_release, is_everybodys_fault
from restoops.plan.steps import (
    AwaitHealthy,
    Bake,
    Drain,
    Forget,
    KeepWarm,
    Pull,
    Remove,
    RunProxy,
    SetUp,
    Smoke,
    Start,
    Step,
    Stop,
    Switch,
    Trim,
    Uncover,
    Verify,
)
from restoops.report.events import Progress, StepBroken, StepEnded, StepStarted, Tell

_SILENCE_S = 3.0
_VERIFY_S = 5


@dataclass(frozen=True, slots=True)
class HealthSettings:
    """How a new release is asked whether it is healthy."""

    path: str
    interval_s: float
    start_wait_s: float


@dataclass
class Executor:
    """Carries out steps on one host; remembers what it did."""

    host: Host
    health: HealthSettings
    clock: Clock
    tell: Tell
    interrupt: Interrupt
    logins: Logins = lambda _: None
    smoke: SmokeSettings = field(default_factory=SmokeSettings)
    done: list[Timing] = field(default_factory=list)
    cut: int = 0
    before_traffic: Callable[[Host], None] = lambda _: None
    """Called before a step that readies a release for traffic, or sends traffic to it."""

    def __post_init__(self) -> None:
        self.watch = Watch(self.host)

    def apply(self, steps: Iterable[Step]) -> None:
        """Carry out `steps` in order.

        Raises:
            Interrupted: between two steps, or during a wait.
            RestoopsError: a step failed; those after it were not begun.
        """
        for step in steps:
            self.interrupt.check()
            self._apply_one(step)

    def _apply_one(self, step: Step) -> None:
        began, at = self.clock.monotonic(), self.clock.now()
        if isinstance(step, AwaitHealthy | Switch):
            self.before_traffic(self.host)
        self.tell(StepStarted(self.host.name, step))
        try:
            note = self._carry_out(step)
        except RestoopsError as error:
            seconds = round(self.clock.monotonic() - began, 3)
            self.done.append(Timing(type(step).__name__, at, seconds, broken=True))
            self.tell(StepBroken(self.host.name, step, error.message))
            if isinstance(error, Unreachable):
                # Whatever is still asked of a host that hangs would wait as long again.
                self.host.close_if_silent(_SILENCE_S)
            raise
        seconds = round(self.clock.monotonic() - began, 3)
        self.done.append(Timing(type(step).__name__, at, seconds))
        self.tell(StepEnded(self.host.name, step, seconds, note))

    def _carry_out(self, step: Step) -> str:  # noqa: C901  one case for each kind of step
        match step:
            case SetUp():
                self.host.set_up()
            case RunProxy():
                self.host.run_proxy(self.logins, self._progress(step))
            case Uncover(color):
                self._uncover(color)
            case Remove(color):
                self._stop(lambda: self.host.remove(color))
            case Pull(digest):
                work = partial(self.host.pull, digest, self.logins, self._progress(step))
                in_background(work)(self.interrupt)
            case Start(color, release, secrets):
                self.host.start(color, release, secrets)
            case AwaitHealthy():
                return self._await_healthy(step)
            case Smoke():
                return self._smoke(step)
            case Switch(to, covered):
                self.host.route(to, covered=covered)
            case Verify(color):
                return self._verify(color)
            case Bake():
                return self.watch.watch(step, self.clock, self._pause)
            case Drain():
                return self._drain(step)
            case KeepWarm(color, for_s, covers):
                self.host.cover(color, on=covers)
                self.host.retire_later(color, for_s)
            case Stop(color):
                self._stop(lambda: self.host.stop(color))
            case Trim(digests):
                self.host.remove_images(digests)
                return f"{len(digests)} removed"
            case Forget(sets):
                self.host.forget_secrets(sets)
            case _:
                assert_never(step)
        return ""

    def _progress(self, step: Step) -> Callable[[str], None]:
        interrupt = self.interrupt

        def progress(text: str) -> None:
            interrupt.check()
            self.tell(Progress(self.host.name, step, text))

        return progress

    def _stop(self, stop: Callable[[], None]) -> None:
        """Stop what serves nobody; a signal kills it: left to itself it would still look warm."""
        hurried(stop, self.interrupt, self.host.cut_short)

    def _ask(self, slot: Color | None) -> tuple[Answer, Color | None]:
        return in_background(lambda: self.host.ask(self.health.path, slot))(self.interrupt)

    def _uncover(self, color: Color) -> None:
        """Take `color` out of reserve, unless it is all that answers at this moment."""
        traffic, live = self.host.traffic(), color.other
        if traffic.live is live and traffic.covering and not self._answers(live, traffic.up):
            raise StepFailed(
                f"{self.host.name}: {live} is live but does not answer any more; {color} stands in "
                "for it and has to stay",
                hint="Do the same again: the release that stands in is then made live first.",
                details=log_tail(self.host, live),
            )
        self.host.cover(color, on=False)

    def _answers(self, color: Color, up: frozenset[Color]) -> bool:
        # HAProxy takes up to some seconds to see that a release has died.
        return color in up and self._ask(color)[0].status != 0

    def _await_healthy(self, step: AwaitHealthy) -> str:
        self._pause(self.health.start_wait_s)
        end = self.clock.monotonic() + step.timeout_s
        good = 0
        answer = Answer(0)
        while True:
            self.interrupt.check()
            is_last = self.clock.monotonic() >= end
            latest, _ = self._ask(step.color)
            good = good + 1 if latest.is_good else 0
            container = None
            if not 0 < good < step.successes:  # one that answers well runs
                container = self._look_for_a_crash(step.color, answer)
            # A release that flaps is judged by its bad answers, and they are what is shown.
            answer = answer if latest.is_good and answer.status else latest
            # HAProxy asks in between: a release that flaps may answer only us well.
            if good >= step.successes and not self.host.is_doubted(step.color):
                if not step.proven:
                    self._check_release(container or self.host.inspect(step.color), latest)
                self.host.mark_up(step.color)
                return str(latest.status)
            if is_last:
                raise self._not_healthy(step, answer)
            self._pause(self.health.interval_s)

    def _smoke(self, step: Smoke) -> str:
        slot, progress = None if step.live else step.color, self._progress(step)

        def ask(question: Question) -> Answer:
            work = in_background(lambda: self.host.send(question, slot))
            return work(self.interrupt)[0]

        for check in self.smoke.named(step.checks):
            progress(check.name)
            result = put(check, ask, self.smoke.attempts, self._pause)
            if not result.passed:
                raise self._failure(
                    step.color,
                    f"smoke check {check.name!r} of {step.color} failed: {result.why}",
                    hint="Its last log lines are above. "
                    + ("Traffic goes back to" if step.live else "Traffic stays on")
                    + " the release before. `smoke.checks` says what is expected.",
                    beside=step.color.other if step.live else None,
                )
        return f"{len(step.checks)} passed"

    def _look_for_a_crash(self, color: Color, answer: Answer) -> Container:
        container = self.host.inspect(color)
        if not container.is_running or container.restarts:
            raise self._crashed(container, answer)
        return container

    def _check_release(self, container: Container, answer: Answer) -> None:
        color, release = container.color, container.release
        if told := another_release(answer, release):
            raise StepFailed(
                f"{self.host.name}: {color} was started as {release.tag}, but says on "
                f"{self.health.path} that it is {told}",
                hint="The image has the wrong tag, or was built with the SHA of another commit.",
            )

    def _crashed(self, container: Container, answer: Answer) -> StepFailed:
        # One that Docker has started again already tells the status 0 of what runs now.
        ended = "ended" if container.is_running else f"ended with status {container.exit_code}"
        return self._failure(
            container.color,
            f"{container.release.tag} {ended} right after its start; "
            f"last answer on {self.health.path}: {answer}",
            hint="Its last log lines are above. The release before still serves.",
        )

    def _not_healthy(self, step: AwaitHealthy, answer: Answer) -> StepFailed:
        return self._failure(
            step.color,
            f"{step.color} did not answer 2xx {step.successes} times in a row on "
            f"{self.health.path} within {step.timeout_s:g} s; last answer: {answer}",
            hint="Its last log lines are above. The release before still serves. Are "
            "`container.port` and `health.path` right, and is `health.timeout_s` long enough for "
            "a start?",
        )

    def _failure(
        self, color: Color, what: str, *, hint: str, beside: Color | None = None
    ) -> StepFailed:
        """Return what is wrong with `color`: not its fault when `beside` is sick as well."""
        other, _ = self._ask(beside)
        if is_everybodys_fault(other):
            what += f"; the release before answers {other.status} as well: not the new one's fault"
            hint = (
                "Is a database or a cache down that both need? Do the same again when it is back; "
                "the release before goes on serving what it can."
            )
        return StepFailed(
            f"{self.host.name}: {what}", hint=hint, details=log_tail(self.host, color)
        )

    def _verify(self, color: Color) -> str:
        end = self.clock.monotonic() + _VERIFY_S
        while True:
            answer, slot = self._ask(None)
            if answer.is_good and slot is color:
                return str(answer.status)
            if self.clock.monotonic() >= end:
                who = (
                    f"{color} answered"
                    if slot is color
                    else f"{slot or 'nobody'} and not {color} answered"
                )
                raise self._failure(
                    color,
                    f"through the proxy, {who} {self.health.path}: {answer}",
                    hint="Traffic goes back to the release before.",
                    beside=color.other,
                )
            self._pause(self.health.interval_s)

    def _drain(self, step: Drain) -> str:
        left, note = drain(self.host, step, self.clock, self._pause)
        self.cut += left
        return note

    def _pause(self, seconds: float) -> None:
        """Let `seconds` pass, but answer to an interrupt within a tenth of one."""
        pause(seconds, self.clock, self.interrupt)
