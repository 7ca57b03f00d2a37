"""Deploy and roll back on one host."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from restoops.errors import Refused
from restoops.flows.interrupt import Interrupt
from restoops.flows.session import Request, Session
from restoops.model import Digest, HostState, Release
from restoops.plan.bluegreen import SwapPlan, Wishes, plan_deploy, plan_rollback
from restoops.plan.retention import past_releases
from restoops.plan.rollback import find, last_good
from restoops.plan.steps import KeepWarm
from restoops.report.events import Planned, RunEnded, RunStarted


@dataclass(frozen=True, slots=True)
class Swap:
    """All that deploy and rollback need to know and to do things with."""

    session: Session
    request: Request
    wishes: Wishes
    seconds: Callable[[], float]
    """Seconds since the command was started."""


def deploy(swap: Swap, resolve: Callable[[Interrupt], Release]) -> None:
    """Make the release live that `resolve` finds, once, in the registry."""
    with swap.session.locked() as state:
        _carry_out(swap, state, plan_deploy(state, resolve(swap.session.interrupt), swap.wishes))


def rollback(
    swap: Swap,
    tag: str | None,
    *,
    confirm: Callable[[Release, Release | None], None],
    can_pull: Callable[[Digest], bool],
) -> None:
    """Make an earlier release live: the one that `tag` names, or the last good one.

    `can_pull` is asked only when the image is not on the host. `confirm` raises Refused when
    the operator says no.

    Raises:
        Refused: there is no such release, or its image is gone.
    """
    with swap.session.locked() as state:
        release = choose(state, tag)
        is_here = release.digest in state.images or state.running(release.digest)
        if not is_here and not can_pull(release.digest):
            raise Refused(
                f"{state.host}: {release.tag} is gone: neither on the host nor in the registry",
                hint="`restoops rollback --list` shows what can be gone back to.",
            )
        plan = plan_rollback(state, release, swap.wishes)
        if plan.steps and not swap.request.dry_run:
            confirm(release, _serving(state))
        _carry_out(swap, state, plan)


def choose(state: HostState, tag: str | None) -> Release:
    """Return the release to go back to.

    Raises:
        Refused: there is none, or none of that name; the message lists those that there are.
    """
    known = ", ".join(record.run.release.tag for record in past_releases(state.history)[:10])
    if tag is None:
        release = last_good(state)
        if release is None:
            raise Refused(
                f"{state.host}: there is no earlier release to go back to",
                hint=f"Known releases: {known}." if known else "Nothing was deployed here yet.",
            )
        return release
    found = find(state.history, tag)
    if found is None:
        raise Refused(
            f"{state.host}: {tag} never was live here",
            hint=f"Known releases: {known}." if known else "Nothing was deployed here yet.",
        )
    return found


def _carry_out(swap: Swap, state: HostState, plan: SwapPlan) -> None:
    request, previous = swap.request, _serving(state)
    swap.session.tell(RunStarted(request.kind, request.environment, plan.release, (state.host,)))
    swap.session.tell(Planned(state.host, previous, plan.steps, request.dry_run))
    moves = plan.old is not plan.new
    if not request.dry_run:
        if moves:
            swap.session.carry_out(plan, state)
        else:
            swap.session.repair(plan)
    warm = next((step.for_s for step in plan.steps if isinstance(step, KeepWarm)), 0)
    swap.session.tell(
        RunEnded(
            kind=request.kind,
            environment=request.environment,
            host=state.host,
            release=plan.release,
            previous=previous if moves else None,
            seconds=round(swap.seconds(), 2),
            changed=moves and not request.dry_run,
            dry_run=request.dry_run,
            cut=swap.session.cut,
            warm_s=warm,
        )
    )


def _serving(state: HostState) -> Release | None:
    return state.serving.release if state.serving else None
