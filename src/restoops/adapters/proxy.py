"""The container that HAProxy runs in: start it, check it, replace it under load."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from restoops.adapters.clock import Clock
from restoops.adapters.container import Service
from restoops.adapters.haproxy import ProxySettings, render
from restoops.adapters.runtime import RuntimeApi
from restoops.errors import RestoopsError, StepFailed

if TYPE_CHECKING:
    from restoops.adapters.docker import Engine

_READY_S = 10
_LEAVE_S = 2


@dataclass(frozen=True, slots=True)
class ProxyWish:
    """The proxy that the settings of today ask for."""

    app: str
    image: str
    settings: ProxySettings

    @property
    def spec(self) -> str:
        """Fingerprint of image and configuration."""
        return hashlib.sha256(f"{self.image}\n{render(self.settings)}".encode()).hexdigest()[:12]

    @property
    def config(self) -> str:
        """haproxy.cfg; the running process tells its fingerprint under `show info`."""
        return render(self.settings).replace(
            "global\n", f"global\n    description {self.spec}\n", 1
        )

    @property
    def labels(self) -> dict[str, str]:
        """What all proxies of the application are found by."""
        return {"restoops.app": self.app, "restoops.role": "proxy"}


class ProxyService:
    """HAProxy of one application on one host."""

    def __init__(
        self, engine: Engine, wish: ProxyWish, connect: Callable[[], RuntimeApi], clock: Clock
    ) -> None:
        self._engine = engine
        self._wish = wish
        self._connect = connect
        self._clock = clock

    def containers(self) -> tuple[Service, ...]:
        """Return what is there, newest first: one, unless a replacement is not over."""
        return self._engine.services(self._wish.labels)

    def runs(self) -> bool:
        """Return whether one runs."""
        return any(service.status == "running" for service in self.containers())

    def is_current(self, service: Service) -> bool:
        """Return whether it runs with the image and the configuration of today."""
        return service.labels.get("restoops.spec") == self._wish.spec

    def check(self, user: str, config: str) -> None:
        """Let HAProxy itself check a configuration file on the host.

        Raises:
            StepFailed: with what HAProxy says is wrong.
        """
        for left_over in self._engine.services(self._wish.labels | {"restoops.role": "check"}):
            self._engine.remove(left_over.id)
        argv = ["haproxy", "-c", "-f", config]
        container = self._start(f"{self._wish.app}-proxy-check", argv, user, role="check")
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

    def start(self, user: str, config: str) -> None:
        """Start HAProxy, taking over from one that runs.

        The new process is handed the listening sockets of the old one (`-x`), so no connection
        is refused in between. The old one ends by itself when its last request has ended.
        """
        before = self.containers()
        for service in before:
            if service.status != "running":
                self._engine.remove(service.id)
        old = [service for service in before if service.status == "running"]
        if old and self._is_ready():
            # A replacement that was cut off: the one in charge is the one that is wanted.
            old = [service for service in old if not self.is_current(service)]
        else:
            self._bring_up(user, config, takes_over=bool(old))
        for service in old:
            self._engine.let_end(service.id, "SIGUSR1")
        self._forget(old)

    def _bring_up(self, user: str, config: str, *, takes_over: bool) -> None:
        argv = ["haproxy", "-W", "-db", "-f", config]
        if takes_over:
            argv += ["-x", f"{self._wish.settings.directory}/run/admin.sock"]
        # A name of its own: one with the same settings may still be ending.
        name = f"{self._wish.app}-proxy-{self._wish.spec[:6]}-{os.urandom(2).hex()}"
        self._await_ready(self._start(name, argv, user, role="proxy"))

    def _start(self, name: str, argv: list[str], user: str, *, role: str) -> str:
        directory = self._wish.settings.directory
        return self._engine.start_service(
            self._wish.image,
            name,
            argv,
            {
                "user": user,
                "labels": {**self._wish.labels, "restoops.role": role}
                | {"restoops.spec": self._wish.spec},
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
