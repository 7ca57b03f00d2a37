"""One run on one host: lock, observe, put right what was cut off, carry out a plan, record it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from restoops.adapters.connection import Holder
from restoops.errors import Interrupted, NeedsAttention, RestoopsError, StepFailed, Unreachable
from restoops.flows.background import in_background
from restoops.flows.interrupt import Interrupt
from restoops.flows.steps import Executor
from restoops.model import HostState, OpenRun, Record, Release, RunKind
from restoops.plan.bluegreen import SwapPlan, Wishes, plan_recovery, plan_return
from restoops.plan.steps import Step, Switch, Verify
from restoops.report.events import PuttingRight, Recovering, Tell, Waiting

_HASTE_S = 5.0
"""How long an interrupted run still waits for requests of the old release: CI kills after 10 s."""


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


class Session:
    """A run on one host, between taking its lock and giving it back."""

    def __init__(self, executor: Executor, request: Request, wishes: Wishes) -> None:
        self.host = executor.host
        self._executor = executor
        self._request = request
        self._wishes = wishes
        self.tell: Tell = executor.tell
        self.interrupt = executor.interrupt

    @property
    def cut(self) -> int:
        """Requests that were still running when the drain came to its deadline."""
        return self._executor.cut

    @contextlib.contextmanager
    def locked(self) -> Iterator[HostState]:
        """Hold the lock and give the state of the host, with no earlier run left open.

        A dry run takes no lock and puts nothing right; it sees the state as it is.
        """
        if self._request.dry_run:
            yield self.host.observe()
            return
        request = self._request
        holder = Holder(request.who, request.origin, request.purpose, request.started_at)
        lock = in_background(
            lambda: self.host.lock(
                holder,
                wait_s=request.wait_s,
                on_wait=lambda other: self.tell(Waiting(self.host.name, other)),
            )
        )(self._executor.interrupt)
        try:
            yield self._recovered(self.host.observe())
        finally:
            lock.release()

    def carry_out(self, plan: SwapPlan, state: HostState) -> None:
        """Make the plan's release live, or leave the one before it serving.

        Raises:
            StepFailed: a step failed; the release before serves and nothing is left behind.
            Interrupted: a signal; the run was undone, or finished when traffic had moved.
            NeedsAttention: the new release serves but a later step failed, or the connection
                was lost at the switch.
        """
        run = self._new_run(plan, state)
        self.host.open_run(run)
        steps = iter(plan.steps)
        reached: list[Step] = []
        try:
            self._executor.apply(_noting(steps, reached))
            self._close(run, "done")
        except Interrupted as error:
            raise self._end_interrupted(run) from error
        except RestoopsError as error:
            raise self._end_failed(run, reached, error) from error

    def repair(self, plan: SwapPlan) -> None:
        """Carry out steps that move no traffic to another release, such as a new proxy."""
        self._executor.apply(plan.steps)

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

    def _recovered(self, state: HostState) -> HostState:
        run = state.open_run
        if run is None:
            return state
        finishes = state.answering is run.new and not run.going_back
        self.tell(Recovering(self.host.name, run, finishes))
        self._executor.apply(plan_recovery(run, state, self._wishes))
        self._close(run, "finished" if finishes else "undone")
        self._executor.done.clear()
        self._executor.cut = 0
        return self.host.observe()

    def _end_interrupted(self, run: OpenRun) -> Interrupted:
        """Undo the run, or finish it when traffic has moved, without waiting for long."""
        name = self.host.name
        try:
            state = self.host.observe()
            finishes = state.answering is run.new
            self._undisturbed(plan_recovery(run, state, self._hasty()))
            self._close(run, "finished" if finishes else "interrupted")
        except RestoopsError as error:
            return Interrupted(
                f"{name}: interrupted, and not put right: {error.message}",
                hint="The next deploy or rollback puts it right; `restoops status` shows what "
                "serves now.",
            )
        serves = run.release if finishes else run.previous
        what = "finished: traffic had moved already" if finishes else "undone"
        return Interrupted(f"{name}: interrupted and {what}; {_serving(serves)}")

    def _hasty(self) -> Wishes:
        """Wait for requests of the old release only briefly; let the host stop it later."""
        warm_s = max(self._wishes.warm_s, int(self._wishes.drain_s) + 1)
        return replace(self._wishes, drain_s=min(self._wishes.drain_s, _HASTE_S), warm_s=warm_s)

    def _end_failed(self, run: OpenRun, reached: list[Step], error: RestoopsError) -> RestoopsError:
        switched = any(isinstance(step, Switch) and step.to is run.new for step in reached)
        verified = any(timing.step == Verify.__name__ for timing in self._executor.done)
        if verified:
            return NeedsAttention(
                f"{run.release.tag} serves, but then: {error.message}",
                hint="The next deploy or rollback finishes what is left. " + error.hint,
                details=error.details,
            )
        try:
            if switched:
                self.host.open_run(replace(run, going_back=True))
            self._undisturbed(plan_return(run, self.host.observe(), self._wishes))
            self._close(run, "failed", error.message)
        except RestoopsError as second:
            return self._not_undone(run, error, second, switched=switched)
        if isinstance(error, Unreachable):
            return StepFailed(error.message, hint=error.hint, details=error.details)
        return error

    def _not_undone(
        self, run: OpenRun, first: RestoopsError, second: RestoopsError, *, switched: bool
    ) -> RestoopsError:
        hint = "The next deploy or rollback puts it right; `restoops status` shows what serves."
        if switched:
            return NeedsAttention(
                f"{first.message}; and going back failed: {second.message}", hint=hint
            )
        return StepFailed(
            f"{first.message}; {_serving(run.previous)}, but not all was tidied up",
            hint=hint,
            details=first.details,
        )

    def _undisturbed(self, steps: tuple[Step, ...]) -> None:
        """Carry out steps that put things right; a second signal does not stop them."""
        self.tell(PuttingRight(self.host.name))
        before, self._executor.interrupt = self._executor.interrupt, Interrupt()
        try:
            self._executor.apply(steps)
        finally:
            self._executor.interrupt = before

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
            )
        )


def _noting(steps: Iterator[Step], reached: list[Step]) -> Iterator[Step]:
    for step in steps:
        reached.append(step)
        yield step


def _serving(release: Release | None) -> str:
    return f"{release.tag} serves" if release else "no release is live, as before"
