"""HAProxy on a host: its configuration, its runtime API, its counters.

The one line of `live.map` is the truth about who serves: `live blue`, `live green` or
`live none`. haproxy.cfg changes only when settings do. Facts about the runtime API are from
https://docs.haproxy.org/2.6/management.html#9.3 and tried with 2.6.
"""

from __future__ import annotations

import contextlib
import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from restoops.adapters.connection import Stream
from restoops.errors import NeedsAttention, Unreachable
from restoops.model import Color

_PROMPT = b"\n> "


@dataclass(frozen=True, slots=True)
class ProxySettings:
    """What haproxy.cfg depends on."""

    directory: str
    """Directory of the proxy on the host, the same inside its container."""
    port: int
    app_port: int
    addresses: dict[Color, str]
    health_path: str
    timeout_s: int


@dataclass(frozen=True, slots=True)
class Traffic:
    """What the running process says about who serves."""

    live: Color | None
    up: frozenset[Color]
    covering: bool
    sessions: dict[Color, int]
    """Requests that run or wait in each slot."""
    doubted: frozenset[Color] = frozenset()
    """Slots that answered, but badly, when HAProxy itself last checked them."""


def live_map(live: Color | None) -> str:
    """Return the text of `live.map`."""
    return f"live {live or 'none'}\n"


def parse_live(text: str) -> Color | None:
    """Return the slot that a map names, in a file or as the runtime API shows it."""
    words = text.split()
    name = words[-1] if "live" in words[-3:-1] else "none"
    return Color(name) if name in list(Color) else None


def render(settings: ProxySettings) -> str:
    """Return haproxy.cfg."""
    run = f"{settings.directory}/run"
    live = f"%[str(live),map({settings.directory}/live.map,none)]"
    return f"""\
# Written by restoops; changes are overwritten.
global
    stats socket {run}/admin.sock mode 600 level admin expose-fd listeners
    stats timeout 10m
    # Keep-alive connections of a proxy that was replaced are closed after this long.
    hard-stop-after 10m

defaults
    mode http
    timeout connect 2s
    timeout client {settings.timeout_s}s
    timeout server {settings.timeout_s}s
    timeout queue 5s
    timeout tunnel 1h
    timeout http-keep-alive 60s
    option forwardfor
    # Only what cannot have reached the application is tried again, and a GET that it dropped
    # without a byte of an answer: a POST must never run twice.
    option redispatch
    retries 3
    retry-on conn-failure empty-response
    # Checks of a slot that is down are frequent, so that a start is noticed at once. Idle
    # connections are dropped before an application would close them (Node: after 5 s).
    default-server inter 1s fastinter 200ms downinter 200ms rise 1 fall 3 pool-purge-delay 2s

frontend app
    bind :{settings.port}
    http-request disable-l7-retry unless METH_GET
    use_backend app_{live}

# The CLI asks here: a named slot, or as any client.
frontend probe
    bind unix@{run}/probe.sock mode 600
    http-request set-var(txn.slot) req.hdr(x-restoops-slot)
    http-request del-header x-restoops-slot
    http-response set-header x-restoops-slot %s
    use_backend probe_%[var(txn.slot)] if {{ var(txn.slot) -m found }}
    use_backend app_{live}

backend app_none
    http-request return status 503 content-type text/plain string "no release is live here"
{_backends(settings)}"""


def _backends(settings: ProxySettings) -> str:
    port = settings.app_port
    return "".join(
        f"""
backend app_{color}
    # Any answer will do: a database that is down makes every release unhealthy at once, and
    # to take them all out of service would help nobody. What hangs or is gone does not answer.
    option httpchk GET {settings.health_path}
    http-check expect rstatus ^[1-5]
    timeout check 5s
    server {color} {settings.addresses[color]}:{port} check
    server {color.other} {settings.addresses[color.other]}:{port} backup disabled track app_{color.other}/{color.other}

backend probe_{color}
    timeout connect 500ms
    retries 0
    server {color} {settings.addresses[color]}:{port}
"""  # noqa: E501  one server, one line
        for color in Color
    )


