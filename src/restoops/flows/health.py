"""Look at the hosts and the public address of an environment, once or again and again.

Hosts are asked side by side, and each has time limits of its own: one that hangs holds up nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from restoops.adapters.clock import Clock
from restoops.adapters.host import Host
from restoops.config.hosts import Target
from restoops.config.load import Loaded
from restoops.errors import RestoopsError, Unhealthy, Unreachable
from restoops.flows.background import in_background, side_by_side
from restoops.flows.connect import connect
from restoops.flows.interrupt import Interrupt, TimeLimit
from restoops.flows.open import host_settings, smoke_settings
from restoops.flows.pause import pause
from restoops.flows.public import public_url, site_of
from restoops.flows.smoke import SmokeSettings, put
from restoops.model import Answer, HostState, Question
from restoops.plan.smoke import Result
from restoops.plan.verdict import Health, HostLook, PublicLook, Verdict, judge

INTERVAL_S = 2.0
"""Seconds from the end of one look to the next."""


@dataclass(frozen=True, slots=True)
class Looking:
    """What every look is made with."""

    loaded: Loaded
    clock: Clock
    interrupt: Interrupt

    @property
    def question(self) -> Question:
        """The health question to a host."""
        health = self.loaded.settings.health
        return Question(health.path, timeout_s=health.answer_timeout_s)

    @property
    def smoke(self) -> SmokeSettings:
        """The smoke checks."""
        return smoke_settings(self.loaded.settings)

    def put_all(self, ask: Callable[[Question], Answer]) -> tuple[Result, ...]:
        """Put all smoke checks, whatever becomes of one."""
        smoke = self.smoke
        return tuple(put(it, ask, smoke.attempts, self.clock.sleep) for it in smoke.checks)


class Ward:
    """A host that is looked at; connected to at the first look, and again when it was lost."""

    def __init__(self, looking: Looking, target: Target) -> None:
        self._looking = looking
        self._target = target
        is_local = looking.loaded.connection == "local"
        self.name = target.name if is_local else target.address
        self._host: Host | None = None

    def look(self) -> HostLook:
        """Return what is seen of it now; that nothing is seen is no error."""
        try:
            host = self._host = self._host or self._connected()
            return self._look(host)
        except RestoopsError as error:
            self.close()
            return HostLook(self.name, fault=self._without_name(error))

    def close(self) -> None:
        """Close the connection; the next look opens another."""
        host, self._host = self._host, None
        if host:
            host.close()

    def _connected(self) -> Host:
        loaded = self._looking.loaded
        connection = connect(loaded, self._target)
        return Host(connection, host_settings(loaded.settings), self._looking.clock)

    def _look(self, host: Host) -> HostLook:
        state, trouble = self._observed(host)
        answer, slot = host.send(self._looking.question, None)
        if trouble and not answer.status:
            raise trouble
        smoke = self._looking.put_all(lambda it: host.send(it, None)[0]) if answer.status else ()
        fault = self._without_name(trouble) if trouble else ""
        return HostLook(self.name, state, answer, slot, smoke, fault)

    def _observed(self, host: Host) -> tuple[HostState | None, RestoopsError | None]:
        """Return what is there, or why that cannot be told: HAProxy may answer all the same."""
        limit = TimeLimit(self._looking.loaded.settings.ssh.connect_timeout_s, self._looking.clock)
        try:
            return in_background(host.observe)(limit), None
        except RestoopsError as error:
            limit.check()  # a host that hangs is not asked for more
            return None, error

    def _without_name(self, error: RestoopsError) -> str:
        return error.message.removeprefix(f"{self.name}: ")


class PublicWard:
    """The public address that is looked at."""

    def __init__(self, looking: Looking, url: str) -> None:
        self._looking = looking
        self._site = site_of(looking.loaded, url)
        self._public = looking.loaded.settings.public

    def look(self) -> PublicLook:
        """Return what is seen of it now."""
        question = Question(self._looking.question.path, timeout_s=self._public.timeout_s)
        plain, port = None, self._public.http_port
        if port and self._site.url.startswith("https://"):
            plain = in_background(lambda: self._site.visit_plain(question, port).answer)
        visit = self._site.visit(question)
        answered = bool(visit.answer.status)
        smoke = self._looking.put_all(lambda it: self._site.visit(it).answer) if answered else ()
        return PublicLook(self._site.url, visit, plain() if plain else None, smoke)

    def close(self) -> None:
        """Close it."""
        self._site.close()


class Examiner:
    """Looks at an environment; a context that ends its connections."""

    def __init__(self, looking: Looking, targets: Sequence[Target]) -> None:
        self._looking = looking
        self._wards = [Ward(looking, target) for target in targets]
        url = public_url(looking.loaded)
        self._public = PublicWard(looking, url) if url else None

    def __enter__(self) -> Examiner:
        return self

    def __exit__(self, *_: object) -> None:
        for ward in self._wards:
            ward.close()
        if self._public:
            self._public.close()

    def look(self) -> Health:
        """Look at all of it now.

        Raises:
            Interrupted: somebody asked for an end.
        """
        settings, interrupt = self._looking.loaded.settings, self._looking.interrupt
        public = in_background(self._public.look) if self._public else None
        seen, _ = side_by_side(
            Ward.look, self._wards, at_once=settings.fleet.parallel, interrupt=interrupt
        )
        interrupt.check()
        return judge(
            [seen[ward] for ward in self._wards],
            public(interrupt) if public else None,
            at=self._looking.clock.now(),
            tls_days=settings.public.tls_days,
        )


def wait(
    look: Callable[[], Health], looking: Looking, limit_s: float, tell: Callable[[Health], None]
) -> Health:
    """Look until all is healthy or the time is up, and at that moment once more.

    What is not the last look is told. With a limit of 0 there is one look.

    Raises:
        Interrupted: somebody asked for an end.
    """
    clock = looking.clock
    end = clock.monotonic() + limit_s
    while True:
        is_last = clock.monotonic() >= end
        health = look()
        if is_last or health.verdict is Verdict.HEALTHY:
            return health
        tell(health)
        pause(max(0.0, min(INTERVAL_S, end - clock.monotonic())), clock, looking.interrupt)


def watch(look: Callable[[], Health], looking: Looking, show: Callable[[Health], None]) -> None:
    """Look again and again, until somebody asks for an end: `Interrupted`."""
    while True:
        show(look())
        pause(INTERVAL_S, looking.clock, looking.interrupt)


def raise_if_unhealthy(environment: str, health: Health) -> None:
    """Go on when all is healthy.

    Raises:
        Unhealthy: something is degraded or down.
        Unreachable: nothing of the environment could be reached.
    """
    if health.verdict is Verdict.HEALTHY:
        return
    first, *others = health.reasons
    more = f"; and {len(others)} more" if others else ""
    if health.verdict is Verdict.UNREACHABLE:
        raise Unreachable(
            f"{environment}: nothing could be reached: {first}{more}",
            hint=f"Is this machine on the network? `restoops doctor {environment}` looks closer.",
        )
    raise Unhealthy(
        f"{environment} is {health.verdict}: {first}{more}",
        hint=f"`restoops status {environment}` shows what serves, `restoops logs {environment}` "
        "what it writes.",
    )
