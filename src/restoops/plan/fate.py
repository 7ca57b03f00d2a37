"""What becomes of an image, and what the operator wants to keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from restoops.model import Digest
from restoops.plan.tags import TagRules


@dataclass(frozen=True, slots=True)
class Retention:
    """What the operator wants to keep."""

    keep: int
    """The newest images, by creation date."""
    tags: TagRules
    now: str
    older_than_s: float = 0
    """Younger ones are kept."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one image in one place, and why."""

    where: str
    """The repository, or the host as `environment/host`."""
    digest: Digest
    tags: tuple[str, ...]
    action: Literal["keep", "delete"]
    reason: str
    created: str = ""
    size_bytes: int = 0
    platforms: tuple[str, ...] = ()

    @property
    def goes(self) -> bool:
        """Whether it is deleted."""
        return self.action == "delete"
