"""What a rollback goes back to, and whether it can."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from restoops.errors import Refused, Unreachable
from restoops.flows.part import Part
from restoops.model import Digest, HostState, Release
from restoops.plan.bluegreen import SwapPlan, Wishes, plan_rollback
from restoops.plan.fleet import Undone, common_history, release_before
from restoops.plan.recovery import plan_recovery
from restoops.plan.retention import past_releases
from restoops.plan.rollback import find

Proposal = tuple[Release, Release | None]
"""What to go back to, and what from."""


@dataclass(frozen=True, slots=True)
class Aim:
    """What to go back to: the release that is named, or else what the undone deploy found."""

    tag: str | None
    undone: Undone | None = None

    @property
    def by_undoing(self) -> Undone | None:
        """The deploy to undo, when that is all that going back means."""
        return self.undone if self.tag is None and self.undone and self.undone.serves else None


@dataclass(frozen=True, slots=True)
class WayBack:
    """A release, and the steps to it on each host."""

    release: Release
    plans: Mapping[Part, SwapPlan]
    proposal: Proposal | None
    """What the operator has to agree to; None when there is nothing to do."""


def way_back(
    states: Mapping[Part, HostState],
    aim: Aim,
    wishes: Wishes,
    can_pull: Callable[[Digest], bool],
) -> WayBack:
    """Return what to go back to, and how.

    `can_pull` is asked only when the image is not on every host.

    Raises:
        Refused: there is no such release, or its image is gone.
        Unreachable: its image is not on a host, and the registry cannot be asked for it.
    """
    found, undone = tuple(states.values()), aim.by_undoing
    release = undone.serves if undone and undone.serves else choose(found, aim.tag)
    _check_it_is_there(found, release, can_pull)
    plans = {s: _plan_back(state, release, wishes, undone) for s, state in states.items()}
    if not any(plan.steps for plan in plans.values()):
        return WayBack(release, plans, None)
    leaving = undone.deploy if undone else _leaving(found, release)
    return WayBack(release, plans, (release, leaving))


def _plan_back(
    state: HostState, release: Release, wishes: Wishes, undone: Undone | None
) -> SwapPlan:
    """Return the steps of a rollback; before hosts are locked those that undo a deploy."""
    run = state.open_run
    if not undone or run is None:
        return plan_rollback(state, release, wishes)
    steps = plan_recovery(replace(run, going_back=True), state, wishes)
    return SwapPlan(release, state.live, state.live or run.new, steps, starts_new=False)


def choose(states: Sequence[HostState], tag: str | None) -> Release:
    """Return the release to go back to, the same for all hosts.

    Raises:
        Refused: there is none, or none of that name; the message lists those that there are.
    """
    history = common_history(states)
    known = ", ".join(record.run.release.tag for record in past_releases(history)[:10])
    hint = f"Known releases: {known}." if known else "Nothing was deployed here yet."
    where = ", ".join(state.host for state in states)
    if tag is None:
        release = release_before(states)
        if release is None:
            raise Refused(f"{where}: there is no earlier release to go back to", hint=hint)
        return release
    found = find(history, tag)
    if found is None:
        raise Refused(f"{where}: {tag} never was live here", hint=hint)
    return found


def _check_it_is_there(
    states: Sequence[HostState],
    release: Release,
    can_pull: Callable[[Digest], bool],
) -> None:
    lacking = [state.host for state in states if not _has(state, release)]
    if not lacking:
        return
    where = ", ".join(lacking)
    hint = "`restoops rollback --list` shows what can be gone back to."
    try:
        if can_pull(release.digest):
            return
    except Unreachable as error:
        raise Unreachable(
            f"{where}: {release.tag} is not on the host, and the registry could not be asked "
            f"for it: {error.message}",
            hint=f"{error.hint} {hint}".lstrip(),
        ) from error
    raise Refused(
        f"{where}: {release.tag} is gone: neither on the host nor in the registry", hint=hint
    )


def _has(state: HostState, release: Release) -> bool:
    return release.digest in state.images or state.running(release.digest) is not None


def _leaving(states: Sequence[HostState], release: Release) -> Release | None:
    """Return what serves now and will not after the rollback, to be named in the question."""
    found = [state.serving.release for state in states if state.serving]
    return next((one for one in found if one.digest != release.digest), next(iter(found), None))
