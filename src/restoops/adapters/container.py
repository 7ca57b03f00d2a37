"""What containers are made with and told apart by, without `docker`: its client loads slowly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from restoops.errors import NeedsAttention
from restoops.model import Color, Container, Digest, Release

SOCKET = "/var/run/docker.sock"


@dataclass(frozen=True, slots=True)
class Blueprint:
    """What a container is made with, beyond its image."""

    name: str
    labels: Mapping[str, str]
    environment: Mapping[str, str]
    volumes: tuple[str, ...]
    memory_mb: int | None
    cpus: float | None
    init: bool
    network: str
    address: str
    read_only: Mapping[str, str] = field(default_factory=dict)
    """Directories of the host that it sees and cannot change, each with its place in there."""


@dataclass(frozen=True, slots=True)
class Service:
    """A container that is not a release, such as the proxy."""

    id: str
    name: str
    status: str
    labels: Mapping[str, str]

    @property
    def is_running(self) -> bool:
        """Whether its process runs."""
        return self.status == "running"


def releases_among(services: Sequence[Service]) -> tuple[Container, ...]:
    """Return those that are in one of the two slots, running or not.

    Raises:
        NeedsAttention: one has labels that make no sense.
    """
    return tuple(
        describe(it.id, it.labels, it.status) for it in services if "restoops.slot" in it.labels
    )


def describe(container_id: str, labels: Mapping[str, str], status: str, **facts: Any) -> Container:
    """Return what is in a slot, by the labels that it was made with.

    Raises:
        NeedsAttention: they make no sense.
    """
    try:
        return Container(
            id=container_id,
            color=Color(labels["restoops.slot"]),
            release=Release(labels["restoops.tag"], Digest(labels["restoops.digest"])),
            spec=labels.get("restoops.spec", ""),
            status=status,
            secrets=labels.get("restoops.secrets", ""),
            **facts,
        )
    except (KeyError, ValueError) as error:
        raise NeedsAttention(
            f"container {container_id[:12]} has labels that restoops does not understand: {error}",
            hint="It was not made by restoops. Remove it, or give it another `restoops.app` label.",
        ) from error
