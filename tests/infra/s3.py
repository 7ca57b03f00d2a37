"""A real S3 server on loopback, which can be told to behave as other services do."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.s3.models import s3_backends
from werkzeug.serving import BaseWSGIServer, make_server

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Behaviour(Enum):
    """What the server does beside what S3 does."""

    AS_S3 = auto()
    IGNORES_CONDITIONS = auto()
    REFUSES_CONDITIONS = auto()
    REFUSES_KEYS = auto()
    LIMITS_CALLS = auto()
    OWNED_BY_OTHERS = auto()


_ANSWERS = {
    Behaviour.REFUSES_CONDITIONS: ("501 Not Implemented", "NotImplemented"),
    Behaviour.REFUSES_KEYS: ("403 Forbidden", "InvalidAccessKeyId"),
    Behaviour.LIMITS_CALLS: ("503 Slow Down", "SlowDown"),
    Behaviour.OWNED_BY_OTHERS: ("409 Conflict", "BucketAlreadyExists"),
}


@dataclass
class Server:
    """The server, at `url`; `behaviour` can be changed while it runs."""

    behaviour: Behaviour = Behaviour.AS_S3
    url: str = ""
    _server: BaseWSGIServer | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def client(self) -> Any:
        """Return a client, to look at what is there."""
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="test-key",
            aws_secret_access_key="test-secret",
        )

    def stop(self) -> None:
        """Stop answering."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def start(self) -> None:
        """Answer on a free port of loopback."""
        moto = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._around(moto), threaded=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _around(self, moto: Wsgi) -> Wsgi:
        def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            if self._is_refused(environ):
                status, code = _ANSWERS[self.behaviour]
                start(status, [("Content-Type", "application/xml")])
                return [f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()]
            if self.behaviour is Behaviour.IGNORES_CONDITIONS:
                environ.pop("HTTP_IF_NONE_MATCH", None)
            # moto looks and writes in two steps: S3 does it in one.
            with self._lock:
                return list(moto(environ, start))

        return answer

    def _is_refused(self, environ: dict[str, Any]) -> bool:
        if self.behaviour is Behaviour.REFUSES_CONDITIONS:
            return "HTTP_IF_NONE_MATCH" in environ
        if self.behaviour is Behaviour.OWNED_BY_OTHERS:
            return bool(environ["REQUEST_METHOD"] == "PUT")
        return self.behaviour in _ANSWERS


@contextmanager
def serving() -> Iterator[Server]:
    """Run a server with nothing in it."""
    s3_backends.reset()
    server = Server()
    server.start()
    try:
        yield server
    finally:
        server.stop()
