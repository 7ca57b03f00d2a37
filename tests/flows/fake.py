"""A host in memory: it keeps state, answers from it, and refuses what would lose a request."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from restoops.adapters.connection import Holder
from restoops.adapters.runtime import Traffic
from restoops.errors import Locked, StepFailed
from restoops.model import (
    Answer,
    Color,
    Container,
    Counts,
    Digest,
    HostState,
    Logins,
    OpenRun,
    Proxy,
    Question,
    Record,
    Release,
)
from tests.flows.breakage import Breakage
from tests.flows.fake_lock import FakeLock
from tests.flows.fake_secrets import Handing
from tests.flows.sampling import Sampled
from tests.plan.states import SPEC


@dataclass
class FakeHost(Sampled, Handing):
    """One application on one host; the attributes are what is really there."""

    name: str = "web-1"
    ready: bool = False
    proxy_runs: bool = False
    proxy_is_current: bool = False
    live: Color | None = None
    """What the running proxy says."""
    on_file: Color | None = None
    reserve: Color | None = None
    """The slot that stands in for the live one."""
    reserve_on_file: Color | None = None
    images: set[Digest] = field(default_factory=set)
    history: list[Record] = field(default_factory=list)
    holder: Holder | None = None
    gone: set[Digest] = field(default_factory=set)
    """Images that the registry has lost."""

    spec: str = SPEC
    crashing: set[Digest] = field(default_factory=set)
    sick: set[Digest] = field(default_factory=set)
    """Releases that run but answer 503."""
    doubted: set[Color] = field(default_factory=set)
    """Slots that answer HAProxy's own checks badly."""
    overlooked: set[Color] = field(default_factory=set)
    """Slots that HAProxy still takes for healthy, though what ran there has died."""
    answers: dict[Digest, list[int]] = field(default_factory=dict)
    """The next answers of a release; 200 when there are none left."""
    replies: dict[tuple[Digest, str], Answer] = field(default_factory=dict)
    """What a release answers to smoke checks, `ahead` of the switch and when it is `live`."""
    misrouted: Answer | None = None
    """What a client gets, whoever is live."""
    met: dict[Digest, Counts] = field(default_factory=dict)
    """What clients meet with between two looks at the counters, while a release is live."""
    counted: dict[Color, Counts] = field(default_factory=dict)
    requests: dict[Color, list[int]] = field(default_factory=dict)
    """Requests in a slot at the next polls; none when there are none left."""

    old_proxy_polls: int = 0
    """How often a proxy that was replaced is still found to run."""
    command_status: int = 0
    """What the next release commands end with."""
    commands: list[tuple[str, ...]] = field(default_factory=list)
    """Release commands that were run, each with the tag of its release in front."""
    failing: dict[str, BaseException] = field(default_factory=dict)
    """Calls that fail, once, by name."""
    hanging: dict[str, Callable[[], object]] = field(default_factory=dict)
    """What is waited for in calls, once, by name."""
    on_cut_short: Callable[[], object] = lambda: None
    """Ends what `stop` or `remove` waits for."""
    pulls_proxy: int = 0  # lines that the pull of the proxy's image still has to say
    breakage: Breakage | None = None
    watch: Callable[[], None] = lambda: None
    """Called before each change; a whole fleet is killed from there."""
    calls: list[str] = field(default_factory=list)
    effects: list[str] = field(default_factory=list)
    retiring: list[tuple[Color, int]] = field(default_factory=list)
    cut: int = 0
    """Requests that were running in what was stopped."""
    _ended_by: BaseException | None = None

    # What a test asks

    def state(self) -> HostState:
        """What `observe` tells, without being a call."""
        closed = {record.run.id for record in self.history}
        return HostState(
            host=self.name,
            ready=self.ready,
            proxy=self._proxy(),
            containers=dict(self.containers),
            images=frozenset(self.images),
            open_run=self.run if self.run and self.run.id not in closed else None,
            history=tuple(self.history),
            secrets=tuple(self.sets.values()),
        )

    @property
    def up(self) -> frozenset[Color]:
        """Slots that answer well."""
        return frozenset(
            c for c, it in self.containers.items() if self._is_well(it) or c in self.overlooked
        )

    @property
    def serving(self) -> Release | None:
        """The release that answers well to a client; None when nobody does."""
        state = self.state()
        is_well = state.serving and self.proxy_runs and self._is_well(state.serving)
        return state.serving.release if state.serving and is_well else None

    def reconnect(self) -> None:
        """Let the host be reached again after the command died or lost its connection."""
        self._ended_by = self.breakage = None

    def restart_proxy(self) -> None:
        """A crash, or a reboot: the new process reads the file."""
        self.live, self.reserve = self.on_file, self.reserve_on_file

    def end(self, error: BaseException) -> None:
        """From now on every call fails, as when the connection or the command is gone."""
        self._ended_by = error

    def kill(self, color: Color) -> None:
        """The process of a release ends, and is not started again."""
        self.containers[color] = replace(self.containers[color], status="exited")

    # flows.host.Host

    def lock(
        self, holder: Holder, *, wait_s: int, on_wait: Callable[[str], None], preempt: bool = False
    ) -> FakeLock:
        self._called("lock")
        if self.holder:
            on_wait(str(self.holder))  # the lock script says it before it gives up, too
        if self.holder and not (wait_s or preempt):
            raise Locked(f"{self.name}: another run holds the lock: {self.holder}", hint="Wait.")
        self.holder = holder
        return FakeLock(self)

    def observe(self, *, with_logs: bool = True) -> HostState:
        self._called("observe")
        return self.state()

    def inspect(self, color: Color) -> Container:
        self._called("inspect")
        return self._in(color)

    def traffic(self) -> Traffic:
        self._called("traffic")
        sessions = {c: self._requests(c) for c in Color}
        proxy = self._proxy()
        counts, doubted = {c: self._counted(c) for c in Color}, frozenset(self.doubted)
        return Traffic(proxy.live, proxy.up, proxy.covering, sessions, doubted, counts)

    def has_old_proxy(self) -> bool:
        self._called("has_old_proxy")
        self.old_proxy_polls = max(0, self.old_proxy_polls - 1)
        return self.old_proxy_polls > 0

    def ask(self, path: str, slot: Color | None) -> tuple[Answer, Color | None]:
        self._called("ask")
        if slot is None and self.misrouted:
            return self.misrouted, None
        color = slot or self.state().answering
        container = self.containers.get(color) if color else None
        if container is None or not container.is_running:
            return Answer(0, "nothing listens on the application's port"), None
        return self._answer(container.release.digest), container.color

    def send(self, question: Question, slot: Color | None) -> tuple[Answer, Color | None]:
        self._called("send")
        color = slot or self.state().answering
        assert color, "nobody is live"
        key = self.containers[color].release.digest, "live" if slot is None else "ahead"
        return self.replies.get(key, Answer(200, "{}")), color

    def is_doubted(self, color: Color) -> bool:
        self._called("is_doubted")
        return color in self.doubted

    def logs(self, color: Color, lines: int) -> list[str]:
        self._called("logs")
        return [f"{self._in(color).release.tag} says something"][:lines]

    def open_run(self, run: OpenRun) -> None:
        self._called("open_run")
        with self._effect("run.json"):
            self.run = run

    def close_run(self, record: Record) -> None:
        self._called("close_run")
        with self._effect("history.jsonl"):
            self.history.append(record)
        with self._effect("no run.json"):
            self.run = None

    def set_up(self) -> None:
        self._called("set_up")
        with self._effect("live.map"):
            self.on_file = self.on_file
        with self._effect("network"):
            self.ready = True

    def run_proxy(self, logins: Logins, on_progress: Callable[[str], None]) -> None:
        self._called("run_proxy")
        for _ in range(self.pulls_proxy):
            on_progress("Downloading")
        with self._effect("haproxy.cfg"):
            pass
        with self._effect("proxy"):
            self.proxy_runs = self.proxy_is_current = True
            self.restart_proxy()

    def pull(self, digest: Digest, logins: Logins, on_progress: Callable[[str], None]) -> None:
        self._called("pull")
        if digest in self.gone:
            raise StepFailed(f"{self.name}: pull of {digest.short} failed: not found")
        with self._effect("pull"):
            on_progress("Downloading")
            self.images.add(digest)

    def run_release(
        self,
        release: Release,
        command: tuple[str, ...],
        *,
        timeout_s: float,
        on_line: Callable[[str], None],
    ) -> int:
        self._called("run_release")
        assert release.digest in self.images, f"{release.tag} was not pulled"
        assert timeout_s > 0
        with self._effect("release command"):
            self.commands.append((release.tag, *command))
            on_line(f"{release.tag} migrates")
        return self.command_status

    def clear_release_command(self) -> None:
        self._called("clear_release_command")

    def start(self, color: Color, release: Release, secrets: str = "") -> None:
        self._called("start")
        present = self.containers.get(color)
        if present and present.is_running and present.release == release:
            return
        if present:
            self._remove(color)
        assert release.digest in self.images, f"{release.tag} was not pulled"
        given = secrets or self.provide(release)
        with self._effect("create"):
            name, spec = f"id-{color}-{release.tag}", self.spec + self.spec_of(given)
            made = Container(name, color, release, spec, "created", secrets=given)
            self.containers[color] = made
        with self._effect("start"):
            self.containers[color] = self._started(made)

    def stop(self, color: Color) -> None:
        self._called("stop")
        self._stop(color)

    def remove(self, color: Color) -> None:
        self._called("remove")
        self._remove(color)

    def cut_short(self) -> None:
        self._called("cut_short")
        self.on_cut_short()

    def mark_up(self, color: Color) -> None:
        self._called("mark_up")
        assert color in self.up, f"{color} was said to be healthy"

    def route(self, live: Color | None, *, covered: bool) -> None:
        self._called("route")
        reserve = live.other if live and covered else None
        with self._effect("live.map"):
            self.on_file, self.reserve_on_file = live, reserve
        if self.proxy_runs:
            with self._effect("set map"):
                self.live, self.reserve = live, reserve

    def cover(self, color: Color, *, on: bool) -> None:
        self._called("cover")
        live = self.live if self.proxy_runs else self.on_file
        if live is not color.other or on is (self.reserve is color):
            return
        with self._effect("live.map"):
            self.on_file, self.reserve_on_file = live, color if on else None
        if self.proxy_runs:
            with self._effect("set map"):
                self.reserve = color if on else None

    def retire_later(self, color: Color, after_s: int) -> None:
        self._called("retire_later")
        self._in(color)
        with self._effect("retire"):
            self.retiring.append((color, after_s))

    def remove_images(self, digests: frozenset[Digest]) -> None:
        self._called("remove_images")
        for digest in sorted(digests, key=str):
            with self._effect("remove image"):
                self.images.discard(digest)

    def close(self) -> None:
        self._called("close")

    def close_if_silent(self, within_s: float) -> None:
        """Do nothing: it is never silent, but gone."""

    # How it works

    def _called(self, name: str) -> None:
        if self._ended_by is not None:
            raise self._ended_by
        self.calls.append(name)
        if wait := self.hanging.pop(name, None):
            wait()
        if error := self.failing.pop(name, None):
            raise error

    @contextlib.contextmanager
    def _effect(self, what: str) -> Iterator[None]:
        """Change the host, unless it is the change at which something breaks."""
        self.watch()
        breakage = self.breakage
        if breakage and breakage.at == len(self.effects) + 1:
            self.breakage = None
            self._ended_by = breakage.error if breakage.for_good else None
            raise breakage.error
        before = self.serving
        yield
        self.effects.append(what)
        is_off = self.live is None  # as before the first deploy
        assert self.serving or is_off or not before, f"{what}: nobody serves after {before}"

    def _proxy(self) -> Proxy:
        if not self.proxy_runs:
            return Proxy(running=False, current=False, live=self.on_file, on_file=self.on_file)
        covers = self.reserve is not None and self.reserve in self.up
        return Proxy(True, self.proxy_is_current, self.live, self.on_file, self.up, covers)

    def _counted(self, color: Color) -> Counts:
        """What clients have asked a slot for; while it is live they go on asking."""
        found = self.containers.get(color) if self.live is color else None
        more = self.met.get(found.release.digest, Counts()) if found else Counts()
        self.counted[color] = self.counted.get(color, Counts()) + more
        return self.counted[color]

    def _in(self, color: Color) -> Container:
        if color not in self.containers:
            raise StepFailed(f"{self.name}: there is no container in {color}")
        return self.containers[color]

    def _is_well(self, container: Container) -> bool:
        return container.is_running and container.release.digest not in self.sick

    def _answer(self, digest: Digest) -> Answer:
        statuses = self.answers.get(digest)
        status = statuses.pop(0) if statuses else 503 if digest in self.sick else 200
        return Answer(status, f"status {status}")

    def _started(self, made: Container) -> Container:
        if made.release.digest in self.crashing:
            return replace(made, status="restarting", restarts=1, exit_code=3)
        return replace(made, status="running")

    def _requests(self, color: Color) -> int:
        polls = self.requests.get(color)
        return polls.pop(0) if polls else 0

    def _stop(self, color: Color) -> None:
        live = self._proxy().live
        assert color is not live, f"asked to stop {color}, which HAProxy routes to"
        if color in self.containers:
            with self._effect("stop"):
                assert not self.old_proxy_polls, "an old proxy may still run requests on it"
                self.cut += self._requests(color)
                self.kill(color)

    def _remove(self, color: Color) -> None:
        self._stop(color)
        if color in self.containers:
            with self._effect("remove"):
                del self.containers[color]
