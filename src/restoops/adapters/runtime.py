"""HAProxy's runtime API and its counters.

Facts about it are from https://docs.haproxy.org/2.6/management.html#9.3 and tried with 2.6.
"""

from __future__ import annotations

import contextlib
import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from restoops.adapters.connection import Stream
from restoops.adapters.haproxy import Route, parse_route
from restoops.errors import NeedsAttention, Unreachable
from restoops.model import Color, Counts

_PROMPT = b"\n> "
_ANSWER_S = 10
_SERVERS = "show stat -1 4 -1"
"""The counters of all servers, and not those of all frontends and backends."""
_ANSWERS = tuple(f"hrsp_{kind}" for kind in ("1xx", "2xx", "3xx", "4xx", "5xx", "other"))
_NO_ANSWER = ("econ", "eresp")
_COLORS = {color.value: color for color in Color}
_COLUMNS = frozenset(
    ("pxname", "svname", "addr", "scur", "qcur", "status", "check_code", *_ANSWERS, *_NO_ANSWER)
)


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
    counts: Mapping[Color, Counts] = field(default_factory=dict)
    """Requests of clients in each slot since the process was started."""


class RuntimeApi:
    """The runtime API of the running process, over one interactive stream that `dial` makes."""

    def __init__(self, host: str, directory: str, dial: Callable[[str], Stream]) -> None:
        self.host = host
        self._map = f"{directory}/live.map"
        self._show_map = f"show map {self._map}"
        self._socket = f"{directory}/run/admin.sock"
        self._dial = dial
        self._stream: Stream | None = None
        self._is_greeted = False

    def connect(self) -> None:
        """Connect ahead of use, so that the way is ready when it is needed."""
        if self._stream is None:
            self._stream = self._dial(self._socket)
            self._stream.settimeout(_ANSWER_S)
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
        servers, route = self._ask(_SERVERS, self._show_map)
        return parse_traffic(parse_route(route), _rows(servers, "app_"))

    def current(self) -> Route:
        """Return where new requests go."""
        (route,) = self._ask(self._show_map)
        return parse_route(route)

    def description(self) -> str:
        """Return the fingerprint of the configuration that the process runs with."""
        (told,) = self._ask("show info")
        lines = told.splitlines()
        return next((li.partition(": ")[2] for li in lines if li.startswith("description:")), "")

    def route(self, route: Route) -> None:
        """Send new requests there; the caller has written the file.

        Raises:
            NeedsAttention: HAProxy refused.
        """
        (told,) = self._order(f"set map {self._map} live {route}", self._show_map)
        if (says := parse_route(told)) != route:
            raise NeedsAttention(
                f"{self.host}: HAProxy routes to {says} and not to {route}",
                hint="`restoops status` shows what serves; `restoops doctor` checks the proxy.",
            )

    def endpoints(self) -> dict[Color, str]:
        """Return `address:port` of each slot, as the process has it."""
        return {Color(row["svname"]): row["addr"] for row in self._servers()}

    def aim(self, color: Color, endpoint: str) -> None:
        """Reach a slot at another `address:port`; the caller has written the file.

        Raises:
            NeedsAttention: HAProxy refused.
        """
        address, _, port = endpoint.rpartition(":")
        elsewhere = self._elsewhere(color, endpoint)
        for proxy in elsewhere:
            # Its answer says what has changed, or why nothing has: the counters tell.
            self._ask_once(f"set server {proxy}/{color} addr {address} port {port}")
        if elsewhere and self._elsewhere(color, endpoint):
            raise NeedsAttention(
                f"{self.host}: HAProxy does not reach {color} at {endpoint}",
                hint="`docker restart` of the proxy there lets it read its configuration anew.",
            )

    def mark_up(self, color: Color) -> None:
        """Tell HAProxy what we have just found: the slot is healthy. Its checks go on."""
        self._order(f"set server app_{color}/{color} health up")

    def _elsewhere(self, color: Color, endpoint: str) -> list[str]:
        """Return the proxies that do not reach the slot at `endpoint`."""
        rows = (row for row in self._servers() if row["svname"] == color)
        return [row["pxname"] for row in rows if row["addr"] != endpoint]

    def _servers(self) -> list[dict[str, str]]:
        (told,) = self._ask(_SERVERS)
        return [row for row in _rows(told) if row["svname"] in _COLORS]

    def _order(self, command: str, *questions: str) -> list[str]:
        """Give an order; return the answers to `questions` that are asked right after it."""
        # An order is sent once: a stream that was closed meanwhile has to be noticed before.
        if not self._is_quiet():
            self.current()
        # "No such server." and all other refusals come as text, with success: any answer is one.
        answer, *answers = self._ask_once(command, *questions)
        if refusal := answer.strip():
            raise NeedsAttention(
                f"{self.host}: HAProxy refused `{command}`: {refusal}",
                hint="Was its configuration edited by hand? The next deploy writes it anew.",
            )
        return answers

    def _is_quiet(self) -> bool:
        """Return whether the stream is open and has nothing to say; it is not waited for."""
        if self._stream is None or not self._is_greeted:
            return False
        self._stream.settimeout(0)
        try:
            self._stream.recv(1)
        except (TimeoutError, BlockingIOError):  # of a channel, of a socket
            return True
        except OSError:
            return False
        finally:
            self._stream.settimeout(_ANSWER_S)
        self.close()  # its end, or an answer to nobody's question
        return False

    def _ask(self, *commands: str) -> list[str]:
        """Ask something that changes nothing, on a new stream if HAProxy has closed the old one.

        It does so when nothing was asked for long, such as during a migration.
        """
        was_open = self._stream is not None
        try:
            return self._talk(commands)
        except TimeoutError as error:
            raise self._no_answer(error) from error
        except (OSError, EOFError) as error:
            if not was_open:
                raise self._no_answer(error) from error
        self.close()
        return self._ask_once(*commands)

    def _ask_once(self, *commands: str) -> list[str]:
        try:
            return self._talk(commands)
        except (OSError, EOFError) as error:
            raise self._no_answer(error) from error

    def _talk(self, commands: Sequence[str]) -> list[str]:
        """Send all commands in one breath, and return the answer to each."""
        self.connect()
        assert self._stream  # noqa: S101  connect() has made it
        if not self._is_greeted:
            self._read(1)
            self._is_greeted = True
        self._stream.sendall("".join(f"{command}\n" for command in commands).encode())
        return self._read(len(commands))

    def _no_answer(self, error: Exception) -> Unreachable:
        self.close()
        return Unreachable(
            f"{self.host}: HAProxy does not answer: {error}",
            hint="The next deploy or rollback starts it again; `restoops doctor` says more.",
        )

    def _read(self, count: int) -> list[str]:
        """Return what comes before each of the next `count` prompts."""
        assert self._stream  # noqa: S101  connect() has made it
        answer = b""
        while answer.count(_PROMPT) < count:
            part = self._stream.recv(65536)
            if not part:
                raise EOFError("the connection was closed")
            answer += part
        return answer.decode(errors="replace").split(_PROMPT.decode())[:count]


