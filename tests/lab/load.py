"""Send requests at a fixed rate and tell which failed, how long each took, and who answered.

The rate is kept whatever the server does (open loop), and the time of a request counts from
the instant it was due. Half of the requests use kept-alive connections, half a fresh one each;
half of either are POST, which nobody may send twice: no retry can save one that is dropped.
SIGINT or SIGTERM ends the run early; SIGUSR1 says that from now on an older release may come
back. The result goes to stdout; a line on stderr names each release when it takes over.

    python -m tests.lab.load --url http://198.18.23.2:3001/ --rate 500 --seconds 20 --json
"""

from __future__ import annotations

import argparse
import asyncio
import errno
import json
import re
import signal
import socket
import sys
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

KEPT_CONNECTIONS = 32
BODY = "an order of one coffee"
FIELDS = re.compile(
    rb"\r\n(content-length|transfer-encoding|connection|x-release): *([^\r]*)", re.I
)


@dataclass(slots=True)
class Request:
    """One request, from the instant it is due."""

    due_s: float
    is_slow: bool
    is_fresh: bool
    is_post: bool


@dataclass(slots=True)
class Seen:
    """When a release answered, in seconds since the start, and how often."""

    first_s: float
    last_s: float
    count: int = 0


class Releases:
    """Which release answered when, and whether an older one came back after a newer one."""

    def __init__(self) -> None:
        self.seen: dict[str, Seen] = {}
        self.sequence: list[str] = []
        self.mixed = 0
        self._left: set[str] = set()
        self._current_since_s = 0.0

    def expect_change(self) -> None:
        """Forget which releases are old: any may become the current one."""
        self._left.clear()

    def answered(self, release: str, opened_s: float, now_s: float) -> None:
        """Note an answer over a connection that the client began to open at `opened_s`."""
        is_new = release not in self.seen
        seen = self.seen.setdefault(release, Seen(now_s, now_s))
        seen.last_s, seen.count = now_s, seen.count + 1
        if release in self.sequence[-1:]:
            return
        # A connection from before the change may have met the old release: that is no fault.
        if not is_new and opened_s <= self._current_since_s:
            return
        if release in self._left:
            self.mixed += 1
            return
        self._left.update(self.sequence[-1:])
        self.sequence.append(release)
        self._current_since_s = now_s
        print(f"release {release}", file=sys.stderr, flush=True)


@dataclass(slots=True)
class Second:
    """One second of the run, by the instant requests were due."""

    sent: int = 0
    ok: int = 0
    failed: int = 0
    max_ms: float = 0


@dataclass(slots=True)
class Tally:
    """All that is known about the requests so far."""

    started_s: float
    releases: Releases = field(default_factory=Releases)
    kinds: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    posts: int = 0
    ok: int = 0
    server_errors: int = 0
    latencies_ms: list[float] = field(default_factory=list)
    slow_ms: list[float] = field(default_factory=list)
    seconds: list[Second] = field(default_factory=list)
    late_max_ms: float = 0

    def second(self, at_s: float) -> Second:
        """Return the bucket of the instant `at_s`."""
        index = int(at_s - self.started_s)
        while len(self.seconds) <= index:
            self.seconds.append(Second())
        return self.seconds[index]

    def fail(self, request: Request, kind: str, now_s: float) -> None:
        """Count a request without a good answer."""
        self.kinds[kind] += 1
        self.second(request.due_s).failed += 1
        if len(self.examples) < 20:
            way = "fresh" if request.is_fresh else "kept-alive"
            way = f"{'POST' if request.is_post else 'GET'}, {way}"
            at_s, took_s = request.due_s - self.started_s, now_s - request.due_s
            self.examples.append(f"{kind} ({way}, due at {at_s:.3f} s, after {took_s:.3f} s)")

    def answered(self, request: Request, status: int, now_s: float) -> None:
        """Count a request with a whole answer, be it good or bad."""
        if status >= 400:
            self.server_errors += status >= 500
            self.fail(request, f"status {status}", now_s)
            return
        took_ms = (now_s - request.due_s) * 1000
        second = self.second(request.due_s)
        second.ok += 1
        second.max_ms = max(second.max_ms, round(took_ms, 2))
        (self.slow_ms if request.is_slow else self.latencies_ms).append(took_ms)
        self.ok += 1


