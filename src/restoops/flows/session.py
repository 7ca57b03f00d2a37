"""One run on one host, phase by phase: lock, observe, prepare, switch, settle, or go back.

What the phases of other hosts mean for this one is decided in `flows.fleet`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from restoops.adapters.connection import Holder
from restoops.errors import (
    Interrupted,
    Locked,
    NeedsAttention,
    RestoopsError,
    StepFailed,
    Unreachable,
)
from restoops.flows.background import in_background
from restoops.flows.host import Lock
from restoops.flows.interrupt import Interrupt
from restoops.flows.part import Part, Standing
from restoops.flows.steps import Executor
from restoops.model import HostState, OpenRun, Record, Release, RunKind
from restoops.plan.bake import Figures
from restoops.plan.bluegreen import SwapPlan, Wishes
from restoops.plan.fleet import Ending, HostResult
from restoops.plan.recovery import has_switched, plan_recovery, plan_return
from restoops.plan.steps import Step, Switch
from restoops.report.events import Event, Output, Preempting, PuttingRight, Recovering, Waiting

_HASTE_S = 5.0
"""How long an interrupted run still waits for requests of the old release: CI kills after 10 s."""
_OUTPUT_LINES = 200
"""Lines of the release command that the history keeps."""


@dataclass(frozen=True, slots=True)
class Request:
    """Who asks for what."""

    id: str
    kind: RunKind
    environment: str
    who: str
    origin: str
    purpose: str
    """The command, as typed."""
    started_at: str
    dry_run: bool = False
    wait_s: int = 0
    preempts: bool = False
    """Whether a run that holds the lock is ended to make way."""


class Session(Part):
    """A run on one host, between taking its lock and giving it back."""

    def __init__(self, executor: Executor, request: Request, wishes: Wishes) -> None:
        self.host = executor.host
        self._previous: Release | None = None
        self._held_by = ""
        self._executor = executor
        self._request = request
        self._wishes = wishes
        self._lock: Lock | None = None
        self._run: OpenRun | None = None
        self._ending = Ending.UNCHANGED
        self._serves: Release | None = None
        self._error = ""
        self._has_switched = False
        self._output: list[str] = []

    @property
    def name(self) -> str:
        """The host."""
        return self.host.name

    @property
    def standing(self) -> Standing:
        """How far the run has come."""
        result = HostResult(self.name, self._ending, self._serves, self._error)
        is_open = self._run is not None
        return Standing(result, self._previous, self._held_by, self._executor.cut, is_open)

    def take_lock(self, *, wait_s: int) -> None:
        """Take the lock of the host.

        Raises:
            Locked: another run has it, and did not give it back within `wait_s` seconds.
        """
        request = self._request
        holder = Holder(request.who, request.origin, request.purpose, request.started_at)
        interrupt = self._executor.interrupt

        def on_wait(other: str) -> None:
            self._held_by = other
            if request.preempts:
                interrupt.note("the run that held the lock may have been ended")
                self._tell(Preempting(self.name, other))
            elif wait_s:
                self._tell(Waiting(self.name, other))

        take = in_background(
            lambda: self.host.lock(holder, wait_s=wait_s, on_wait=on_wait, preempt=request.preempts)
        )
        try:
            self._lock = take(interrupt)
        except Locked as error:
            if not request.preempts:
                error.hint += (
                    f" In an incident `restoops rollback {request.environment} --preempt` ends it "
                    "and goes first."
                )
            raise

    def give_lock_back(self) -> None:
        """Let others have the host; without a lock this does nothing."""
        lock, self._lock = self._lock, None
        if lock:
            lock.release()

    def observe(self) -> HostState:
        """Return what is there, and remember what serves."""
        state = self.host.observe(with_logs=False)
        self._previous = self._serves = state.serving.release if state.serving else None
        return state

    def recover(self, state: HostState, *, may_finish: bool) -> HostState:
        """Put right a run that was cut off: finish it where its release serves, or undo it."""
        run = state.open_run
        if run is None:
            return state
        is_ahead = has_switched(run, state) and not run.going_back
        if is_ahead and not may_finish:
            run = replace(run, going_back=True)
            self.host.open_run(run)
        finishes = is_ahead and may_finish
        self._tell(Recovering(self.name, run, finishes))
        self.host.clear_release_command()
        self._executor.apply(plan_recovery(run, state, self._wishes))
        self._close(run, "finished" if finishes else "undone")
        self._executor.done.clear()
        self._executor.cut = 0
        return self.observe()

    def prepare(self, plan: SwapPlan, state: HostState, interrupt: Interrupt) -> None:
        """Do all that clients do not notice; `interrupt` may call it off.

        Raises:
            RestoopsError: a step failed; `undo` takes back what was done.
        """
        self.plan = plan
        if plan.moves:
            run = self._new_run(plan, state)
            self.host.open_run(run)
            self._run, self._ending = run, Ending.UNDONE
        elif plan.steps:
            interrupt.note(f"{plan.release.tag} serves, and its proxy may have been changed")
        if plan.bake:
            self._executor.watch.begin()
        self._apply(plan.prepare, interrupt)

    def run_command(self, command: tuple[str, ...], timeout_s: float, interrupt: Interrupt) -> None:
        """Run a command once in the image of the new release, and tell what it prints.

        Raises:
            StepFailed: it ended with a status other than 0, or took too long.
        """
        assert self.plan  # noqa: S101  prepare() has set it
        release = self.plan.release

        def hear(line: str) -> None:
            self._output.append(line)
            self._tell(Output(self.name, line))

        work = in_background(
            lambda: self.host.run_release(release, command, timeout_s=timeout_s, on_line=hear)
        )
        try:
            status = work(interrupt)
        except Interrupted:
            self.host.clear_release_command()
            raise
        if status:
            raise StepFailed(
                f"{self.name}: the release command ended with status {status}",
                hint="Nothing was switched. What it printed is above; `release.command` is what "
                "was run.",
            )

    def make_sure(self) -> None:
        """Ask the host for a sign of life, so that one that is gone is known before the switch."""
        if self.plan and self.plan.bake:
            self._executor.watch.before_switch(self.plan.new)
        else:
            self.host.traffic()

    def switch(self, interrupt: Interrupt) -> None:
        """Send traffic to the new release and see it answer."""
        assert self.plan  # noqa: S101  prepare() has set it
        self._apply(self._noting(self.plan.switch), interrupt)
        self._ending, self._serves = Ending.DONE, self.plan.release

    def bake(self, interrupt: Interrupt, for_s: float | None = None) -> Figures | None:
        """Watch the new release under traffic; return what clients met with, if it was watched.

        It is watched as long as was planned, or for `for_s` seconds.

        Raises:
            StepFailed: it died or errs; `undo` goes back to the release before.
        """
        if self.plan and (step := self.plan.bake):
            limits = step.limits if for_s is None else replace(step.limits, for_s=for_s)
            self._apply((replace(step, limits=limits),), interrupt)
        return self._executor.watch.figures

    def settle(self, interrupt: Interrupt) -> None:
        """Retire the release before, and write the run into the history.

        Raises:
            NeedsAttention: the new release serves, but this did not work.
        """
        assert self.plan  # noqa: S101  prepare() has set it
        assert self._run  # noqa: S101  and that
        try:
            self._apply(self.plan.settle, interrupt)
            self._close(self._run, "done")
        except Interrupted:
            raise
        except RestoopsError as error:
            self._error = error.message
            hint = self._perhaps_preempted(error) or error.hint
            raise not_settled(self.plan.release, error, hint) from error
        self._run = None

    def serves_new(self) -> bool:
        """Return whether traffic goes to the release of the run that is open here."""
        assert self._run  # noqa: S101  callers ask `is_open` first
        return has_switched(self._run, self.host.observe(with_logs=False))

    def leave_interrupted(self, *, finish: bool) -> None:
        """Undo the run, or finish it when traffic has moved everywhere, without waiting long."""
        assert self._run  # noqa: S101  callers ask `is_open` first
        run, wishes = self._run, self._hasty()
        state = self.host.observe(with_logs=False)
        if finish:
            self._undisturbed(plan_recovery(run, state, wishes))
        else:
            self._go_back(run, state, wishes)
        self._close(run, "finished" if finish else "interrupted")
        self._run = None
        self._ending = Ending.FINISHED if finish else Ending.UNDONE
        self._serves = run.release if finish else _served_before(run, state)

    def undo(self, error: RestoopsError) -> RestoopsError:
        """Leave the release before serving; return the error that the operator is to see."""
        self._error, self._ending = error.message, Ending.UNDONE
        run = self._run
        if run is None:
            return error
        try:
            state = self.host.observe(with_logs=False)
            self._go_back(run, state, self._wishes)
            self._close(run, "failed", error.message)
        except RestoopsError as second:
            self._ending = Ending.UNCLEAR if self._has_switched else Ending.UNDONE
            hint = self._perhaps_preempted(second)
            return not_undone(error, second, run.previous, hint, switched=self._has_switched)
        self._run, self._serves = None, _served_before(run, state)
        if isinstance(error, Unreachable):
            return StepFailed(error.message, hint=error.hint, details=error.details)
        return error

    def _tell(self, event: Event) -> None:
        self._executor.tell(event)

    def _apply(self, steps: Iterable[Step], interrupt: Interrupt) -> None:
        self._executor.interrupt = interrupt
        self._executor.apply(steps)

    def _noting(self, steps: Iterable[Step]) -> Iterator[Step]:
        for step in steps:
            self._has_switched |= isinstance(step, Switch)
            yield step

    def _new_run(self, plan: SwapPlan, state: HostState) -> OpenRun:
        request = self._request
        return OpenRun(
            id=request.id,
            kind=request.kind,
            release=plan.release,
            who=request.who,
            origin=request.origin,
            started_at=request.started_at,
            old=plan.old,
            new=plan.new,
            started_new=plan.starts_new,
            previous=state.serving.release if state.serving else None,
            was_covered=state.proxy is not None and state.proxy.covering,
        )

    def _go_back(self, run: OpenRun, state: HostState, wishes: Wishes) -> None:
        if self._has_switched:
            self.host.open_run(replace(run, going_back=True))
        self._undisturbed(plan_return(run, state, wishes))

    def _hasty(self) -> Wishes:
        """Wait for requests of the old release only briefly; let the host stop it later."""
        warm_s = max(self._wishes.warm_s, int(self._wishes.drain_s) + 1)
        return replace(self._wishes, drain_s=min(self._wishes.drain_s, _HASTE_S), warm_s=warm_s)

    def _perhaps_preempted(self, error: RestoopsError) -> str:
        """Return what to look at when the connection was lost: it is how pre-emption shows here."""
        if not isinstance(error, Unreachable):
            return ""
        where = self._request.environment
        return (
            f"If another run has pre-empted this one, `restoops history {where}` shows that run, "
            f"and `restoops status {where}` what serves now."
        )

    def _undisturbed(self, steps: tuple[Step, ...]) -> None:
        """Carry out steps that put things right; a second signal does not stop them."""
        self._tell(PuttingRight(self.name))
        self._apply(steps, Interrupt())

    def _close(
        self,
        run: OpenRun,
        outcome: Literal["done", "failed", "interrupted", "finished", "undone"],
        error: str = "",
    ) -> None:
        executor = self._executor
        self.host.close_run(
            Record(
                run=run,
                outcome=outcome,
                ended_at=executor.clock.now(),
                error=error,
                cut=executor.cut,
                log=tuple(executor.done),
                output=tuple(self._output[-_OUTPUT_LINES:]),
            )
        )


def _served_before(run: OpenRun, state: HostState) -> Release | None:
    """Return what serves when `run` is undone: nothing where no proxy runs, as it was found."""
    return run.previous if state.proxy and state.proxy.running else None


def not_settled(release: Release, error: RestoopsError, hint: str) -> RestoopsError:
    """Return the error for a host on which `release` serves, but what is left to do failed."""
    return NeedsAttention(
        f"{release.tag} serves, but then: {error.message}",
        hint=f"The next deploy or rollback finishes what is left. {hint}",
        details=error.details,
    )


def not_undone(
    first: RestoopsError,
    second: RestoopsError,
    previous: Release | None,
    hint: str = "",
    *,
    switched: bool,
) -> RestoopsError:
    """Return the error for a host on which `first` failed, and then going back from it."""
    what = "The next deploy or rollback puts it right; `restoops status` shows what serves."
    hint = f"{what} {hint}".rstrip()
    if switched:
        return NeedsAttention(
            f"{first.message}; and going back failed: {second.message}", hint=hint
        )
    return StepFailed(
        f"{first.message}; {serving(previous)}, but not all was tidied up",
        hint=hint,
        details=first.details,
    )


def serving(release: Release | None) -> str:
    """Return in words what serves."""
    return f"{release.tag} serves" if release else "no release is live, as before"
