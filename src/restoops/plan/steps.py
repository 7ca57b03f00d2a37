"""The steps that a swap is made of. Each can be done twice with the same end.

A run that is cut off is finished when traffic already goes to its release, else undone.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from restoops.model import Color, Digest, Release
from restoops.plan.bake import Limits


@dataclass(frozen=True, slots=True)
class SetUp:
    """Make the directories and the network on the host."""


@dataclass(frozen=True, slots=True)
class RunProxy:
    """Start HAProxy, or replace it by one with the settings of today."""


@dataclass(frozen=True, slots=True)
class Uncover:
    """Take `color` out of reserve, so that it gets no traffic while it is unproven."""

    color: Color


@dataclass(frozen=True, slots=True)
class Remove:
    """Stop the container in `color`, which serves nobody, and remove it."""

    color: Color


@dataclass(frozen=True, slots=True)
class Pull:
    """Fetch the image onto the host, by digest."""

    digest: Digest


@dataclass(frozen=True, slots=True)
class Start:
    """Start `release` in `color`; it gets no traffic yet.

    `secrets` are the ones that it had; empty: those of today, where it gets any.
    """

    color: Color
    release: Release
    secrets: str = ""


@dataclass(frozen=True, slots=True)
class AwaitHealthy:
    """Wait until the release in `color` has answered well `successes` times in a row."""

    color: Color
    timeout_s: float
    successes: int
    proven: bool = field(default=False, compare=False)
    """Whether it served before: a rollback is not refused for what an image says it is."""


@dataclass(frozen=True, slots=True)
class Smoke:
    """Put the smoke checks of these names to `color`; with `live` they go the way of clients."""

    color: Color
    checks: tuple[str, ...]
    live: bool = False


@dataclass(frozen=True, slots=True)
class Switch:
    """Send new requests to `to`; None: to nobody, as before the first deploy.

    With `covered` the other slot stands in from the same instant when `to` dies. A run that is
    cut off before this is undone; after it, finished.
    """

    to: Color | None
    covered: bool = False
    keeps: bool = field(default=False, compare=False)
    """Whether traffic was there already when this was planned: it is done all the same, and only
    told in other words."""


@dataclass(frozen=True, slots=True)
class Verify:
    """Ask through the proxy, as a client would, and check that `color` is what answers."""

    color: Color


@dataclass(frozen=True, slots=True)
class Bake:
    """Watch `color` under the traffic of clients; that of the slot before is what it is held to."""

    color: Color
    limits: Limits


@dataclass(frozen=True, slots=True)
class Drain:
    """Wait until no request runs on `color` any more, up to `timeout_s`.

    With `stops` it is stopped next: then a proxy that was replaced must have ended as well, for it
    may still run requests there.
    """

    color: Color
    timeout_s: float
    stops: bool = False


@dataclass(frozen=True, slots=True)
class KeepWarm:
    """Leave `color` running for `for_s` seconds; with `covers` it stands in for the live one."""

    color: Color
    for_s: int
    covers: bool


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop the container in `color`, which serves nobody; its logs stay readable."""

    color: Color


@dataclass(frozen=True, slots=True)
class Trim:
    """Remove images of the application that no rollback needs."""

    digests: frozenset[Digest]


@dataclass(frozen=True, slots=True)
class Forget:
    """Remove secrets of releases that are gone."""

    secrets: frozenset[str]


Step = (
    SetUp
    | RunProxy
    | Uncover
    | Remove
    | Pull
    | Start
    | AwaitHealthy
    | Smoke
    | Switch
    | Verify
    | Bake
    | Drain
    | KeepWarm
    | Stop
    | Trim
    | Forget
)
