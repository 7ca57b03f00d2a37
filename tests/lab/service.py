"""What stand-ins of services over real HTTP have in common: faults, and what was asked."""

import json
import socket
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

_CUT = -1
"""Instead of a status: the connection ends without an answer."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What the next requests are answered with instead of an answer."""

    status: int
    headers: dict[str, str]
    message: str = "You have exceeded a secondary rate limit"

    @classmethod
    def cut(cls) -> "Fault":
        return cls(_CUT, {})


class Service:
    """Listens on a port of its own until it is closed."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str]] = []
        """Method and path of each request that got past the faults."""
        self.faults: list[Fault] = []
        """Answered to the next requests, first one first."""
        self._lock = threading.RLock()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1

            def handle_one(self) -> None:
                server.handle(self)

            do_GET = do_HEAD = do_DELETE = handle_one  # noqa: N815  their names are given
            do_PUT = do_POST = do_PATCH = handle_one  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, request: object, client_address: object) -> None:
                pass  # a client that has gone

        self._server = Server(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._server.server_port}"
        self.api = f"http://{self.host}/api"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def changes(self) -> list[tuple[str, str]]:
        """Return the requests that were meant to change something."""
        return [request for request in self.requests if request[0] not in ("GET", "HEAD")]

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        fault = self.faults.pop(0) if self.faults else None
        body = request.rfile.read(int(request.headers.get("content-length") or 0))
        if fault and fault.status == _CUT:
            return self.cut(request)
        if fault:
            return self.say(request, fault.status, {"message": fault.message}, fault.headers)
        self.requests.append((request.command, request.path))
        with self._lock:
            return self.answer(request, body)

    def answer(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        """Answer a request; only one at a time."""
        raise NotImplementedError

    def say(
        self,
        request: BaseHTTPRequestHandler,
        status: int,
        content: object,
        headers: dict[str, str] | None = None,
    ) -> None:
        body = b"" if content is None else json.dumps(content).encode()
        self.say_bytes(request, status, body, headers or {})

    def say_bytes(
        self, request: BaseHTTPRequestHandler, status: int, body: bytes, headers: dict[str, str]
    ) -> None:
        request.send_response(status)
        for name, value in (headers | {"content-length": str(len(body))}).items():
            request.send_header(name, value)
        request.end_headers()
        if request.command != "HEAD":
            request.wfile.write(body)
        request.wfile.flush()

    def cut(self, request: BaseHTTPRequestHandler) -> None:
        request.close_connection = True
        request.connection.shutdown(socket.SHUT_RDWR)