class Connection(asyncio.Protocol):
    """One connection with at most one request under way."""

    def __init__(self, client: Client, request: Request) -> None:
        self.client = client
        self.opened_s = client.loop.time()
        self.request: Request | None = request
        self.transport: asyncio.Transport | None = None
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        if self.request:
            self.send(self.request)
        else:
            transport.abort()

    def send(self, request: Request) -> None:
        assert self.transport
        self.request, self.buffer = request, b""
        self.transport.write(self.client.message(request))

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.request:
            self.drop()
            return
        answer = parse(self.buffer)
        if answer and answer.missing == 0:
            self.finish(answer)

    def finish(self, answer: Answer) -> None:
        assert self.request
        request, self.request = self.request, None
        self.client.answered(request, answer, self.opened_s)
        # A fresh connection is closed by the server: the client's ports would run out in a
        # minute if it were the one to wait in TIME_WAIT.
        if not answer.closes:
            self.client.idle.append(self)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.request:
            self.drop()
            return
        answer = parse(self.buffer)
        if answer and answer.missing is None and not error:
            self.finish(answer)
        elif self.buffer:
            self.fail("short answer")
        else:
            self.fail(error_kind(error) if error else "closed before the answer")

    def fail(self, kind: str) -> None:
        if self.request:
            request, self.request = self.request, None
            self.client.tally.fail(request, kind, self.client.loop.time())
        self.drop()

    def drop(self) -> None:
        if self in self.client.idle:
            self.client.idle.remove(self)
        self.client.open.discard(self)
        if self.transport:
            self.transport.abort()


@dataclass(slots=True)
class Answer:
    """An answer as far as it has come; `missing` is None when only the end of stream ends it."""

    status: int
    missing: int | None
    closes: bool
    release: str


def parse(buffer: bytes) -> Answer | None:
    """Read an answer; None as long as its head has not come whole."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    fields = {name.lower(): value for name, value in FIELDS.findall(buffer, 0, end + 2)}
    body = buffer[end + 4 :]
    missing: int | None = None
    if b"content-length" in fields:
        missing = max(0, int(fields[b"content-length"]) - len(body))
    elif fields.get(b"transfer-encoding", b"").lower() == b"chunked":
        missing = int(not (b"\r\n" + body).endswith(b"\r\n0\r\n\r\n"))
    closes = missing is None or fields.get(b"connection", b"").lower() == b"close"
    release = fields.get(b"x-release") or body[:80].strip()
    return Answer(int(buffer[9:12]), missing, closes, release.decode(errors="replace"))


def error_kind(error: BaseException) -> str:
    """Name a failure of the network, the same name for the same fault."""
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, (ConnectionResetError, BrokenPipeError)):
        return "reset"
    if isinstance(error, OSError) and error.errno:
        return errno.errorcode.get(error.errno, "network").lower()
    return type(error).__name__


class Client:
    """Sends the requests of one run."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.loop = asyncio.get_running_loop()
        self.options = options
        url = urlsplit(options.url)
        self.port = url.port or 80
        self.address = socket.gethostbyname(url.hostname or "")
        self.paths = {False: url.path or "/", True: options.slow_path}
        self.host = url.netloc
        self.tally = Tally(self.loop.time())
        self.idle: deque[Connection] = deque()
        self.open: set[Connection] = set()
        self.stopped = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    def message(self, request: Request) -> bytes:
        close = "Connection: close\r\n" if request.is_fresh else ""
        method, path = "POST" if request.is_post else "GET", self.paths[request.is_slow]
        body = f"Content-Length: {len(BODY)}\r\n" if request.is_post else ""
        head = f"{method} {path} HTTP/1.1\r\nHost: {self.host}\r\n{body}{close}\r\n"
        return (head + (BODY if request.is_post else "")).encode()

    async def run(self) -> None:
        """Send what is due until the time is over or a signal comes; then wait for the rest."""
        due_s, number = self.tally.started_s, 0
        end_s = due_s + self.options.seconds
        while due_s < end_s and not self.stopped.is_set():
            await asyncio.sleep(max(0.0, due_s - self.loop.time()))
            now_s = self.loop.time()
            self.tally.late_max_ms = max(self.tally.late_max_ms, (now_s - due_s) * 1000)
            while due_s <= now_s and due_s < end_s:
                self.start(due_s, number)
                number += 1
                due_s = self.tally.started_s + number / self.options.rate
        while any(connection.request for connection in self.open):
            await asyncio.sleep(0.01)

    def start(self, due_s: float, number: int) -> None:
        """Start one request. Slow ones take either kind of connection, too."""
        every = self.options.slow_every
        is_slow = bool(every) and number % every == every - 1
        request = Request(
            due_s,
            is_slow,
            is_fresh=bool((number + number // (every or 2)) % 2),
            is_post=bool(number // 2 % 2),
        )
        self.tally.second(due_s).sent += 1
        self.tally.posts += request.is_post
        if not request.is_fresh and len(self.idle) and len(self.open) >= KEPT_CONNECTIONS:
            connection = self.idle.popleft()
            connection.send(request)
        else:
            connection = Connection(self, request)
            self.open.add(connection)
            task = self.loop.create_task(self.connect(connection))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self.loop.call_later(self.options.timeout, self.time_out, connection, request)

    async def connect(self, connection: Connection) -> None:
        try:
            await self.loop.create_connection(lambda: connection, self.address, self.port)
        except OSError as error:
            connection.fail(error_kind(error))

    def time_out(self, connection: Connection, request: Request) -> None:
        if connection.request is request:
            connection.fail("timeout")

    def answered(self, request: Request, answer: Answer, opened_s: float) -> None:
        now_s = self.loop.time()
        self.tally.answered(request, answer.status, now_s)
        if answer.status < 400:
            start_s = self.tally.started_s
            self.tally.releases.answered(answer.release, opened_s - start_s, now_s - start_s)


def percentile(ordered: list[float], percent: float) -> float:
    """Return a percentile of sorted values, 0 of none."""
    if not ordered:
        return 0.0
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))], 2)


