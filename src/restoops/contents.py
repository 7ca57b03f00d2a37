"""What a repository of a registry holds, as values. Nothing here can do anything."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from restoops.model import Digest

_ABOUT = re.compile(r"sha256-([0-9a-f]{64})(\.[A-Za-z0-9._-]+)?")


def subject_of_tag(tag: str) -> Digest | None:
    """Return the digest that a tag says its manifest is about: `sha256-<hex>.sig`, by cosign."""
    found = _ABOUT.fullmatch(tag)
    return Digest(f"sha256:{found[1]}") if found else None


class ManifestKind(StrEnum):
    """What a manifest in a registry describes."""

    INDEX = "index"
    """One image for several platforms, with attestations about them."""
    IMAGE = "image"
    OTHER = "other"
    """A build cache, a chart, a list of materials: nothing that a host could run."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest of a repository, without its blobs."""

    digest: Digest
    kind: ManifestKind
    size_bytes: int = 0
    """Of the manifest and its blobs as they are stored; not of its children."""
    children: tuple[Digest, ...] = ()
    subject: Digest | None = None
    """What it is about, such as the image that it signs."""
    created: str = ""
    """ISO 8601 in UTC with microseconds; empty when it does not say, or says a year before 1980."""
    platforms: tuple[str, ...] = ()
    """`linux/amd64` and so on, without attestations."""


@dataclass(frozen=True, slots=True)
class Push:
    """When something was pushed, as far as the registry tells."""

    order: int
    """Larger for what came later."""
    at: str


@dataclass(frozen=True, slots=True)
class Contents:
    """What a repository was seen to hold."""

    manifests: Mapping[Digest, Manifest]
    tags: Mapping[str, Digest]
    pushes: Mapping[Digest, Push] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlatformImage:
    """An image for one platform."""

    platform: str
    digest: Digest
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Description:
    """What the registry has of one image."""

    digest: Digest
    media_type: str
    created: str
    platforms: tuple[PlatformImage, ...]
    labels: Mapping[str, str]
    """Those of `org.opencontainers.image`, without that prefix."""
    built_by: str
    """What built it, by its provenance; else what its labels say; empty when nothing does."""
    attestations: tuple[str, ...]
    """Kinds of statements about it that are in its index."""
