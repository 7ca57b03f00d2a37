"""One run on all hosts of an environment, phase by phase: what one host does concerns the others.

Prepare everywhere with no traffic, switch everywhere at once, settle. The threads are those of
`flows.background`: one for each host, and at most `parallel` of them at work.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from restoops.errors import (
    Interrupted,
    NeedsAttention,
    RestoopsError,
    StepFailed,
    Unreachable,
)
from restoops.flows.background import side_by_side
from restoops.flows.bake import erring_together
from restoops.flows.deadline import Deadline
from restoops.flows.interrupt import Interrupt
from restoops.flows.locks import take_locks
from restoops.flows.part import Part
from restoops.flows.pause import pause
from restoops.flows.rollout import Rollout, Surroundings, gravest
from restoops.flows.session import Request, serving
from restoops.model import HostState
from restoops.plan.bake import Figures
from restoops.plan.bluegreen import SwapPlan
from restoops.plan.fleet import (
    Ending,
    HostResult,
    Undone,
    differ,
    finishes,
    in_batches,
    undoing,
)
from restoops.report.events import Batches, BatchStarted, Pausing

_T = TypeVar("_T")


class Fleet:
    """The hosts of a run."""

    def __init__(
        self,
        sessions: Sequence[Part],
        request: Request,
        rollout: Rollout,
        surroundings: Surroundings,
    ) -> None:
        self.sessions = tuple(sessions)
        self.interrupt = surroundings.interrupt
        self.tell = surroundings.tell
        self.undone: Undone | None = None
        """The deploy that had been cut off and was, or in a dry run would be, undone first."""
        self.outside = surroundings.outside
        self._around = surroundings
        self._absent = surroundings.absent
        self._request = request
        self._rollout = rollout

    @property
    def results(self) -> tuple[HostResult, ...]:
        """What serves on each host, as far as is known."""
        away = (
            HostResult(host, Ending.UNREACHED, None, error.message)
            for host, error in self._absent.items()
        )
        return (*(session.result for session in self.sessions), *away)

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names of the hosts."""
        return _names(self.sessions)

    @property
    def cut(self) -> int:
        """Requests that were still running when drains came to their deadline."""
        return sum(session.standing.cut for session in self.sessions)

    @contextlib.contextmanager
    def locked(self) -> Iterator[Mapping[Part, HostState]]:
        """Hold the locks of all hosts and give their states, with no earlier run left open.

        A dry run takes no lock and puts nothing right; it sees the states as they are.

        Raises:
            Locked: another run has one of them; none is kept.
        """
        try:
            try:
                if not self._request.dry_run:
                    take_locks(
                        self.sessions,
                        self._around,
                        wait_s=self._request.wait_s,
                        parallel=self._rollout.parallel,
                    )
            except RestoopsError:
                self.interrupt.check()  # a host given up because of a signal is no news
                raise
            states = self.observed()
            self.undone = undoing(states.values()) or self.undone
            if not self._request.dry_run:
                states = self._recovered(states)
            yield states
        finally:
            self._each(lambda session: session.give_lock_back(), self.sessions)

    def observed(self) -> Mapping[Part, HostState]:
        """Look at all hosts, and change nothing."""
        done, failed = side_by_side(
            lambda session: session.observe(),
            self.sessions,
            at_once=self._rollout.parallel,
            interrupt=self.interrupt,
        )
        if failed:
            self.interrupt.check()  # a host given up because of a signal is no news
            raise gravest(failed)
        return done

    def carry_out(
        self,
        plans: Mapping[Part, SwapPlan],
        states: Mapping[Part, HostState],
    ) -> None:
        """Make the plans' release live on every host, or do with all of them as the policy says.

        Raises:
            StepFailed: a host failed; the release before serves and nothing is left behind.
            Interrupted: a signal; the run was undone, or finished when traffic had moved.
            NeedsAttention: hosts differ, or nobody can say what one serves.
        """
        deadline = Deadline(self._rollout.deadline_s, self.interrupt.ask)
        try:
            with deadline:
                ready: Sequence[Part] = self._prepare(plans, states)
                ready = self._run_command(ready)
                self._switch(ready, deadline)
            self._ask_outside(ready)
            self._bake([session for session in ready if session.is_open], ready)
            self._settle(ready)
        except Interrupted as error:
            left = self._leave(error)
            if not deadline.has_passed:
                raise left from error
            raise StepFailed(
                f"given up after {deadline.limit_s:g} s: {left.message}",
                hint="`fleet.deadline_s` is how long a run may take until its last hosts switch. "
                f"{left.hint}".rstrip(),
            ) from error

    def tell_batches(self, plans: Mapping[Part, SwapPlan], *, dry_run: bool) -> None:
        """Say which hosts are to switch together, when not all of them are."""
        moving = [session for session in self.sessions if plans[session].moves]
        batches = in_batches(moving, self._rollout.batch)
        if len(batches) > 1:
            hosts = tuple(_names(batch) for batch in batches)
            self.tell(Batches(hosts, self._rollout.pause_s, dry_run))

    @property
    def _total(self) -> int:
        return len(self.sessions) + len(self._absent)

    @property
    def _lost(self) -> int:
        """Hosts that were never reached, or that the run has been undone on already."""
        return len(self._absent) + sum(bool(it.result.error) for it in self.sessions)

    def _recovered(self, states: Mapping[Part, HostState]) -> Mapping[Part, HostState]:
        """Put right what earlier runs left, in the same way on all hosts."""
        runs = {state.open_run.id: state.open_run for state in states.values() if state.open_run}
        if not runs:
            return states
        may = {number: finishes(run, states.values()) for number, run in runs.items()}

        def recover(session: Part) -> HostState:
            state = states[session]
            may_finish = bool(state.open_run and may[state.open_run.id])
            return session.recover(state, may_finish=may_finish)

        self.interrupt.note("an earlier run that was cut off is still to be put right")
        recovered = self._all(recover)
        self.interrupt.note("an earlier run was put right, and nothing else was changed")
        return recovered

    def _prepare(
        self, plans: Mapping[Part, SwapPlan], states: Mapping[Part, HostState]
    ) -> tuple[Part, ...]:
        """Prepare every host; return those that can switch."""
        policy, total, lost = self._rollout.policy, self._total, self._lost
        rest = Interrupt(self.interrupt)
        failures: list[str] = []

        def prepare(session: Part) -> None:
            try:
                session.prepare(plans[session], states[session], rest)
                session.make_sure()
            except RestoopsError as error:
                failures.append(session.name)
                if not isinstance(error, Interrupted) and not policy.may_switch(
                    total, len(failures) + lost
                ):
                    rest.ask()
                raise

        _, failed = self._each(prepare, self.sessions)
        return self._going_on(self.sessions, failed)

    def _going_on(
        self, sessions: Sequence[Part], failed: Mapping[Part, RestoopsError]
    ) -> tuple[Part, ...]:
        """Return those of `sessions` that can switch, if the policy lets them."""
        self._leave_if_cut_off(failed)
        total, lost = self._total, len(failed) + self._lost
        if failed and not self._rollout.policy.may_switch(total, lost):
            raise self._undone(failed, sessions)
        self._undo(failed, tuple(failed))
        return tuple(s for s in sessions if s not in failed and s.is_open)

    def _run_command(self, ready: Sequence[Part]) -> Sequence[Part]:
        """Run the release command of a deploy, once; when it fails nothing is switched.

        It can take minutes: the hosts are asked for a sign of life again, and those are returned
        that gave one.
        """
        how = self._rollout
        if not how.command or self._request.kind != "deploy" or not ready:
            return ready
        try:
            ready[0].run_command(how.command, how.command_timeout_s, self.interrupt)
        except Interrupted:
            raise
        except RestoopsError as error:
            raise self._undone({ready[0]: error}, ready) from error
        return self._going_on(ready, self._each(lambda session: session.make_sure(), ready)[1])

    def _switch(self, ready: Sequence[Part], deadline: Deadline) -> None:
        """Switch batch by batch; decide what a failure means for the others.

        From the last batch on there is nothing to be given up any more: what is left to do has
        limits of its own, and takes as long when the run is undone.
        """
        policy, total = self._rollout.policy, self._total
        failed: dict[Part, RestoopsError] = {}
        left = list(ready)
        lost = self._lost
        batches = in_batches(ready, self._rollout.batch)
        for number, batch in enumerate(batches, 1):
            if number > 1:
                self.interrupt.check()
                if self._rollout.pause_s:
                    self.tell(Pausing(self._rollout.pause_s, number, len(batches)))
                with deadline.suspended():
                    self._watch_pause([s for s in ready if s not in {*left, *failed}], ready)
            if len(batch) == len(left):
                deadline.end()
                self.interrupt.check()
            if len(batches) > 1:
                self.tell(BatchStarted(number, len(batches), _names(batch)))
            failed |= self._each(lambda session: session.switch(self.interrupt), batch)[1]
            self._leave_if_cut_off(failed)
            left = [session for session in left if session not in batch]
            if failed and policy.goes_back(total, len(failed) + lost):
                raise self._undone(failed, ready)
            if policy.halts(len(failed)):
                break
        self._undo(failed, (*failed, *left))

    def _watch_pause(self, switched: Sequence[Part], ready: Sequence[Part]) -> None:
        """Let the pause between two batches pass, and watch meanwhile if that was asked for."""
        clock = self._around.clock
        end = clock.monotonic() + self._rollout.pause_s
        if self._rollout.pause_s and switched:
            self._bake(switched, ready, self._rollout.pause_s)
        pause(end - clock.monotonic(), clock, self.interrupt)

    def _bake(
        self, switched: Sequence[Part], ready: Sequence[Part], for_s: float | None = None
    ) -> None:
        """Watch the new release where it serves; when it errs on any host, all of `ready` go back.

        All hosts are watched at the same time, however many: it is mostly waiting. One that is
        lost meanwhile is no fault of the release: settling will tell of it.
        """
        rest = Interrupt(self.interrupt)

        def bake(session: Part) -> Figures | None:
            try:
                return session.bake(rest, for_s)
            except (StepFailed, NeedsAttention):
                rest.ask()
                raise

        seen, failed = side_by_side(bake, switched, at_once=max(1, len(switched)))
        self._leave_if_cut_off(failed)
        erring = {s: it for s, it in failed.items() if not isinstance(it, Unreachable)}
        limits = next((s.plan.bake.limits for s in switched if s.plan and s.plan.bake), None)
        if not erring and limits and (fault := erring_together(seen.values(), limits)):
            erring[switched[0]] = fault
        if erring:
            raise self._undone(erring, ready)

    def _ask_outside(self, ready: Sequence[Part]) -> None:
        """Ask the public address, once; when it answers badly all of `ready` go back."""
        if switched := [session for session in ready if session.is_open]:
            served = any(session.previous for session in self.sessions)
            try:
                self.outside.check(self.interrupt, self._around.clock, served=served)
            except StepFailed as error:
                raise self._undone({switched[0]: error}, ready) from error

    def _settle(self, ready: Sequence[Part]) -> None:
        switched = [session for session in ready if session.is_open]
        _, failed = self._each(lambda session: session.settle(self.interrupt), switched)
        self._leave_if_cut_off(failed)
        if failed:
            raise gravest(failed)
        if lost := [result for result in self.results if result.error]:
            raise self._verdict(StepFailed("; ".join(result.error for result in lost)))

    def _leave_if_cut_off(self, failed: Mapping[Part, RestoopsError]) -> None:
        """Leave the phase when it failed because of a signal; one that came too late is nothing."""
        if any(isinstance(error, Interrupted | Unreachable) for error in failed.values()):
            self.interrupt.check()

    def _undo(
        self, failed: Mapping[Part, RestoopsError], sessions: Sequence[Part]
    ) -> dict[Part, RestoopsError]:
        """Leave the release before serving on `sessions`; return the errors to be shown."""
        first = gravest(failed) if failed else StepFailed("called off")
        called_off = StepFailed(f"called off: {first.message}")

        def undo(session: Part) -> RestoopsError:
            error = failed.get(session, called_off)
            return session.undo(called_off if isinstance(error, Interrupted) else error)

        shown, broken = self._each(undo, sessions)
        return {**failed, **shown, **broken}

    def _undone(
        self, failed: Mapping[Part, RestoopsError], sessions: Sequence[Part]
    ) -> RestoopsError:
        errors = self._undo(failed, sessions)
        genuine = {s: errors[s] for s, it in failed.items() if not isinstance(it, Interrupted)}
        return self._verdict(gravest(genuine))  # others were only called off because of these

    def _verdict(self, error: RestoopsError) -> RestoopsError:
        """Return `error`, or a graver one when hosts are left with different releases."""
        if self._total == 1 or not differ(self.results):
            return error
        where = "; ".join(f"{result.host}: {serving(result.serves)}" for result in self.results)
        return NeedsAttention(
            f"hosts differ: {error.message}",
            hint=f"{where}. A deploy or rollback brings them together. {error.hint}".rstrip(),
            details=error.details,
        )

    def _leave(self, error: Interrupted) -> Interrupted:
        """Undo the run on all hosts, or finish it when traffic has moved on every one."""
        begun = [session for session in self.sessions if session.is_open]
        serves_new, unknown = self._each(lambda session: session.serves_new(), begun)
        finish = not unknown and all(serves_new.values()) and bool(begun)
        _, failed = self._each(lambda session: session.leave_interrupted(finish=finish), begun)
        hint = "The next deploy or rollback puts it right; `restoops status` shows what serves now."
        if failed:
            worst = gravest(failed)
            where = ", ".join(session.name for session in failed)
            return Interrupted(
                f"{where}: interrupted, and not put right: {worst.message}", hint=hint
            )
        if not begun:
            return error
        what = "finished: traffic had moved already" if finish else "undone"
        serves = {serving(session.result.serves) for session in begun}
        where = ", ".join(session.name for session in begun)
        return Interrupted(f"{where}: interrupted and {what}; {'; '.join(sorted(serves))}")

    def _all(self, work: Callable[[Part], _T]) -> dict[Part, _T]:
        """Do `work` on every host, or raise the gravest of what went wrong."""
        done, failed = self._each(work, self.sessions)
        if failed:
            raise gravest(failed)
        return done

    def _each(
        self, work: Callable[[Part], _T], sessions: Sequence[Part]
    ) -> tuple[dict[Part, _T], dict[Part, RestoopsError]]:
        """Do `work` on `sessions` side by side; return what came of it, and what went wrong."""
        return side_by_side(work, sessions, at_once=self._rollout.parallel)


def _names(sessions: Iterable[Part]) -> tuple[str, ...]:
    return tuple(session.name for session in sessions)
