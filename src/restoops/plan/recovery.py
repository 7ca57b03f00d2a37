"""The steps that put right a run that was cut off, or that failed."""

from __future__ import annotations

from restoops.model import Color, HostState, OpenRun
from restoops.plan.bluegreen import Wishes, repair, retire, trim
from restoops.plan.steps import Drain, KeepWarm, Remove, Step, Switch, Uncover


def has_switched(run: OpenRun, state: HostState) -> bool:
    """Return whether traffic goes to the release of `run`.

    What was in its slot before may stand in for a release that died: that is no switch.
    """
    return state.live is run.new and state.answering is run.new


def plan_recovery(run: OpenRun, state: HostState, wishes: Wishes) -> tuple[Step, ...]:
    """Return the steps that finish `run` when its release serves, and that undo it otherwise."""
    if has_switched(run, state) and not run.going_back:
        left = retire(run.old, state, wishes, covers=run.kind == "deploy")
        return (*repair(state), _assert(run.new, state), *left, *trim(state, wishes))
    first = repair(state) if run.old else ()
    return (*first, *plan_return(run, state, wishes))


def plan_return(run: OpenRun, state: HostState, wishes: Wishes) -> tuple[Step, ...]:
    """Return the steps that leave the release before `run` serving and nothing of `run` behind."""
    # The switch is asserted first, so that a proxy restarted in the midst reads the right file.
    if _stands_by(run, state):
        # Nothing was changed yet, and what is there may be all that answers.
        return (_assert(run.old, state, covered=True),)
    again = (KeepWarm(run.new, max(1, wishes.warm_s), covers=True),) if run.was_covered else ()
    if not run.started_new:
        return (_assert(run.old, state), Drain(run.new, wishes.drain_s), *again)
    found = state.containers.get(run.new)
    if found and found.release != run.release:
        # It was warm before the run, which has not come so far as to replace it.
        return (_assert(run.old, state, covered=run.was_covered), *again)
    surplus = trim(state, wishes, without=run.new, undone=run.id)
    if run.old is None:
        return (_assert(None, state), Remove(run.new), *surplus)
    drain = Drain(run.new, wishes.drain_s, stops=True)
    return (_assert(run.old, state), Uncover(run.new), drain, Remove(run.new), *surplus)


def _assert(to: Color | None, state: HostState, *, covered: bool = False) -> Switch:
    return Switch(to, covered, keeps=state.live is to)


def _stands_by(run: OpenRun, state: HostState) -> bool:
    """Return whether the slot of the new release still is in reserve for the old one."""
    is_covered = state.proxy is not None and state.proxy.covering
    return is_covered and run.old is not None and state.live is run.old