def result(tally: Tally, seconds: float) -> dict[str, Any]:
    """Return the outcome as what JSON can carry; loadrun.LoadResult reads it."""
    ordered = sorted(tally.latencies_ms)
    return {
        "seconds": round(seconds, 3),
        "requests": sum(second.sent for second in tally.seconds),
        "posts": tally.posts,
        "ok": tally.ok,
        "failed": sum(tally.kinds.values()),
        "server_errors": tally.server_errors,
        "kinds": dict(tally.kinds),
        "examples": tally.examples,
        "latency_ms": {
            **{f"p{percent}": percentile(ordered, percent) for percent in (50, 95, 99)},
            "max": percentile(ordered, 100),
        },
        "slow": {"ok": len(tally.slow_ms), "max_ms": percentile(sorted(tally.slow_ms), 100)},
        "releases": {
            name: {"count": seen.count, "first_s": seen.first_s, "last_s": seen.last_s}
            for name, seen in tally.releases.seen.items()
        },
        "sequence": tally.releases.sequence,
        "mixed": tally.releases.mixed,
        "per_second": [
            {"sent": s.sent, "ok": s.ok, "failed": s.failed, "max_ms": s.max_ms}
            for s in tally.seconds
        ],
        "late_max_ms": round(tally.late_max_ms, 2),
    }


async def send_load(options: argparse.Namespace) -> dict[str, Any]:
    """Carry out the run that `options` ask for and return its result."""
    client = Client(options)
    for number in (signal.SIGINT, signal.SIGTERM):
        client.loop.add_signal_handler(number, client.stopped.set)
    client.loop.add_signal_handler(signal.SIGUSR1, client.tally.releases.expect_change)
    await client.run()
    seconds = client.loop.time() - client.tally.started_s
    for connection in list(client.open):
        connection.drop()
    await asyncio.sleep(0)
    return result(client.tally, seconds)


def main() -> None:
    """Read the options, send the load, print the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", required=True)
    parser.add_argument("--rate", type=float, default=500, help="requests a second")
    parser.add_argument("--seconds", type=float, default=20, help="at most that long")
    parser.add_argument("--slow-path", default="/slow?s=10")
    parser.add_argument("--slow-every", type=int, default=0, help="every Nth request is slow")
    parser.add_argument("--timeout", type=float, default=30, help="seconds until one has failed")
    parser.add_argument("--json", action="store_true", help="print JSON on one line")
    options = parser.parse_args()
    outcome = asyncio.run(send_load(options))
    print(json.dumps(outcome, indent=None if options.json else 2))


if __name__ == "__main__":
    main()
