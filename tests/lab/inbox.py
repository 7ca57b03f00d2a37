"""A service that takes messages over real HTTP, in the way that a test wants."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "T0SECRET/B0SECRET/XXSECRETXX"


@dataclass
class Inbox:
    """What has come in, and the statuses that the next requests are answered with; then 200."""

    port: int = 0
    statuses: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    """Of answers that are not 200."""
    hangs: bool = False
    released: threading.Event = field(default_factory=threading.Event)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The URL to post to, which is a secret."""
        return f"http://127.0.0.1:{self.port}/services/{SECRET}"


@contextmanager
def inbox() -> Iterator[Inbox]:
    """Take messages until the block ends."""
    box = Inbox()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            box.paths.append(self.path)
            box.bodies.append(json.loads(body))
            if box.hangs:
                box.released.wait(60)
            status = box.statuses.pop(0) if box.statuses else 200
            self.send_response(status)
            for name, value in box.headers.items() if status != 200 else ():
                self.send_header(name, value)
            self.send_header("content-length", "0")
            self.end_headers()

        do_GET = do_POST  # noqa: N815  as http.server calls it

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    box.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield box
    finally:
        box.released.set()
        server.shutdown()
        thread.join()
        server.server_close()
