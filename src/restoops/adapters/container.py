"""What containers are made with. Apart from `docker`, whose client takes 0.1 s to load."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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
