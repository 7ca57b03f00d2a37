"""What `images prune` tells while it works."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from restoops.model import Digest, Disk
from restoops.plan.fate import Fate


@dataclass(frozen=True, slots=True)
class Planned:
    """What becomes of every image in one place: a repository, or a host."""

    where: str
    fates: tuple[Fate, ...]
    size_bytes: int
    """Of what is deleted; layers that kept images share count as well."""
    parts: int = 0
    """Platforms, attestations and signatures that are deleted after their images."""


@dataclass(frozen=True, slots=True)
class Deleted:
    """An image, or a part of one, was deleted; the log has the same."""

    at: str
    where: str
    digest: Digest
    tags: tuple[str, ...]
    size_bytes: int
    reason: str


@dataclass(frozen=True, slots=True)
class Survived:
    """An image that was to be deleted is kept after all."""

    where: str
    digest: Digest
    tags: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class HostPruned:
    """A host is done; where its disk cannot be seen, `before` and `after` are nothing."""

    where: str
    deleted: int
    before: Disk | None
    after: Disk | None


@dataclass(frozen=True, slots=True)
class Verified:
    """Every tag that is left was asked for on every platform; `faults` says what is missing."""

    where: str
    tags: int
    faults: dict[str, str]


@dataclass(frozen=True, slots=True)
class Note:
    """Something that takes long, or that is not done, and why."""

    text: str


@dataclass(frozen=True, slots=True)
class PruneEnded:
    """What was done in all."""

    deleted: int
    size_bytes: int
    survived: int
    dry_run: bool
    log: str
    """The file that names what was deleted."""


ImageEvent = Planned | Deleted | Survived | HostPruned | Verified | Note | PruneEnded
TellImages = Callable[[ImageEvent], None]
