"""Who serves on a host, and where: our files there and the running HAProxy, kept in agreement.

The file always comes first: what a restarted proxy would do is never behind what the running one
does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from restoops.adapters.files import Files
from restoops.adapters.haproxy import (
    LIVE_MAP,
    SLOTS,
    Route,
    live_map,
    parse_route,
    parse_slots,
    slots_file,
)
from restoops.adapters.proxy import ProxyService
from restoops.adapters.runtime import RuntimeApi, Traffic
from restoops.errors import Unreachable
from restoops.model import Color

_T = TypeVar("_T")


class Routing:
    """The map and the slots of one application on one host."""

    def __init__(self, files: Files, proxy: ProxyService, runtime: RuntimeApi) -> None:
        self._files = files
        self._proxy = proxy
        self._runtime = runtime
        self._slots: dict[Color, str] | None = None

    def remember(self, files: Mapping[str, str]) -> None:
        """Take note of `slots.cfg`, read together with other files."""
        self._slots = parse_slots(files.get(SLOTS, ""))

    def set_up(self) -> None:
        """Write a map that sends requests to nobody, unless there is one."""
        if LIVE_MAP not in self._files.read(LIVE_MAP):
            self._files.write({LIVE_MAP: live_map(Route(None))})

    def traffic(self) -> Traffic:
        """Return who serves, who could, and how many requests run where.

        Without a proxy nobody serves; what would is then what the file says.
        """
        return self._asked(self._runtime.traffic, self._none)

    def route(self, route: Route) -> None:
        """Send new requests there."""
        self._files.write({LIVE_MAP: live_map(route)})
        self._asked(lambda: self._runtime.route(route), lambda: None)

    def cover(self, color: Color, *, on: bool) -> None:
        """Let `color` stand in for the live slot, or keep it from doing so."""
        route = self._asked(self._runtime.current, self._on_file)
        if route.live is color.other and route.covered is not on:
            self.route(Route(route.live, covered=on))

    def keep_slots(self, wanted: Mapping[Color, str]) -> None:
        """Write where each slot is reached, unless that is on file.

        What runs already is reached where the running proxy has it, the rest as `wanted`.
        """
        known = self._known()
        if len(known) < len(Color):
            running = self._asked(self._runtime.endpoints, dict[Color, str])
            self._write({**wanted, **running, **known})

    def aim(self, color: Color, endpoint: str) -> None:
        """Reach `color`, in which nothing runs, at `endpoint`; the other slot stays as it is."""
        known = self._known()
        if known.get(color) != endpoint:
            self._write({**known, color: endpoint})
        self._asked(lambda: self._runtime.aim(color, endpoint), lambda: None)

    def _asked(self, ask: Callable[[], _T], without: Callable[[], _T]) -> _T:
        """Ask the running proxy; only where none runs is `without` the answer.

        Docker is asked about it only then: its answers take longer than HAProxy's.
        """
        try:
            return ask()
        except Unreachable:
            if self._proxy.runs():
                raise
        return without()

    def _none(self) -> Traffic:
        idle = dict.fromkeys(Color, 0)
        return Traffic(self._on_file().live, frozenset(), covering=False, sessions=idle)

    def _known(self) -> dict[Color, str]:
        if self._slots is None:
            self.remember(self._files.read(SLOTS))
        return dict(self._slots or {})

    def _write(self, slots: dict[Color, str]) -> None:
        self._files.write({SLOTS: slots_file(slots)})
        self._slots = slots

    def _on_file(self) -> Route:
        return parse_route(self._files.read(LIVE_MAP).get(LIVE_MAP, ""))
