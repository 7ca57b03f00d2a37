"""All hosts of all environments: what they run and can go back to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from restoops.adapters.connection import Holder
from restoops.errors import NeedsAttention, RestoopsError
from restoops.flows.background import side_by_side
from restoops.flows.host import Lock
from restoops.flows.interrupt import Interrupt
from restoops.flows.rollout import gravest
from restoops.model import Digest, Disk, HostState
from restoops.plan.usage import Place, Usage, usage_of

AT_ONCE = 64
"""Hosts that are worked on at once, as of several environments."""


class ImageHost(Protocol):
    """What is needed of a host; `adapters.host.Host` has it."""

    @property
    def name(self) -> str:
        """The address of the host."""

    def lock(self, holder: Holder, *, wait_s: int, on_wait: Callable[[str], None]) -> Lock:
        """Take the lock of the application."""

    def observe(self) -> HostState:
        """Return what is there now."""

    def image_sizes(self) -> dict[Digest, int]:
        """Return the images of the application, with their sizes."""

    def remove_images(self, digests: frozenset[Digest]) -> None:
        """Remove images, except those that something still uses."""

    def disk(self) -> Disk | None:
        """Return how full the file system of the images is."""


@dataclass(frozen=True, slots=True)
class Estate:
    """The hosts that can be asked, and why the others cannot."""

    hosts: Mapping[Place, ImageHost]
    interrupt: Interrupt
    unknown: dict[str, RestoopsError] = field(default_factory=dict)
    """What could not be asked, by host or environment: nobody knows what runs there."""

    def observe(self) -> dict[Place, HostState]:
        """Look at all hosts side by side; one that fails is unknown from then on."""
        done, failed = side_by_side(
            lambda place: self.hosts[place].observe(),
            self.hosts,
            at_once=AT_ONCE,
            interrupt=self.interrupt,
        )
        self.interrupt.check()
        self.unknown.update({str(place): error for place, error in failed.items()})
        for place, state in done.items():
            if state.history_altered:
                self.unknown[str(place)] = NeedsAttention(
                    f"{place}: {state.history_altered}: nobody knows what it can go back to",
                    hint=f"`restoops status {place.environment}` says more.",
                )
        return done

    def usage(self) -> Usage:
        """Return what the hosts need now that can be asked."""
        return usage_of(self.observe())

    def usage_of_all(self) -> Usage:
        """Return what all hosts need now.

        Raises:
            RestoopsError: one of them cannot be asked.
        """
        usage = self.usage()
        if self.unknown:
            raise gravest(self.unknown)
        return usage

    def sizes(self, places: Iterable[Place]) -> dict[Place, dict[Digest, int]]:
        """Return the images on each of `places` with their sizes; nothing of one that fails."""
        done, failed = side_by_side(
            lambda place: self.hosts[place].image_sizes(),
            places,
            at_once=AT_ONCE,
            interrupt=self.interrupt,
        )
        self.interrupt.check()
        self.unknown.update({str(place): error for place, error in failed.items()})
        return done
