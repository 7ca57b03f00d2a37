"""HTTP over a channel: one request after the other on a connection that is kept."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.lab.standin.channels import Channel
from tests.lab.standin.machine import later

_REASONS = {200: "OK", 201: "Created", 204: "No Content", 304: "Not Modified"}
_WITHOUT_BODY = (204, 304)


@dataclass(frozen=True, slots=True)
class Question:
    """A request."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """By name, in lower case."""
    body: bytes

    def json(self) -> Any:
        """Return what the body says."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; what is neither text nor bytes goes as JSON."""

    status: int
    content: object = b""
    after_ms: float = 0
    headers: Mapping[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        """Return it as it is sent."""
        body = (
            self.content if isinstance(self.content, bytes) else json.dumps(self.content).encode()
        )
        kind = "application/json"
        lines = [f"HTTP/1.1 {self.status} {_REASONS.get(self.status, 'Status')}"]
        headers = {"Content-Type": kind, "Content-Length": str(len(body)), **self.headers}
        if self.status in _WITHOUT_BODY:
            del headers["Content-Length"]
            body = b""
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode() + body


class Web:
    """Answers requests with what `answer` makes of them, when its time has come."""

    def __init__(self, channel: Channel, answer: Callable[[Question], Reply]) -> None:
        self._channel = channel
        self._answer = answer
        self._buffer = b""

    def received(self, data: bytes) -> None:
        """Take a part of a request."""
        self._buffer += data
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return
        first, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (li.partition(": ") for li in lines)}
        size = int(headers.get("content-length", "0"))
        if len(rest) < size:
            return
        self._buffer = rest[size:]
        method, target, _ = first.split(" ")
        url = urlsplit(target)
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        reply = self._answer(Question(method, url.path, query, headers, rest[:size]))
        later(reply.after_ms, lambda: self._channel.write(reply.encoded()))

    def ended(self) -> None:
        """Close."""
        self._channel.close()

    def gone(self) -> None:
        """Do nothing."""
