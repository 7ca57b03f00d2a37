"""A real HAProxy on loopback, with a small real application in each slot."""

from __future__ import annotations

import contextlib
import http.client
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from restoops.adapters.connection import LocalConnection
from restoops.adapters.haproxy import ProxySettings, ProxyWish, Route, live_map, slots_file
from restoops.adapters.probe import Prober
from restoops.adapters.runtime import RuntimeApi
from restoops.model import Color
from tests.lab.patience import PATIENCE_S, eventually
from tests.lab.ports import free_port

HAPROXY = "/usr/sbin/haproxy"
ADDRESSES = {Color.BLUE: "127.30.0.11", Color.GREEN: "127.30.0.12"}


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds that a real program brings about."""
    assert eventually(holds), "it did not come true"


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that goes away in the midst is part of the tests."""


class App:
    """Answers with the name of its slot; `/hold` when `let_go` is set, and `/drop` never."""

    def __init__(self, color: Color, port: int) -> None:
        self.let_go = threading.Event()
        self.seen: list[str] = []
        app = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                app.seen.append(self.path)
                if self.path == "/drop":
                    self.close_connection = True
                    return
                if self.path == "/hold":
                    app.let_go.wait(PATIENCE_S)
                status = int(self.path[1:]) if self.path[1:].isdigit() else 200
                self.send_response(status)
                self.send_header("content-length", str(len(color.value)))
                self.end_headers()
                self.wfile.write(color.value.encode())

            do_POST = do_GET  # noqa: N815  as http.server calls it

            def log_message(self, *_: object) -> None:
                pass

        self._server = _Server((ADDRESSES[color], port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self.let_go.set()
        self._server.shutdown()
        self._server.server_close()


@dataclass(frozen=True)
class Haproxy:
    """A process, and the ways to it that the product uses."""

    settings: ProxySettings
    wish: ProxyWish
    endpoints: dict[Color, str]
    apps: dict[Color, App]

    def runtime(self) -> RuntimeApi:
        return RuntimeApi("web-1", self.settings.directory, LocalConnection().dial)

    def prober(self) -> Prober:
        return Prober(f"{self.settings.directory}/run/probe.sock", LocalConnection().dial)

    def get(self, path: str = "/", method: str = "GET") -> tuple[int, str]:
        """Ask as a client does."""
        connection = http.client.HTTPConnection("127.0.0.1", self.settings.port, timeout=10)
        with contextlib.closing(connection):
            connection.request(method, path)
            response = connection.getresponse()
            return response.status, response.read().decode()


def settings_in(directory: Path, port: int = 3001) -> ProxySettings:
    return ProxySettings(str(directory), port, "/health", timeout_s=60)


def endpoints_at(port: int) -> dict[Color, str]:
    return {color: f"{address}:{port}" for color, address in ADDRESSES.items()}


@contextlib.contextmanager
def running(
    directory: Path, edit: Callable[[str], str] = lambda config: config
) -> Iterator[Haproxy]:
    """Start HAProxy with nobody live, and an application in each slot."""
    settings, app_port = settings_in(directory, free_port()), free_port()
    wish = ProxyWish("menu", "haproxy:2.6", settings)
    (directory / "run").mkdir()
    (directory / "live.map").write_text(live_map(Route(None)))
    (directory / "slots.cfg").write_text(slots_file(endpoints_at(app_port)))
    (directory / "haproxy.cfg").write_text(edit(wish.config))
    apps = {color: App(color, app_port) for color in Color}
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            [HAPROXY, "-db", "-f", directory / "slots.cfg", "-f", directory / "haproxy.cfg"],
            stdout=log,
            stderr=log,
        )
    try:
        until(lambda: (directory / "run/admin.sock").exists())
        yield Haproxy(settings, wish, endpoints_at(app_port), apps)
    finally:
        process.kill()
        process.wait()
        for app in apps.values():
            app.close()
