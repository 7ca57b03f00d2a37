"""The secrets that releases are given, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from restoops.model import Digest, Placed, Value


@dataclass(frozen=True, slots=True)
class Handed:
    """What a release is to know."""

    values: Mapping[str, Value]
    spec: str
    """Fingerprint of all of it, short; another one means another container."""
    environment: frozenset[str] = frozenset()
    """Names that it gets as plain variables, and not as files."""


@dataclass(frozen=True, slots=True)
class SecretSet:
    """The secrets that a host keeps for one release, without the values."""

    id: str
    digest: Digest
    run: str
    """Id of the run that it was made in."""
    at: str
    spec: str
    """That of what was handed over when it was made."""
    is_complete: bool
    placed: Mapping[str, Placed] = field(default_factory=dict)
    environment: frozenset[str] = frozenset()
    """Names that the release gets as plain variables."""