def _rows(text: str, proxies: str = "") -> list[dict[str, str]]:
    """Return the rows of the proxies whose names begin like that.

    Of a hundred columns we read a dozen, and every poll of every host comes here.
    """
    first, *lines = text.removeprefix("# ").splitlines()
    head, *rows = csv.reader([first, *(line for line in lines if line.startswith(proxies))])
    wanted = [(name, number) for number, name in enumerate(head) if name in _COLUMNS]
    return [{name: row[number] for name, number in wanted} for row in rows if row]


def parse_traffic(route: Route, rows: Sequence[dict[str, str]]) -> Traffic:
    """Read the rows of `show stat` (https://docs.haproxy.org/2.6/management.html#9.1)."""
    sessions = dict.fromkeys(Color, 0)
    counts = dict.fromkeys(Color, Counts())
    up: set[Color] = set()
    doubted: set[Color] = set()
    for row in rows:
        color = _COLORS.get(row["svname"])
        if color is None or not row["pxname"].startswith("app_"):
            continue
        sessions[color] += int(row["scur"] or 0) + int(row["qcur"] or 0)
        counts[color] += _counts(row)
        if row["pxname"] == f"app_{color}" and row["status"].startswith("UP"):
            up.add(color)
        # Any answer passes the check, but its status is told: 2xx, or a reason to doubt.
        if row.get("check_code", "") not in ("", "0") and not row["check_code"].startswith("2"):
            doubted.add(color)
    covering = route.covered and route.live is not None and route.live.other in up
    return Traffic(route.live, frozenset(up), covering, sessions, frozenset(doubted), counts)


def _counts(row: dict[str, str]) -> Counts:
    """Return what a server was asked; its own answers, and the connections that gave none."""
    answered = sum(map(int, filter(None, map(row.get, _ANSWERS))))
    broken = sum(map(int, filter(None, map(row.get, _NO_ANSWER))))
    return Counts(answered + broken, int(row.get("hrsp_5xx") or 0) + broken)
