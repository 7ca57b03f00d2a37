"""The container that HAProxy runs in: start it, check it, replace it under load."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from restoops.adapters.clock import Clock
from restoops.adapters.container import Service
from restoops.adapters.files import Files
from restoops.adapters.haproxy import SLOTS, ProxyWish
from restoops.adapters.runtime import RuntimeApi
from restoops.errors import RestoopsError, StepFailed
from restoops.model import Logins, registry_of

if TYPE_CHECKING:
    from restoops.adapters.docker import Engine

_READY_S = 10
_LEAVE_S = 2
_FILE_LABEL = "restoops.config"
_ENDING = "-ending"
"""Last part of the name of a proxy that was replaced and ends with its last request."""


class ProxyService:
    """HAProxy of one application on one host."""

    def __init__(
        self,
        on: tuple[Engine, Files],
        wish: ProxyWish,
        connect: Callable[[], RuntimeApi],
        clock: Clock,
    ) -> None:
        self._engine, self._files = on
        self._wish = wish
        self._connect = connect
        self._clock = clock

    def containers(self) -> tuple[Service, ...]:
        """Return what is there, newest first: one, unless a replacement is not over."""
        return self._engine.services(self._wish.labels)

    def runs(self) -> bool:
        """Return whether one runs that takes new requests."""
        return bool(in_charge(self.containers()))

    def has_predecessor(self) -> bool:
        """Return whether one that was replaced still runs: it ends with its last request."""
        return any(it.is_running and it.name.endswith(_ENDING) for it in self.containers())

    def is_current(self, service: Service) -> bool:
        """Return whether it runs with the image and the configuration of today."""
        return service.labels.get("restoops.spec") == self._wish.spec

    def replace(self, logins: Logins, on_progress: Callable[[str], None]) -> None:
        """Start HAProxy with the settings of today, taking over from one that runs.

        What cannot be started leaves nothing behind; the one that runs goes on with its own file.

        Raises:
            StepFailed: no image, or HAProxy refuses its configuration or does not start.
        """
        wish = self._wish
        if not self._engine.has_image(wish.image):
            self._engine.pull(wish.image, logins(registry_of(wish.image)), on_progress)
        before = self.containers()
        used = {_file_of(service) for service in in_charge(before)}
        self._files.write({wish.file: wish.config})
        try:
            self._check()
            self._take_over(before)
        except RestoopsError:
            if wish.file not in used:
                with contextlib.suppress(RestoopsError):  # the first error is the one to see
                    self._files.write({}, remove=(wish.file,))
            raise
        left = {_file_of(service) for service in before} - {wish.file}
        if left:
            self._files.write({}, remove=tuple(sorted(left)))

    def _check(self) -> None:
        """Let HAProxy itself check its configuration.

        Raises:
            StepFailed: with what HAProxy says is wrong.
        """
        for left_over in self._engine.services(self._wish.labels | {"restoops.role": "check"}):
            self._engine.remove(left_over.id)
        argv = ["haproxy", "-c", *self._configs]
        container = self._start(f"{self._wish.app}-proxy-check", argv, role="check")
        try:
            status = self._engine.wait(container, timeout_s=30)
            said = self._engine.logs(container, 20)
        finally:
            self._engine.remove(container)
        if status:
            raise StepFailed(
                f"{self._engine.host}: HAProxy refuses its configuration: {' '.join(said)}",
                hint="The proxy that runs was left alone. Is `proxy.image` HAProxy 2.6 or newer?",
            )

    def _take_over(self, before: tuple[Service, ...]) -> None:
        """Start HAProxy in place of what was there before.

        The new process is handed the listening sockets of the old one (`-x`), so no connection
        is refused in between. The old one ends by itself when its last request has ended.
        """
        for service in before:
            if not service.is_running:
                self._engine.remove(service.id)
        old = in_charge(before)
        if old and self._is_ready():
            # A replacement that was cut off: the one in charge is the one that is wanted.
            old = [service for service in old if not self.is_current(service)]
        else:
            self._bring_up(takes_over=bool(old))
        for service in old:
            # Named last: until then it may still take requests, and has to hear of a switch.
            self._engine.let_end(service, "SIGUSR1", service.name + _ENDING)
        self._forget(old)

    @property
    def _configs(self) -> list[str]:
        """The files that HAProxy reads, in order; their path is the same in the container."""
        directory = self._wish.settings.directory
        names = (name.removeprefix("proxy/") for name in (SLOTS, self._wish.file))
        return [word for name in names for word in ("-f", f"{directory}/{name}")]

    def _bring_up(self, *, takes_over: bool) -> None:
        argv = ["haproxy", "-W", "-db", *self._configs]
        if takes_over:
            argv += ["-x", f"{self._wish.settings.directory}/run/admin.sock"]
        # A name of its own: one with the same settings may still be ending.
        name = f"{self._wish.app}-proxy-{self._wish.spec[:6]}-{os.urandom(2).hex()}"
        self._await_ready(self._start(name, argv, role="proxy"))

    def _start(self, name: str, argv: list[str], *, role: str) -> str:
        directory = self._wish.settings.directory
        return self._engine.start_service(
            self._wish.image,
            name,
            argv,
            {
                "user": self._files.owner,
                "labels": {**self._wish.labels, "restoops.role": role}
                | {"restoops.spec": self._wish.spec, _FILE_LABEL: self._wish.file},
                # The same path inside and outside, so that one configuration is right for both.
                "binds": [f"{directory}:{directory}"],
                "restart_policy": {"Name": "no" if role == "check" else "unless-stopped"},
            },
        )

    def _await_ready(self, container: str) -> None:
        end = self._clock.monotonic() + _READY_S
        while not self._is_ready():
            status, restarts = self._engine.state(container)
            if status != "running" or restarts or self._clock.monotonic() > end:
                said = self._engine.logs(container, 20)
                self._engine.remove(container)
                raise self._failed(said)
            self._clock.sleep(0.05)

    def _is_ready(self) -> bool:
        try:
            runtime = self._connect()
            try:
                return runtime.description() == self._wish.spec
            finally:
                runtime.close()
        except RestoopsError:
            return False

    def _failed(self, said: list[str]) -> StepFailed:
        port = self._wish.settings.port
        taken = any("Address already in use" in line or "cannot bind" in line for line in said)
        host = self._engine.host
        if taken:
            return StepFailed(
                f"{host}: port {port} is taken by another program",
                hint=f"`ss -ltnp 'sport = :{port}'` there shows by which; or set `proxy.port`.",
                details="\n".join(said),
            )
        return StepFailed(
            f"{host}: HAProxy ({self._wish.image}) did not start",
            hint="Its last log lines are above.",
            details="\n".join(said),
        )

    def _forget(self, old: list[Service]) -> None:
        """Remove what has ended within two seconds; the rest goes with the next replacement."""
        end = self._clock.monotonic() + _LEAVE_S
        for service in old:
            while self._engine.state(service.id)[0] == "running":
                if self._clock.monotonic() > end:
                    return
                self._clock.sleep(0.05)
            self._engine.remove(service.id)


def in_charge(services: Sequence[Service]) -> list[Service]:
    """Return the proxies that take new requests: one, unless a replacement was cut off."""
    return [it for it in services if it.is_running and not it.name.endswith(_ENDING)]


def proxies_among(services: Sequence[Service], wish: ProxyWish) -> tuple[Service, ...]:
    """Return the proxies of the application, newest first as Docker lists them."""
    return tuple(it for it in services if wish.labels.items() <= it.labels.items())


def _file_of(service: Service) -> str:
    """Return the configuration that a proxy reads whenever it is started."""
    return service.labels.get(_FILE_LABEL, "proxy/haproxy.cfg")
