"""Deploy and roll back on all hosts of an environment."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from restoops.errors import Refused, RestoopsError
from restoops.flows.background import in_background
from restoops.flows.fleet import Fleet
from restoops.flows.hooks import Hooks, facts_of
from restoops.flows.interrupt import Interrupt
from restoops.flows.part import Part
from restoops.flows.probing import Probing
from restoops.flows.session import Request
from restoops.flows.way_back import Aim, Proposal, WayBack, way_back
from restoops.model import Digest, HostState, Release
from restoops.plan.bluegreen import SwapPlan, Wishes, plan_deploy
from restoops.plan.fleet import undoing
from restoops.plan.steps import KeepWarm
from restoops.report.events import AskingAgain, FleetEnded, Planned, RunEnded, RunStarted


@dataclass(frozen=True, slots=True)
class Swap:
    """All that deploy and rollback need to know and to do things with."""

    fleet: Fleet
    request: Request
    wishes: Wishes
    seconds: Callable[[], float]
    """Seconds since the command was started."""
    hooks: Hooks = field(default_factory=Hooks)
    probing: Probing | None = None

    @property
    def requests(self) -> int:
        """Requests of the probe; 0 when it sent none, or has not ended."""
        probed = self.probing and self.probing.probed
        return probed.requests if probed else 0

    @property
    def failed(self) -> int:
        """How many of them failed."""
        probed = self.probing and self.probing.probed
        return probed.failed if probed else 0


def deploy(swap: Swap, resolve: Callable[[Interrupt], Release]) -> None:
    """Make the release live that `resolve` finds, once, in the registry."""
    with swap.fleet.locked() as states:
        release = resolve(swap.fleet.interrupt)
        plans = {s: plan_deploy(state, release, swap.wishes) for s, state in states.items()}
        _carry_out(swap, states, plans, release)


def renew(swap: Swap) -> None:
    """Deploy what serves again, with the settings and secrets of today; done already, nothing.

    Raises:
        Refused: nothing serves, or hosts serve different releases.
    """
    with swap.fleet.locked() as states:
        release = _serves(states)
        plans = {s: plan_deploy(state, release, swap.wishes) for s, state in states.items()}
        _carry_out(swap, states, plans, release)


def _serves(states: Mapping[Part, HostState]) -> Release:
    serving = {state.serving.release if state.serving else None for state in states.values()}
    by_digest = {it.digest if it else None: it for it in serving}
    found = next(iter(by_digest.values()), None) if len(by_digest) == 1 else None
    if found is None:
        raise Refused(
            "hosts do not all serve the same release: nothing can be deployed again",
            hint="`restoops status` shows what serves; a deploy brings them together.",
        )
    return found


def rollback(
    swap: Swap,
    tag: str | None,
    *,
    confirm: Callable[[Release, Release | None], None] | None,
    can_pull: Callable[[Digest], bool],
) -> None:
    """Make an earlier release live: the one that `tag` names, or the last good one.

    `confirm` asks the operator, with what to go to and what from; None when that is not wanted.
    It is asked before a lock is taken, a run is pre-empted or one is put right. When what it was
    asked for is no longer what would be done then, the locks are given back and it is asked again.

    `can_pull` is asked only when the image is not on every host; it raises Unreachable when it
    cannot tell. `confirm` raises Refused when the operator says no.

    Raises:
        Refused: there is no such release, or its image is gone.
        Unreachable: its image is not on a host, and the registry cannot be asked for it.
    """
    ask = None if swap.request.dry_run else confirm
    agreed: Proposal | None = None
    if ask:
        seen = swap.fleet.observed()
        agreed = _seek(swap, seen, Aim(tag, undoing(seen.values())), can_pull).proposal
        if agreed:
            ask(*agreed)
    while True:
        with swap.fleet.locked() as states:
            way = _seek(swap, states, _aim(swap, tag, agreed), can_pull)
            if not ask or not way.proposal or way.proposal == agreed:
                _carry_out(swap, states, way.plans, way.release)
                return
        swap.fleet.tell(AskingAgain(*way.proposal))
        ask(*way.proposal)
        agreed = way.proposal


def _seek(
    swap: Swap,
    states: Mapping[Part, HostState],
    aim: Aim,
    can_pull: Callable[[Digest], bool],
) -> WayBack:
    def ask(digest: Digest) -> bool:
        return in_background(lambda: can_pull(digest))(swap.fleet.interrupt)

    return way_back(states, aim, swap.wishes, ask)


def _aim(swap: Swap, tag: str | None, agreed: Proposal | None) -> Aim:
    """Return what to go back to now that hosts are locked.

    Who agreed to go back from what the undone deploy found, before it began, gets that.
    """
    undone = swap.fleet.undone
    if agreed and undone and agreed[0] != undone.serves:
        undone = None
    return Aim(tag, undone)


def _carry_out(
    swap: Swap,
    states: Mapping[Part, HostState],
    plans: Mapping[Part, SwapPlan],
    release: Release,
) -> None:
    fleet, request = swap.fleet, swap.request
    fleet.tell(RunStarted(request.kind, request.environment, release, fleet.hosts))
    for session, plan in plans.items():
        planned = Planned(session.name, session.previous, plan.steps, request.dry_run)
        fleet.tell(planned)
    fleet.tell_batches(plans, dry_run=request.dry_run)
    if any(plan.moves for plan in plans.values()):
        fleet.outside.announce(dry_run=request.dry_run)
    try:
        if not request.dry_run:
            _between_hooks(swap, release, lambda: _probed(swap, plans, states))
    finally:
        if len(fleet.results) > 1:
            fleet.tell(_fleet_ended(swap, release))
    if len(fleet.results) == 1:
        fleet.tell(_run_ended(swap, *next(iter(plans.items()))))


def _probed(swap: Swap, plans: Mapping[Part, SwapPlan], states: Mapping[Part, HostState]) -> None:
    fleet, probing = swap.fleet, swap.probing
    unserved = [session.name for session in plans if session.previous is None]
    with probing.telling(fleet.tell, unserved) if probing else contextlib.nullcontext():
        fleet.carry_out(plans, states)


def _between_hooks(swap: Swap, release: Release, carry_out: Callable[[], None]) -> None:
    """Carry out a deploy between its hooks; a rollback has none."""
    if swap.request.kind == "rollback":
        carry_out()
        return
    fleet, hooks = swap.fleet, swap.hooks
    facts = facts_of(swap.request, release, fleet.hosts)
    try:
        hooks.before(facts, fleet.tell, fleet.interrupt)
        carry_out()
    except RestoopsError as error:
        facts |= {"RESTOOPS_RUN_ERROR": error.message}
        # The signal that ended the deploy is no reason not to tell of it; another one is.
        hooks.after("on_failure", facts, fleet.tell, fleet.interrupt.anew())
        raise
    hooks.after("post_deploy", facts, fleet.tell, fleet.interrupt)


def _run_ended(swap: Swap, session: Part, plan: SwapPlan) -> RunEnded:
    request = swap.request
    return RunEnded(
        kind=request.kind,
        environment=request.environment,
        host=session.name,
        release=plan.release,
        previous=session.previous if plan.moves else None,
        seconds=round(swap.seconds(), 2),
        changed=plan.moves and not request.dry_run,
        dry_run=request.dry_run,
        cut=session.standing.cut,
        warm_s=next((step.for_s for step in plan.steps if isinstance(step, KeepWarm)), 0),
        undone=swap.fleet.undone.deploy if swap.fleet.undone else None,
        requests=swap.requests,
        failed=swap.failed,
    )


def _fleet_ended(swap: Swap, release: Release) -> FleetEnded:
    request = swap.request
    return FleetEnded(
        kind=request.kind,
        environment=request.environment,
        release=release,
        hosts=swap.fleet.results,
        seconds=round(swap.seconds(), 2),
        dry_run=request.dry_run,
        cut=swap.fleet.cut,
        undone=swap.fleet.undone.deploy if swap.fleet.undone else None,
        requests=swap.requests,
        failed=swap.failed,
    )
