"""A small host for `images prune`: it keeps images, and answers from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from restoops.adapters.connection import Holder
from restoops.errors import Locked, RestoopsError
from restoops.model import Container, Digest, Disk, HostState, Record, Release
from tests.plan.states import BLUE, GREEN, record, runs

IMAGE_BYTES = 1000


class Held:
    """The lock while it is held."""

    def __init__(self, host: Shelf) -> None:
        self._host = host

    def release(self) -> None:
        self._host.is_locked = False


@dataclass
class Shelf:
    """One host; the attributes are what is really there."""

    name: str
    history: tuple[Record, ...] = ()
    containers: dict[str, Container] = field(default_factory=dict)
    images: set[Digest] = field(default_factory=set)
    foreign: set[Digest] = field(default_factory=set)
    """Images that a container of somebody else uses."""
    fault: RestoopsError | None = None
    """What every question to the host ends with."""
    busy_with: str = ""
    """Who holds the lock."""
    altered: str = ""
    is_locked: bool = False
    on_lock: Callable[[], None] = lambda: None

    @classmethod
    def after(cls, name: str, *releases: Release) -> Shelf:
        """Return a host to which releases were deployed in turn; the last two still run."""
        history = tuple(record(release) for release in releases)
        slots = zip((BLUE, GREEN), releases[-2:], strict=False)
        containers = {color.value: runs(color, release) for color, release in slots}
        return cls(name, history, containers, {release.digest for release in releases})

    def lock(
        self, holder: Holder, *, wait_s: int, on_wait: Callable[[str], None], preempt: bool = False
    ) -> Held:
        if self.busy_with:
            on_wait(self.busy_with)
            raise Locked(f"{self.name}: another run holds the lock: {self.busy_with}", hint="Wait.")
        self.is_locked = True
        self.on_lock()
        return Held(self)

    def observe(self, *, with_logs: bool = True) -> HostState:
        if self.fault:
            raise self.fault
        return HostState(
            self.name,
            containers={it.color: it for it in self.containers.values()},
            images=frozenset(self.images),
            history=self.history,
            history_altered=self.altered,
        )

    def image_sizes(self) -> dict[Digest, int]:
        return dict.fromkeys(self.images, IMAGE_BYTES)

    def remove_images(self, digests: frozenset[Digest]) -> None:
        assert self.is_locked, "images are removed under the lock"
        used = {it.release.digest for it in self.containers.values()}
        assert not digests & used, "asked to remove what a container runs"
        self.images -= digests - self.foreign

    def disk(self) -> Disk | None:
        return Disk(10**9, 10**9 - IMAGE_BYTES * len(self.images))
