"""The steps of a swap on one host."""

from __future__ import annotations

from dataclasses import dataclass

from restoops.model import Color, Container, HostState, Proxy, Release
from restoops.plan.bake import Limits
from restoops.plan.retention import images_to_remove
from restoops.plan.secret_sets import own_set, unneeded
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

_WARM_ANSWER_S = 5.0


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the settings say about a swap."""

    spec: str
    """Fingerprint of the settings that containers are made with."""
    healthy_s: float
    successes: int
    drain_s: float
    warm_s: int
    keep: int
    bake: Limits | None = None
    """How a new release is watched after the switch; None when it is not."""
    smoke: tuple[str, ...] = ()
    """Smoke checks that a deploy puts to the new release before the switch."""
    smoke_live: tuple[str, ...] = ()
    """Those that it puts to each host after it; none when the public address is asked instead."""


@dataclass(frozen=True, slots=True)
class SwapPlan:
    """What to do on one host; no steps when the release already serves as asked."""

    release: Release
    old: Color | None
    new: Color
    steps: tuple[Step, ...]
    starts_new: bool

    @property
    def moves(self) -> bool:
        """Whether traffic goes to another container at all."""
        return self.old is not self.new

    @property
    def prepare(self) -> tuple[Step, ...]:
        """The steps before the switch, during which nothing changes for clients."""
        return self.steps[: self._switch] if self.moves else self.steps

    @property
    def switch(self) -> tuple[Step, ...]:
        """The switch, and the proof that it worked."""
        return self.steps[self._switch : self._proven] if self.moves else ()

    @property
    def bake(self) -> Bake | None:
        """The step that watches the new release under traffic, if there is one."""
        return next((step for step in self.steps if isinstance(step, Bake)), None)

    @property
    def settle(self) -> tuple[Step, ...]:
        """The steps that retire the release before."""
        if not self.moves:
            return ()
        return tuple(it for it in self.steps[self._proven :] if not isinstance(it, Bake))

    @property
    def _switch(self) -> int:
        """Return where the switch is; an earlier one only makes what answers live."""
        return max(n for n, step in enumerate(self.steps) if isinstance(step, Switch))

    @property
    def _proven(self) -> int:
        """Return where the proof of the switch ends: the answer through the proxy, smoke checks."""
        proof = (Switch, Verify, Smoke)
        return max(n for n, step in enumerate(self.steps) if isinstance(step, proof)) + 1


def plan_deploy(state: HostState, release: Release, wishes: Wishes) -> SwapPlan:
    """Return the steps that make `release` live with the settings of today."""
    serving = state.serving
    if serving and _runs(serving, release) and serving.spec == wishes.spec:
        steps = (*_settle_cover(state), *_foundation(state))
        return SwapPlan(release, serving.color, serving.color, steps, starts_new=False)
    return _plan_swap(state, release, wishes, foundation=_foundation(state))


def plan_rollback(state: HostState, release: Release, wishes: Wishes) -> SwapPlan:
    """Return the steps that make the earlier `release` live, by a switch alone when it is warm.

    A warm container counts whatever settings it was made with: it goes back as it was. The
    release that is left behind stays warm but does not stand in: it was left for a reason.
    A proxy that runs is left alone, whatever its settings: an incident is no time for that.
    """
    serving = state.serving
    if serving and _runs(serving, release):
        steps = _settle_cover(state)
        return SwapPlan(release, serving.color, serving.color, steps, starts_new=False)
    foundation = repair(state)
    warm = _warm(state)
    if warm and not foundation and _runs(warm, release):
        return _plan_switch_back(state, warm, wishes)
    return _plan_swap(state, release, wishes, foundation=foundation, covers=False)


def _plan_swap(
    state: HostState,
    release: Release,
    wishes: Wishes,
    *,
    foundation: tuple[Step, ...],
    covers: bool = True,
) -> SwapPlan:
    old = state.answering
    new = old.other if old else Color.BLUE
    steps = (
        *_settle_cover(state),
        *foundation,
        *_bring_up(state, Start(new, release, _secrets(state, release, own=not covers)), wishes),
        AwaitHealthy(new, wishes.healthy_s, wishes.successes, proven=not covers),
        *((Smoke(new, wishes.smoke),) if wishes.smoke and covers else ()),
        Switch(new, covered=covers and _can_cover(old, state)),
        Verify(new),
        *((Smoke(new, wishes.smoke_live, live=True),) if wishes.smoke_live and covers else ()),
        *((Bake(new, wishes.bake),) if wishes.bake and covers and _can_cover(old, state) else ()),
        *retire(old, state, wishes, covers=covers),
        *trim(state, wishes, without=new, plus=release),
    )
    return SwapPlan(release, old, new, steps, starts_new=True)


def _plan_switch_back(state: HostState, warm: Container, wishes: Wishes) -> SwapPlan:
    new, old = warm.color, warm.color.other
    steps = (
        *_settle_cover(state),
        # It has been proven, and HAProxy has watched it since: one more answer is enough.
        AwaitHealthy(new, min(wishes.healthy_s, _WARM_ANSWER_S), successes=1, proven=True),
        Switch(new),
        Verify(new),
        *retire(old, state, wishes, covers=False),
    )
    return SwapPlan(warm.release, old, new, steps, starts_new=False)


def _warm(state: HostState) -> Container | None:
    """Return the healthy container that is not the one that answers."""
    color = state.answering.other if state.answering else None
    is_up = state.proxy is not None and color in state.proxy.up
    return state.containers.get(color) if color and is_up else None


def trim(
    state: HostState,
    wishes: Wishes,
    *,
    without: Color | None = None,
    plus: Release | None = None,
    undone: str = "",
) -> tuple[Step, ...]:
    """Remove surplus images and secrets, when `without` has been emptied and `plus` been started.

    `undone` is the id of a run that has been taken back.
    """
    left = [c.release for c in state.containers.values() if c.color is not without]
    used = frozenset(release.digest for release in (*left, *([plus] if plus else ())))
    surplus = images_to_remove(state, wishes.keep, used=used)
    trimmed = (Trim(surplus),) if surplus else ()
    gone = unneeded(state, (state.images | used) - surplus, without=without, undone=undone)
    return (*trimmed, *((Forget(gone),) if gone else ()))


def _settle_cover(state: HostState) -> tuple[Step, ...]:
    """Make the release that stands in for a dead one live, before the dead one's slot is used."""
    return (Switch(state.answering),) if state.answering is not state.live else ()


