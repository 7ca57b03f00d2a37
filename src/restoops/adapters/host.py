"""A droplet as restoops sees it: Docker, HAProxy and our files, over one connection.

Nothing here decides. One rule is kept here all the same, because no caller may get round it:
nothing is ever stopped or removed that HAProxy routes to.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from restoops.adapters.clock import Clock
from restoops.adapters.connection import (
    Claim,
    Connection,
    Holder,
    Lock,
    Stream,
    hold_lock,
    script,
)
from restoops.adapters.container import SOCKET, Service, describe, releases_among
from restoops.adapters.disk import disk_under
from restoops.adapters.files import Files
from restoops.adapters.haproxy import LIVE_MAP, SLOTS, Route, parse_route
from restoops.adapters.history import HISTORY_FILES, History, Packed, dump_run
from restoops.adapters.host_settings import HostSettings
from restoops.adapters.probe import Prober
from restoops.adapters.proxy import ProxyService, in_charge, proxies_among
from restoops.adapters.release_command import OneRun, ReleaseCommand
from restoops.adapters.routing import Routing
from restoops.adapters.runtime import RuntimeApi, Traffic
from restoops.adapters.sampler import Asking, Sampler
from restoops.adapters.secret_index import INDEX
from restoops.adapters.secret_store import SecretStore, SecretsWish
from restoops.adapters.shell import Shell
from restoops.errors import NeedsAttention, StepFailed, Unreachable
from restoops.model import (
    Answer,
    Color,
    Container,
    Digest,
    Disk,
    HostState,
    Logins,
    OpenRun,
    Proxy,
    Record,
    Release,
    Value,
)

if TYPE_CHECKING:
    from restoops.adapters.docker import Engine


class Host:
    """One application on one host."""

    def __init__(self, connection: Connection, settings: HostSettings, clock: Clock) -> None:
        self.name = connection.host
        self._connection = connection
        self._settings = settings
        self._shell = Shell(connection)
        self._files = Files(connection.host, self._shell, settings.directory)
        self._clock = clock
        self._docker_ahead: Stream | None = None
        self._runtime = self._new_runtime()
        run = f"{settings.proxy.settings.directory}/run"
        self._prober = Prober(f"{run}/probe.sock", connection.dial)
        self.send = self._prober.send
        self._containers: dict[Color, Container] = {}
        self._history = Packed(History())
        wish = SecretsWish(settings.app, settings.image, settings.directory, settings.secrets)
        self._secrets = SecretStore(lambda: self._engine, self._files, self._shell, clock, wish)
        self._ending, self._in_haste = "", False

    @cached_property
    def _engine(self) -> Engine:
        """The engine; its client is loaded while the connection is still being made."""
        from restoops.adapters.docker import Engine

        run = self._connection.run
        return Engine(
            self.name,
            self._dial_docker,
            lambda: run([*script("docker"), SOCKET], timeout_s=10),
            answer_timeout_s=self._connection.answer_timeout_s,
        )

    @cached_property
    def _proxy(self) -> ProxyService:
        on = self._engine, self._files
        return ProxyService(on, self._settings.proxy, self._new_runtime, self._clock)

    @cached_property
    def _routing(self) -> Routing:
        return Routing(self._files, self._proxy, self._runtime)

    @cached_property
    def _release_command(self) -> ReleaseCommand:
        return ReleaseCommand(self._engine, self._settings.app, self._settings.stop_grace_s)

    def close(self) -> None:
        """Close the connection and all that runs over it."""
        # First: nothing needs to be said about each channel of a connection that is gone.
        self._connection.close()
        self._shell.close()
        self._prober.close()
        self._runtime.close()
        if "_engine" in vars(self):
            self._engine.close()

    def close_if_silent(self, within_s: float) -> None:
        """Close the connection unless the host gives a sign of life within so many seconds."""
        self._connection.close_if_silent(within_s)

    def lock(
        self, holder: Holder, *, wait_s: int, on_wait: Callable[[str], None], preempt: bool = False
    ) -> Lock:
        """Take the lock; see `hold_lock`."""
        claim = Claim(holder, wait_s, preempt)
        return hold_lock(self._connection, self._settings.directory, claim, on_wait=on_wait)

    # Observing

    def observe(self, *, with_logs: bool = True) -> HostState:
        """Return what is there now, earlier runs with their logs or without. Changes nothing.

        Raises:
            Unreachable: Docker or a proxy that runs does not answer.
            NeedsAttention: run.json cannot be read.
        """
        self._connect_ahead()
        text = self._files.read("run.json", *HISTORY_FILES, LIVE_MAP, SLOTS, INDEX)
        self._routing.remember(text)
        history = History.of(text)
        self._history = Packed(history)
        found = self._engine.services({"restoops.app": self._settings.app})
        self._remember(found)
        return HostState(
            host=self.name,
            ready=LIVE_MAP in text
            and self._engine.subnet_of(self._settings.app) == self._settings.subnet,
            proxy=self._observe_proxy(found, parse_route(text.get(LIVE_MAP, "")).live),
            containers=dict(self._containers),
            images=frozenset(self._engine.images(self._settings.image)),
            open_run=history.open_run(
                text.get("run.json", ""), f"{self.name}: {self._settings.directory}"
            ),
            history=history.records(with_logs=with_logs),
            history_altered=history.altered(),
            secrets=self._secrets.remember(text, self.name),
        )

    def inspect(self, color: Color) -> Container:
        """Return the container in `color` with its restarts and exit code.

        Raises:
            StepFailed: there is none, or it has gone.
        """
        return self._engine.inspect(self._in(color).id)

    def traffic(self) -> Traffic:
        """Return who serves, who could, and how many requests run where; see `Routing.traffic`."""
        return self._routing.traffic()

    def has_old_proxy(self) -> bool:
        """Return whether a proxy that was replaced still runs requests, in whichever slot."""
        return self._proxy.has_predecessor()

    def ask(self, path: str, slot: Color | None) -> tuple[Answer, Color | None]:
        """Ask the release in `slot`, or as a client would, and say which slot answered."""
        return self._prober.ask(path, slot, timeout_s=self._settings.answer_timeout_s)

    def sample(self, path: str, every_s: float) -> Sampler:
        """Have the host ask its proxy again and again, on the port of clients."""
        it = self._settings
        asking = Asking(it.proxy.settings.port, path, every_s, it.answer_timeout_s)
        return Sampler.started(self._connection, asking)

    def is_doubted(self, color: Color) -> bool:
        """Return whether HAProxy's own last check of the slot was answered badly."""
        return color in self._runtime.traffic().doubted

    def logs(self, color: Color, lines: int) -> list[str]:
        """Return the last lines that the release in `color` wrote."""
        return self._engine.logs(self._in(color).id, lines)

    def follow(self, color: Color, lines: int) -> Iterator[str]:
        """Yield the last lines of the release in `color` and then each new one."""
        return self._engine.follow(self._in(color).id, lines)

    # The record

    def open_run(self, run: OpenRun) -> None:
        """Write down what is about to be done."""
        self._files.write({"run.json": dump_run(run)})
        self._secrets.run = run.id

    def close_run(self, record: Record) -> None:
        """Write the run into the history; it is no longer open."""
        history = self._history.unpacked().add(record)
        self._history = Packed(history)
        self._files.write(history.files, remove=("run.json",))

    # Steps

    def set_up(self) -> None:
        """Make the directories and the network; what is in use stays as it is.

        Raises:
            StepFailed: the network is in use with other addresses than those of today.
        """
        self._routing.set_up()
        self._engine.ensure_network(
            self._settings.app, self._settings.subnet, {"restoops.app": self._settings.app}
        )

    def run_proxy(self, logins: Logins, on_progress: Callable[[str], None]) -> None:
        """Start HAProxy with the settings of today, taking over from one that runs."""
        self._routing.keep_slots(self._settings.endpoints)
        self._runtime.close()
        self._prober.close()
        self._proxy.replace(logins, on_progress)

    def pull(self, digest: Digest, logins: Logins, on_progress: Callable[[str], None]) -> None:
        """Fetch the image of the application, by digest."""
        image = self._settings.image
        self._engine.pull(image.at(digest), logins(image.registry), on_progress)

    def run_release(
        self,
        release: Release,
        command: tuple[str, ...],
        *,
        timeout_s: float,
        on_line: Callable[[str], None],
    ) -> int:
        """Run `command` once in the image of `release`; see `ReleaseCommand.run`."""
        blueprint = self._secrets.given(self._settings.blueprint, release)
        one = OneRun(command, timeout_s, blueprint)
        return self._release_command.run(self._settings.image, release, one, on_line)

    def clear_release_command(self) -> None:
        """Stop and remove what `run_release` runs or left behind, also from another thread."""
        self._release_command.clear()

    def start(self, color: Color, release: Release, secrets: str = "") -> None:
        """Start `release` in `color`, unless it runs there already; it gets no traffic.

        It is given the set `secrets`, or else those of today.
        """
        present = self._containers.get(color)
        if present and present.is_running and present.release == release:
            return
        if present:
            self.remove(color)
        endpoint = self._settings.endpoints[color]
        self._routing.aim(color, endpoint)
        blueprint = self._secrets.given(self._settings.blueprint, release, secrets)
        labels = {
            **blueprint.labels,
            "restoops.app": self._settings.app,
            "restoops.slot": color.value,
            "restoops.tag": release.tag,
            "restoops.digest": str(release.digest),
        }
        address, name = endpoint.rpartition(":")[0], f"{self._settings.app}-{color}"
        blueprint = replace(blueprint, name=name, labels=labels, address=address)
        started = self._engine.start(self._settings.image.at(release.digest), blueprint)
        self._containers[color] = describe(started, labels, "running")

    def stop(self, color: Color) -> None:
        """Stop the release in `color`; its logs stay readable."""
        self._refuse_if_live(color)
        if color in self._containers:
            self._end(self._containers[color].id)

    def remove(self, color: Color) -> None:
        """Stop the release in `color` and remove its container."""
        self._refuse_if_live(color)
        if color in self._containers:
            container = self._containers.pop(color)
            self._end(container.id)
            self._engine.remove(container.id)

    def cut_short(self) -> None:
        """Kill what `stop` or `remove` waits for in another thread, or is about to."""
        self._in_haste = True
        if self._ending:
            self._engine.stop(self._ending, 0)

    def mark_up(self, color: Color) -> None:
        """Tell HAProxy what we have just found: the slot is healthy."""
        self._runtime.mark_up(color)

    def route(self, live: Color | None, *, covered: bool) -> None:
        """Send new requests to `live`, with the other slot in reserve or with nobody."""
        self._routing.route(Route(live, covered))

    def cover(self, color: Color, *, on: bool) -> None:
        """Let `color` stand in for the live slot, or keep it from doing so."""
        self._routing.cover(color, on=on)

    def retire_later(self, color: Color, after_s: int) -> None:
        """Have the host itself stop `color` after `after_s` seconds, unless it is live by then."""
        container = self._in(color).id
        grace = str(self._settings.stop_grace_s)
        self._shell.detach(
            "retire", self._settings.directory, container, color.value, str(after_s), grace
        )

    def remove_images(self, digests: frozenset[Digest]) -> None:
        """Remove images of the application, except those that something still uses."""
        found = self._engine.images(self._settings.image)
        for digest in digests:
            if digest in found:
                self._engine.remove_image(found[digest], self._settings.image.at(digest))

    def forget_secrets(self, sets: frozenset[str]) -> None:
        """Remove sets of secrets, except those that a container was given."""
        self._remember(self._engine.services({"restoops.app": self._settings.app}))
        self._secrets.forget(sets, [it.secrets for it in self._containers.values()])

    def put_secrets(self, values: Mapping[str, Value]) -> None:
        """Replace secrets of all releases that were given them."""
        self._secrets.update(values, [it.secrets for it in self._containers.values()])

    def image_sizes(self) -> dict[Digest, int]:
        """Return the images of the application that are here, with their sizes unpacked."""
        return self._engine.image_sizes(self._settings.image)

    def disk(self) -> Disk | None:
        """Return how full the file system of the images is; None when it cannot be seen."""
        return disk_under(self._connection, self._engine.directory())

    def _end(self, container_id: str) -> None:
        self._ending = container_id
        try:
            self._engine.stop(container_id, 0 if self._in_haste else self._settings.stop_grace_s)
        finally:
            self._ending, self._in_haste = "", False

    def _connect_ahead(self) -> None:
        """Let the ways to Docker and HAProxy open while the files are read."""
        with contextlib.suppress(Unreachable):  # a host without a proxy yet
            self._docker_ahead = self._docker_ahead or self._connection.dial(SOCKET)
            self._runtime.connect()
            self._prober.connect()

    def _dial_docker(self) -> Stream:
        stream, self._docker_ahead = self._docker_ahead, None
        return stream or self._connection.dial(SOCKET)

    def _new_runtime(self) -> RuntimeApi:
        directory = self._settings.proxy.settings.directory
        return RuntimeApi(self._connection.host, directory, self._connection.dial)

    def _remember(self, found: Sequence[Service]) -> None:
        self._containers = {container.color: container for container in releases_among(found)}

    def _in(self, color: Color) -> Container:
        if color not in self._containers:
            self._remember(self._engine.services({"restoops.app": self._settings.app}))
        try:
            return self._containers[color]
        except KeyError:
            raise StepFailed(
                f"{self.name}: there is no container in {color}",
                hint="Was it removed by hand? The next deploy starts a new one.",
            ) from None

    def _refuse_if_live(self, color: Color) -> None:
        """Keep the one rule. A proxy that does not answer may still route: that refuses too."""
        if color in ((traffic := self.traffic()).live, traffic.answering):
            raise NeedsAttention(
                f"{self.name}: refused to stop {color}: HAProxy routes to it",
                hint="This is a fault of restoops; `restoops status` shows what serves.",
            )

    def _observe_proxy(self, services: Sequence[Service], on_file: Color | None) -> Proxy | None:
        found = proxies_among(services, self._settings.proxy)
        running = in_charge(found)
        if not running:
            return Proxy(running=False, current=False, live=on_file, on_file=on_file)
        traffic = self._runtime.traffic()
        return Proxy(
            running=True,
            current=self._proxy.is_current(running[0]),
            live=traffic.live,
            on_file=on_file,
            up=traffic.up,
            covering=traffic.covering,
            alone=len(running) == 1,
            leftovers=not all(service.is_running for service in found),
        )
