"""Ways to swap releases that are known to lose requests, and the one that is known not to.

They judge the load client: a client that finds nothing wrong with the naive ones is broken.
All run in the engine of this machine, without the product.
"""

import io
import socket
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self

from docker import DockerClient
from docker.models.containers import Container

from tests.lab import cache, images, network
from tests.lab.images import App
from tests.lab.patience import PATIENCE_S

APP_PORT = 3001
PROXY_PORT = 8080
RUNTIME_PORT = 9999
PROXY_CONFIG = """\
global
    stats socket ipv4@0.0.0.0:{runtime_port} level admin
defaults
    mode http
    timeout connect 1s
    timeout client 60s
    timeout server 60s
frontend in
    bind :{proxy_port}
    default_backend app
backend app
    option httpchk GET /health
    default-server check inter 100ms
    server blue {blue}:{app_port}
    server green {green}:{app_port} disabled
"""


@contextmanager
def running(
    engine: DockerClient, app: App, published_port: int | None = None
) -> Iterator[Container]:
    """Have a container of `app` that listens, on a port of 127.0.0.1 too if one is given."""
    container = start(engine, app, published_port)
    try:
        yield container
    finally:
        container.remove(force=True, v=True)


def start(engine: DockerClient, app: App, published_port: int | None = None) -> Container:
    """Start a container of `app` and wait until it listens, unless it is to crash."""
    container = engine.containers.run(
        images.testapp(engine, app),
        detach=True,
        network=network.NAME,
        labels={cache.LABEL: "1"},
        ports={f"{APP_PORT}/tcp": ("127.0.0.1", published_port)} if published_port else {},
    )
    try:
        if app.mode != "crash":
            await_listening(address(container), APP_PORT)
    except BaseException:
        container.remove(force=True, v=True)
        raise
    return container


def address(container: Container) -> str:
    """Return the address of a container in the network of the lab."""
    container.reload()
    return str(container.attrs["NetworkSettings"]["Networks"][network.NAME]["IPAddress"])


def await_listening(host: str, port: int, timeout_s: float = PATIENCE_S) -> None:
    """Return when a connection to `host:port` succeeds; the last refusal is raised in the end."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            socket.create_connection((host, port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def stop_then_start(engine: DockerClient, old: Container, app: App, port: int) -> Container:
    """Do as the naive script does: stop the old container, start the new one on its port."""
    old.stop(timeout=10)
    old.remove(v=True)
    return start(engine, app, port)


class Proxy:
    """HAProxy in front of a blue server, which is live, and a green one, which is not."""

    def __init__(self, engine: DockerClient, blue: Container, green: Container) -> None:
        config = PROXY_CONFIG.format(
            blue=address(blue),
            green=address(green),
            app_port=APP_PORT,
            proxy_port=PROXY_PORT,
            runtime_port=RUNTIME_PORT,
        )
        self._container = engine.containers.create(
            images.haproxy(engine),
            ["haproxy", "-W", "-db", "-f", "/haproxy.cfg"],
            network=network.NAME,
            labels={cache.LABEL: "1"},
        )
        self._container.put_archive("/", _tar_of("haproxy.cfg", config))

    def __enter__(self) -> Self:
        self._container.start()
        self.address = address(self._container)
        try:
            await_listening(self.address, PROXY_PORT)
        except BaseException:
            self._container.remove(force=True, v=True)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._container.remove(force=True, v=True)

    @property
    def url(self) -> str:
        """Where clients go."""
        return f"http://{self.address}:{PROXY_PORT}/"

    def switch_without_drain(self, old: Container) -> None:
        """Send new requests to green and stop blue at once, although it works on some."""
        self._await_until(lambda: int(self._status("blue")["scur"]) >= 5, "blue has work")
        self._bring_in_green()
        self._tell("set server app/blue state maint")
        old.kill()

    def switch_with_drain(self, old: Container) -> None:
        """Send new requests to green and stop blue when it is observed idle."""
        self._bring_in_green()
        self._tell("set server app/blue state drain")
        self._await_status("blue", {"scur": "0", "qcur": "0"})
        self._tell("set server app/blue state maint")
        old.stop(timeout=10)

    def _bring_in_green(self) -> None:
        self._tell("set server app/green state ready")
        self._await_status("green", {"status": "UP", "check_status": "L7OK"})

    def _await_status(self, server: str, wanted: dict[str, str]) -> None:
        self._await_until(
            lambda: wanted.items() <= self._status(server).items(), f"{server} is {wanted}"
        )

    def _await_until(self, ready: Callable[[], bool], what: str, timeout_s: float = 30) -> None:
        deadline = time.monotonic() + timeout_s
        while not ready():
            if time.monotonic() > deadline:
                raise TimeoutError(f"not within {timeout_s:g} s: {what}")
            time.sleep(0.02)

    def _status(self, server: str) -> dict[str, str]:
        names, *rows = self._ask("show stat").lstrip("# ").splitlines()
        found = (dict(zip(names.split(","), row.split(","), strict=False)) for row in rows)
        return next(row for row in found if row.get("svname") == server)

    def _tell(self, command: str) -> None:
        if answer := self._ask(command).strip():
            raise RuntimeError(f"haproxy on {command!r}: {answer}")

    def _ask(self, command: str) -> str:
        with socket.create_connection((self.address, RUNTIME_PORT), timeout=5) as connection:
            connection.sendall(f"{command}\n".encode())
            with connection.makefile("r") as answer:
                return answer.read()


def _tar_of(name: str, content: str) -> bytes:
    buffer, raw = io.BytesIO(), content.encode()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = len(raw), 0o644
        archive.addfile(entry, io.BytesIO(raw))
    return buffer.getvalue()
