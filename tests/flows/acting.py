"""Deploys and rollbacks on a fake host, as the command line does them, and hosts to do them on."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from multiprocessing.connection import Connection
from typing import ClassVar, TypeVar

from restoops.adapters.clock import Clock
from restoops.errors import RestoopsError
from restoops.flows.fleet import Fleet
from restoops.flows.hooks import Hooks
from restoops.flows.host import Host
from restoops.flows.interrupt import Interrupt
from restoops.flows.outside import Outside, Site
from restoops.flows.part import Part
from restoops.flows.probing import Probing
from restoops.flows.rollout import Rollout, Surroundings
from restoops.flows.session import Request, Session
from restoops.flows.smoke import SmokeSettings
from restoops.flows.steps import Executor, HealthSettings
from restoops.flows.swap import Swap, deploy, renew, rollback
from restoops.model import Color, Digest, Question, Release, RunKind
from restoops.plan.bake import Limits
from restoops.plan.bluegreen import Wishes
from restoops.plan.smoke import Check
from restoops.plan.steps import Step
from restoops.report.events import (
    Event,
    FleetEnded,
    Planned,
    RunEnded,
    StepBroken,
    StepEnded,
    StepStarted,
)
from tests.flows.apart import led_apart
from tests.flows.clock import FakeClock
from tests.flows.fake import FakeHost
from tests.plan.states import BLUE, GREEN, SPEC, V1, V2, V3, WISHES

_E = TypeVar("_E", RunEnded, FleetEnded)
_numbers = itertools.count(1)
HEALTH = HealthSettings("/health", interval_s=0.1, start_wait_s=0)


@dataclass
class Operator:
    """Somebody who types a command; keeps what it told and can interrupt it."""

    host: FakeHost
    wishes: Wishes = WISHES
    health: HealthSettings = HEALTH
    dry_run: bool = False
    wait_s: int = 0
    clock: Clock = field(default_factory=FakeClock)
    told: list[Event] = field(default_factory=list)
    interrupt: Interrupt = field(default_factory=Interrupt)
    listen: Callable[[Event], None] = lambda _: None
    others: tuple[FakeHost, ...] = ()
    """The rest of a fleet."""
    rollout: Rollout = field(default_factory=Rollout)
    absent: Mapping[str, RestoopsError] = field(default_factory=dict)
    hooks: Hooks = field(default_factory=Hooks)
    preempts: bool = False
    probe_rate: float = 0
    checks: tuple[Check, ...] = ()
    """Smoke checks; which of them are asked where, the wishes say."""
    site: Site | None = None
    has_deputy: ClassVar[bool] = False
    """Whether every other host is led as a second process leads it, over a pipe."""
    pipe: Connection | None = None
    """That pipe."""
    resolve: Callable[[Interrupt], Release] | None = None
    """How the registry finds the release; it says at once what is asked for when there is none."""
    can_pull: Callable[[Digest], bool] | None = None
    """What the registry says; it has all that is not `gone` from it when there is none."""

    def deploy(self, release: Release) -> RunEnded:
        self._deploy(release)
        return self._last(RunEnded)

    def deploy_all(self, release: Release) -> FleetEnded:
        self._deploy(release)
        return self._last(FleetEnded)

    def renew(self) -> None:
        """Deploy what serves again."""
        with self._swapping("deploy", "restoops secrets rotate KEY staging") as swap:
            renew(swap)

    def rollback(
        self,
        tag: str | None = None,
        confirm: Callable[[Release, Release | None], None] | None = None,
    ) -> RunEnded:
        self._rollback(tag, confirm)
        return self._last(RunEnded)

    def rollback_all(
        self, confirm: Callable[[Release, Release | None], None] | None = None
    ) -> FleetEnded:
        self._rollback(None, confirm)
        return self._last(FleetEnded)

    @property
    def ended(self) -> RunEnded:
        return self._last(RunEnded)

    @property
    def fleet_ended(self) -> FleetEnded:
        return self._last(FleetEnded)

    def _deploy(self, release: Release) -> None:
        with self._swapping("deploy", f"restoops deploy {release.tag} staging") as swap:
            deploy(swap, self.resolve or (lambda _: release))

    def _rollback(
        self, tag: str | None, confirm: Callable[[Release, Release | None], None] | None
    ) -> None:
        can_pull = self.can_pull or (lambda digest: digest not in self.host.gone)
        with self._swapping("rollback", "restoops rollback staging") as swap:
            rollback(swap, tag, confirm=confirm, can_pull=can_pull)

    def _last(self, kind: type[_E]) -> _E:
        last = self.told[-1]
        assert isinstance(last, kind)
        return last

    @property
    def hosts(self) -> tuple[FakeHost, ...]:
        return (self.host, *self.others)

    @property
    def steps(self) -> tuple[Step, ...]:
        """What was planned."""
        return next(event.steps for event in self.told if isinstance(event, Planned))

    def told_of(self, kind: type[StepStarted | StepEnded | StepBroken]) -> list[Step]:
        return [event.step for event in self.told if isinstance(event, kind)]

    def _tell(self, event: Event) -> None:
        self.told.append(event)
        self.listen(event)

    @contextlib.contextmanager
    def _swapping(self, kind: RunKind, purpose: str) -> Iterator[Swap]:
        request = Request(
            id=f"run-{next(_numbers)}",
            kind=kind,
            environment="staging",
            who="olga",
            origin="laptop",
            purpose=purpose,
            started_at=self.clock.now(),
            dry_run=self.dry_run,
            wait_s=self.wait_s,
            preempts=self.preempts,
        )
        site = self.site if kind == "deploy" else None
        outside = Outside(site, SmokeSettings(self.checks), Question("/health"), self._tell)
        around = Surroundings(self._tell, self.interrupt, self.clock, self.absent, outside)
        apart = self.others[::2] if self.has_deputy else ()
        here = [host for host in self.hosts if host not in apart]
        probing = Probing(here, self.health.path, self.probe_rate, self.clock)
        parts: list[Part] = [self._session(it, request, around, probing.begin) for it in here]
        with contextlib.ExitStack() as stack:
            if apart:
                lead = led_apart(apart, request, self.wishes, around, self._session)
                distant, self.pipe = stack.enter_context(lead)
                parts = sorted([*parts, *distant], key=lambda part: self._place_of(part.name))
            fleet = Fleet(parts, request, self.rollout, around)
            yield Swap(fleet, request, self.wishes, self.clock.monotonic, self.hooks, probing)

    def _place_of(self, name: str) -> int:
        return [host.name for host in self.hosts].index(name)

    def _session(
        self,
        host: FakeHost,
        request: Request,
        around: Surroundings,
        before_traffic: Callable[[Host], None] = lambda _: None,
    ) -> Session:
        executor = Executor(
            host,
            self.health,
            around.clock,
            around.tell,
            around.interrupt,
            before_traffic=before_traffic,
            smoke=SmokeSettings(self.checks),
        )
        return Session(executor, request, self.wishes)


@dataclass(frozen=True)
class Scene:
    """A host, what is asked for there, and who serves before and after."""

    name: str
    prepare: Callable[[], FakeHost]
    act: Callable[[Operator], object]
    before: Release | None
    """What serves as long as a proxy runs."""
    after: Release
    wishes: Wishes = WISHES

    def open(self) -> Operator:
        """Return an operator in front of a fresh host; its changes are counted from here on."""
        host = self.prepare()
        host.effects.clear()
        host.calls.clear()
        return Operator(host, self.wishes, checks=CHECKS)

    @cached_property
    def plan(self) -> tuple[Step, ...]:
        operator = replace(self.open(), dry_run=True)
        self.act(operator)
        return operator.steps

    def count_effects(self) -> int:
        operator = self.open()
        self.act(operator)
        return len(operator.host.effects)


def deployed(*releases: Release, wishes: Wishes = WISHES) -> FakeHost:
    """A host to which `releases` were deployed, one after the other."""
    host = FakeHost()
    for release in releases:
        Operator(host, wishes).deploy(release)
    return host


def _cooled(host: FakeHost, color: Color) -> FakeHost:
    host.kill(color)
    return host


def _without_image(host: FakeHost, release: Release) -> FakeHost:
    host.images.discard(release.digest)
    return host


def _with_stale_proxy(host: FakeHost) -> FakeHost:
    host.proxy_is_current = False
    return host


def _without_proxy(host: FakeHost) -> FakeHost:
    host.proxy_runs = False
    return host


def handing(*releases: Release) -> FakeHost:
    """A host on which each of `releases` was given secrets."""
    host = FakeHost(secrets="now")
    for release in releases:
        Operator(host, replace(SECRETS, keep=3)).deploy(release)
    # Ids of runs are another each time, and those of secrets stand in steps, which are compared.
    tags = {release.digest: release.tag for release in releases}
    host.sets = {tags[it.digest]: replace(it, id=tags[it.digest]) for it in host.sets.values()}
    host.containers = {
        color: replace(it, secrets=it.release.tag) for color, it in host.containers.items()
    }
    return host


COLD = replace(WISHES, warm_s=0, keep=2)
SECRETS = replace(WISHES, spec=f"{SPEC}+now", keep=2)
CHECKS = (Check("menu", Question("/v1/menu")), Check("order", Question("/v1/orders", "POST")))
_NAMES = tuple(check.name for check in CHECKS)
SMOKED = replace(WISHES, smoke=_NAMES, smoke_live=_NAMES)
SMOKED_OUTSIDE = replace(WISHES, smoke=_NAMES)
WATCHED = replace(WISHES, bake=Limits(for_s=10, max_error_rate=0.02, min_requests=50))


def _deploy(release: Release) -> Callable[[Operator], object]:
    return lambda operator: operator.deploy(release)


def _rollback(release: Release) -> Callable[[Operator], object]:
    return lambda operator: operator.rollback(release.tag)


SCENES = (
    Scene("the first deploy", FakeHost, _deploy(V1), None, V1),
    Scene("a second deploy", lambda: deployed(V1), _deploy(V2), V1, V2),
    Scene("a deploy with one kept warm", lambda: deployed(V1, V2), _deploy(V3), V2, V3),
    Scene("a deploy that is watched", lambda: deployed(V1), _deploy(V2), V1, V2, WATCHED),
    Scene("a deploy with smoke checks", lambda: deployed(V1), _deploy(V2), V1, V2, SMOKED),
    Scene("a deploy that keeps none warm", lambda: deployed(V1, V2), _deploy(V3), V2, V3, COLD),
    Scene(
        "a deploy with a proxy of before",
        lambda: _with_stale_proxy(deployed(V1)), _deploy(V2), V1, V2,
    ),
    Scene(
        "a deploy while a dead release is covered",
        lambda: _cooled(deployed(V1, V2), GREEN), _deploy(V3), V1, V3,
    ),
    Scene("a rollback to a warm release", lambda: deployed(V1, V2), _rollback(V1), V2, V1),
    Scene(
        "a rollback to a stopped release",
        lambda: _cooled(deployed(V1, V2), BLUE), _rollback(V1), V2, V1,
    ),
    Scene("a rollback by two", lambda: deployed(V1, V2, V3), _rollback(V1), V3, V1),
    Scene(
        "a rollback to the registry",
        lambda: _without_image(deployed(V1, V2, V3), V1), _rollback(V1), V3, V1,
    ),
    Scene(
        "a rollback without a proxy",
        lambda: _without_proxy(deployed(V1, V2, wishes=COLD)), _rollback(V1), V2, V1,
    ),
    Scene(
        "a deploy with secrets, and secrets to remove",
        lambda: handing(V1, V2), _deploy(V3), V2, V3, SECRETS,
    ),
    Scene(
        "a rollback to a release with its own secrets",
        lambda: handing(V1, V2, V3), _rollback(V1), V3, V1, replace(SECRETS, keep=3),
    ),
)  # fmt: skip
"""Together they hold every kind of step; a test checks that."""