def _secrets(state: HostState, release: Release, *, own: bool) -> str:
    """Return the secrets that a release is started with: its own, if wanted and still there."""
    found = own_set(state, release.digest) if own else None
    return found.id if found else ""


def _bring_up(state: HostState, start: Start, wishes: Wishes) -> tuple[Step, ...]:
    new, release = start.color, start.release
    fetch = () if release.digest in state.images else (Pull(release.digest),)
    make_room: tuple[Step, ...] = ()
    if new in state.containers:
        stops = state.containers[new].is_running
        make_room = (Drain(new, wishes.drain_s, stops=stops), Remove(new))
    return (*fetch, Uncover(new), *make_room, start)


def retire(
    old: Color | None, state: HostState, wishes: Wishes, *, covers: bool
) -> tuple[Step, ...]:
    """Return the steps that end what `old` is for, once nobody is sent there any more."""
    if old is None or old not in state.containers:
        return ()
    if not _can_cover(old, state):
        return (Drain(old, wishes.drain_s), Stop(old))
    if wishes.warm_s:
        return (Drain(old, wishes.drain_s), KeepWarm(old, wishes.warm_s, covers=covers))
    drain = Drain(old, wishes.drain_s, stops=True)
    return (drain, Uncover(old), Stop(old)) if covers else (drain, Stop(old))


def _can_cover(old: Color | None, state: HostState) -> bool:
    return old is not None and old in state.containers and state.containers[old].is_running


def _foundation(state: HostState) -> tuple[Step, ...]:
    set_up = () if state.ready else (SetUp(),)
    proxy = state.proxy
    is_good = proxy and _runs_alone(proxy) and proxy.current and not proxy.leftovers
    return set_up if is_good else (*set_up, RunProxy())


def repair(state: HostState) -> tuple[Step, ...]:
    """Return the steps without which traffic could not be moved; none when one proxy runs."""
    return () if state.proxy and _runs_alone(state.proxy) else _foundation(state)


def _runs_alone(proxy: Proxy) -> bool:
    """Return whether one proxy runs: of two, one would not hear of a switch."""
    return proxy.running and proxy.alone


def _runs(container: Container, release: Release) -> bool:
    return container.is_running and container.release.digest == release.digest