class RuntimeApi:
    """The runtime API of the running process, over one interactive stream that `dial` makes."""

    def __init__(self, host: str, directory: str, dial: Callable[[str], Stream]) -> None:
        self.host = host
        self._map = f"{directory}/live.map"
        self._socket = f"{directory}/run/admin.sock"
        self._dial = dial
        self._stream: Stream | None = None
        self._is_greeted = False

    def connect(self) -> None:
        """Connect ahead of use, so that the way is ready when it is needed."""
        if self._stream is None:
            self._stream = self._dial(self._socket)
            self._stream.settimeout(10)
            self._is_greeted = False
            with contextlib.suppress(OSError):  # who asks then is told that nobody answers
                self._stream.sendall(b"prompt\n")

    def close(self) -> None:
        """Close the stream; the next call opens another."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def traffic(self) -> Traffic:
        """Return who serves, who could, and how many requests run where.

        Raises:
            Unreachable: no proxy runs.
        """
        live = parse_live(self._ask(f"show map {self._map}"))
        rows = list(csv.DictReader(self._ask("show stat").removeprefix("# ").splitlines()))
        return parse_traffic(live, rows)

    def description(self) -> str:
        """Return the fingerprint of the configuration that the process runs with."""
        lines = self._ask("show info").splitlines()
        return next((li.partition(": ")[2] for li in lines if li.startswith("description:")), "")

    def route(self, live: Color | None) -> None:
        """Send new requests to `live`; the caller has written the file.

        Raises:
            NeedsAttention: HAProxy refused.
        """
        self._order(f"set map {self._map} live {live or 'none'}")
        says = parse_live(self._ask(f"show map {self._map}"))
        if says is not live:
            raise NeedsAttention(
                f"{self.host}: HAProxy routes to {says or 'nobody'} and not to {live or 'nobody'}",
                hint="`restoops status` shows what serves; `restoops doctor` checks the proxy.",
            )

    def mark_up(self, color: Color) -> None:
        """Tell HAProxy what we have just found: the slot is healthy. Its checks go on."""
        self._order(f"set server app_{color}/{color} health up")

    def cover(self, color: Color, *, on: bool) -> None:
        """Let `color` stand in for the other slot, or keep it from doing so."""
        state = "ready" if on else "maint"
        self._order(f"set server app_{color.other}/{color} state {state}")

    def _order(self, command: str) -> None:
        # "No such server." and all other refusals come as text, with success: any answer is one.
        answer = self._ask(command).strip()
        if answer:
            raise NeedsAttention(
                f"{self.host}: HAProxy refused `{command}`: {answer}",
                hint="Was its configuration edited by hand? The next deploy writes it anew.",
            )

    def _ask(self, command: str) -> str:
        try:
            self.connect()
            if not self._is_greeted:
                self._read()
                self._is_greeted = True
            return self._exchange(command)
        except (OSError, EOFError) as error:
            self.close()
            raise Unreachable(
                f"{self.host}: HAProxy does not answer: {error}",
                hint="The next deploy or rollback starts it again; `restoops doctor` says more.",
            ) from error

    def _exchange(self, command: str) -> str:
        assert self._stream  # noqa: S101  connect() has made it
        self._stream.sendall(command.encode() + b"\n")
        return self._read()

    def _read(self) -> str:
        """Return what comes before the next prompt."""
        assert self._stream  # noqa: S101  connect() has made it
        answer = b""
        while not answer.endswith(_PROMPT):
            part = self._stream.recv(65536)
            if not part:
                raise EOFError("the connection was closed")
            answer += part
        return answer.removesuffix(_PROMPT).decode(errors="replace")


def parse_traffic(live: Color | None, rows: Sequence[dict[str, str]]) -> Traffic:
    """Read the rows of `show stat` (https://docs.haproxy.org/2.6/management.html#9.1)."""
    servers = [
        row for row in rows if row["pxname"].startswith("app_") and row["svname"] in tuple(Color)
    ]
    sessions = dict.fromkeys(Color, 0)
    up: set[Color] = set()
    doubted: set[Color] = set()
    covering = False
    for row in servers:
        color = Color(row["svname"])
        sessions[color] += int(row["scur"] or 0) + int(row["qcur"] or 0)
        is_up = row["status"].startswith("UP")
        if row["pxname"] == f"app_{color}" and is_up:
            up.add(color)
        if row.get("check_status", "").endswith("L7STS"):  # "* L7STS" while the next one runs
            doubted.add(color)
        covering |= live is color.other and row["pxname"] == f"app_{live}" and is_up
    return Traffic(live, frozenset(up), covering, sessions, frozenset(doubted))
