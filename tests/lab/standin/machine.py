"""What a stand-in remembers: files, containers, images, and where its proxy sends traffic."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

COLORS = ("blue", "green")
IMAGE_BYTES = 2_000_000
DISK_BYTES = 25_000_000_000


@dataclass(frozen=True, slots=True)
class Timing:
    """How long a host takes for what it is asked, in milliseconds; as measured on droplets."""

    script_ms: float = 8
    """A script that reads or writes files."""
    create_ms: float = 25
    start_ms: float = 350
    stop_ms: float = 110
    remove_ms: float = 25
    pull_ms: float = 400
    ask_ms: float = 1.5
    """Any other question to the engine."""
    health_ms: float = 1


@dataclass(slots=True)
class Container:
    """A container; it runs or has ended, and needs no time in between."""

    id: str
    name: str
    image: str
    labels: dict[str, str]
    status: str = "created"
    started_at: str = "0001-01-01T00:00:00Z"

    @property
    def slot(self) -> str:
        """Its slot; empty for a proxy."""
        return self.labels.get("restoops.slot", "")


@dataclass(slots=True)
class Machine:
    """One host, in memory. Nothing on it fails, and every release is healthy as soon as it runs."""

    name: str
    timing: Timing = Timing()
    files: dict[str, bytes] | None = None
    """By name, once the directory of the application is there."""
    holder: object = None
    """Who holds the lock."""
    containers: dict[str, Container] = field(default_factory=dict)
    images: dict[str, set[str]] = field(default_factory=dict)
    """The names of each image, by its id."""
    networks: dict[str, object] = field(default_factory=dict)
    route: str = "none"
    """What `live.map` says in the running proxy."""
    switches: list[tuple[float, str]] = field(default_factory=list)
    """When the running proxy was told to send requests elsewhere (monotonic), and where."""

    @property
    def free_bytes(self) -> int:
        """What is free on the disk."""
        return DISK_BYTES - IMAGE_BYTES * len(self.images)

    @property
    def live(self) -> str:
        """The slot that new requests go to, or `none`."""
        return self.route.partition("_")[0]

    @property
    def proxy(self) -> Container | None:
        """The proxy that runs."""
        return next(
            (
                found
                for found in self.containers.values()
                if found.labels.get("restoops.role") == "proxy" and found.status == "running"
            ),
            None,
        )

    def running(self, slot: str) -> Container | None:
        """Return what runs in a slot."""
        return next(
            (
                found
                for found in self.containers.values()
                if found.slot == slot and found.status == "running"
            ),
            None,
        )

    def answers(self, slot: str) -> bool:
        """Return whether a release answers in a slot."""
        return self.running(slot) is not None

    def switch(self, route: str) -> None:
        """Send new requests elsewhere."""
        if route.partition("_")[0] != self.live:
            self.switches.append((time.monotonic(), route))
        self.route = route

    def retire(self, container: str, slot: str, after_s: float) -> None:
        """Stop a container later, unless requests go there by then, as retire.sh does."""
        asyncio.get_running_loop().call_later(after_s, self._retire, container, slot)

    def _retire(self, container: str, slot: str) -> None:
        found = self.containers.get(container)
        if found and self.live not in (slot, "none"):
            self.route = self.live
            found.status = "exited"


def later(delay_ms: float, act: Callable[[], None]) -> None:
    """Act after a while."""
    asyncio.get_running_loop().call_later(delay_ms / 1000, act)
