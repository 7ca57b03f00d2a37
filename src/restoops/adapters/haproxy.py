"""HAProxy on a host: its configuration, and the map that says who serves.

The one line of `live.map` is the truth about who serves: `live blue`, `live green_blue` (green,
with blue in reserve) or `live none`. haproxy.cfg changes only when settings do. Where each slot is
reached, `slots.cfg` says: what runs there keeps the port and the address that it was started with.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from restoops.model import Color

LIVE_MAP, SLOTS = "proxy/live.map", "proxy/slots.cfg"
"""Below the directory of the application."""


@dataclass(frozen=True, slots=True)
class ProxySettings:
    """What haproxy.cfg depends on."""

    directory: str
    """Directory of the proxy on the host, the same inside its container."""
    port: int
    health_path: str
    timeout_s: int


@dataclass(frozen=True, slots=True)
class Route:
    """Where new requests go: what the one line of `live.map` says."""

    live: Color | None
    covered: bool = False
    """Whether the other slot stands in while the live one is down."""

    def __str__(self) -> str:
        if self.live is None:
            return "none"
        return f"{self.live}_{self.live.other}" if self.covered else self.live.value


_ROUTES = {
    str(Route(color, covered)): Route(color, covered)
    for color in Color
    for covered in (False, True)
}


def live_map(route: Route) -> str:
    """Return the text of `live.map`."""
    return f"live {route}\n"


def parse_route(text: str) -> Route:
    """Return what a map says, in a file or as the runtime API shows it; nobody if in doubt."""
    words = text.split()
    return _ROUTES.get(words[-1], Route(None)) if "live" in words[-2:-1] else Route(None)


def slots_file(endpoints: Mapping[Color, str]) -> str:
    """Return `slots.cfg`: `address:port` of the slots, which the other configuration refers to."""
    lines = (f"    setenv {_variable(color)} {at}\n" for color, at in sorted(endpoints.items()))
    return "# Written by restoops; changes are overwritten.\nglobal\n" + "".join(lines)


def parse_slots(text: str) -> dict[Color, str]:
    """Read `slots.cfg`; a slot that it does not know is left out."""
    found = {color: re.search(rf"setenv {_variable(color)} (\S+)", text) for color in Color}
    return {color: match[1] for color, match in found.items() if match}


def _variable(color: Color) -> str:
    return f"RESTOOPS_{color.upper()}"


def render(settings: ProxySettings) -> str:
    """Return haproxy.cfg."""
    run = f"{settings.directory}/run"
    live = f"%[str(live),map({settings.directory}/live.map,none)]"
    return f"""\
# Written by restoops; changes are overwritten.
global
    stats socket {run}/admin.sock mode 600 level admin expose-fd listeners
    # Longer than most waits of a run, so that it keeps its stream; short enough that streams of
    # clients that are frozen do not use up the ten that there may be.
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
    http-request disable-l7-retry unless METH_GET
    http-request set-var(txn.slot) req.hdr(x-restoops-slot)
    http-request del-header x-restoops-slot
    http-response set-header x-restoops-slot %s
    use_backend probe_%[var(txn.slot)] if {{ var(txn.slot) -m found }}
    use_backend app_{live}

backend app_none
    http-request return status 503 content-type text/plain string "no release is live here"
{_backends(settings)}"""


def _backends(settings: ProxySettings) -> str:
    at = {color: f'"${{{_variable(color)}}}"' for color in Color}
    return "".join(
        f"""
backend app_{color}
    # Any answer will do: a database that is down makes every release unhealthy at once, and
    # to take them all out of service would help nobody. What hangs or is gone does not answer.
    option httpchk GET {settings.health_path}
    http-check expect rstatus ^[1-5]
    timeout check 5s
    server {color} {at[color]} check

backend app_{color}_{color.other}
    server {color} {at[color]} track app_{color}/{color}
    server {color.other} {at[color.other]} backup track app_{color.other}/{color.other}

backend probe_{color}
    timeout connect 500ms
    retries 0
    server {color} {at[color]}
"""
        for color in Color
    )


@dataclass(frozen=True, slots=True)
class ProxyWish:
    """The proxy that the settings of today ask for."""

    app: str
    image: str
    settings: ProxySettings

    @property
    def spec(self) -> str:
        """Fingerprint of image and configuration."""
        return hashlib.sha256(f"{self.image}\n{render(self.settings)}".encode()).hexdigest()[:12]

    @property
    def file(self) -> str:
        """Where haproxy.cfg is: one for each fingerprint, so that no other proxy reads it.

        A proxy that was not replaced after all reads what it was started with when it is restarted.
        """
        return f"proxy/haproxy-{self.spec}.cfg"

    @property
    def config(self) -> str:
        """haproxy.cfg; the running process tells its fingerprint under `show info`."""
        return render(self.settings).replace(
            "global\n", f"global\n    description {self.spec}\n", 1
        )

    @property
    def labels(self) -> dict[str, str]:
        """What all proxies of the application are found by."""
        return {"restoops.app": self.app, "restoops.role": "proxy"}
