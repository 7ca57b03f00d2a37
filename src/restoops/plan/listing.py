"""What there is: images of a repository and of hosts, joined."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from restoops.contents import Contents, Description, PlatformImage
from restoops.model import Digest
from restoops.plan.fate import Retention
from restoops.plan.images import plan_registry
from restoops.plan.usage import Place, Usage


@dataclass(frozen=True, slots=True)
class Listed:
    """An image: where it is, who needs it, and what protects it."""

    repository: str
    tags: tuple[str, ...]
    digest: Digest
    created: str
    size_bytes: int
    """Packed, as the registry has it; of one that only hosts have, unpacked."""
    platforms: tuple[str, ...]
    in_registry: bool | None
    """None when the registry could not be asked."""
    on_hosts: tuple[str, ...]
    running: tuple[str, ...]
    restorable: tuple[str, ...]
    """Where a rollback can go to it."""
    protected: str
    """The rule that keeps it; empty when `images prune` would delete it."""


def listing(
    repository: str,
    contents: Contents | None,
    usage: Usage,
    sizes: Mapping[Place, Mapping[Digest, int]],
    wish: Retention,
) -> tuple[Listed, ...]:
    """Return the images of `repository`, the newest first, then those that only hosts have.

    `sizes` are the images on hosts; `contents` is None when the registry could not be asked.
    """
    plan = plan_registry(repository, contents or Contents({}, {}), usage, wish)

    def places(digest: Digest) -> dict[str, tuple[str, ...]]:
        return {
            "on_hosts": tuple(str(it) for it, images in sizes.items() if digest in images),
            "running": tuple(map(str, usage.running.get(digest, ()))),
            "restorable": tuple(map(str, usage.restorable.get(digest, ()))),
        }

    there = tuple(
        Listed(
            repository, fate.tags, fate.digest, fate.created, fate.size_bytes, fate.platforms,
            in_registry=True, protected="" if fate.goes else fate.reason, **places(fate.digest),
        )
        for fate in plan.fates
    )  # fmt: skip
    known = {fate.digest for fate in plan.fates} | {*(contents.manifests if contents else ())}
    others = {digest: size for images in sizes.values() for digest, size in images.items()}
    in_registry = None if contents is None else False
    return there + tuple(
        Listed(
            repository, tuple(sorted(usage.names.get(digest, ()))), digest, "", size, (),
            in_registry, protected=usage.why_kept(digest), **places(digest),
        )
        for digest, size in sorted(others.items(), key=str) if digest not in known
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Inspected:
    """One image: what it is, who built it, and where it runs."""

    repository: str
    tags: tuple[str, ...]
    """The one that was asked for, and those that it was deployed by."""
    digest: Digest
    media_type: str
    created: str
    platforms: tuple[PlatformImage, ...]
    built_by: str
    """What its provenance names, in GitHub Actions the run; else its authors by its labels."""
    labels: Mapping[str, str]
    attestations: tuple[str, ...]
    """Kinds of statements in its index, then the tags of signatures and the like."""
    running: tuple[str, ...]
    restorable: tuple[str, ...]


def inspected(repository: str, asked: str, found: Description, usage: Usage) -> Inspected:
    """Return what the registry and the hosts say of one image."""
    names = {*usage.names.get(found.digest, ()), *([] if asked.startswith("sha256:") else [asked])}
    return Inspected(
        repository, tuple(sorted(names)), found.digest, found.media_type, found.created,
        found.platforms, found.built_by, found.labels, found.attestations,
        tuple(map(str, usage.running.get(found.digest, ()))),
        tuple(map(str, usage.restorable.get(found.digest, ()))),
    )  # fmt: skip
