"""What belongs to what in a repository: nothing that a kept image needs may be deleted.

An index needs its children: images of platforms, and the attestations that BuildKit adds. What is
about an image belongs to it: OCI referrers by their `subject`, and what is tagged for it
(`sha256-<hex>.sig` by cosign, `sha256-<hex>` where a registry has no referrers API).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from restoops.contents import Contents, subject_of_tag
from restoops.model import Digest


class Graph:
    """A repository by what its manifests need."""

    def __init__(self, contents: Contents) -> None:
        self.contents = contents
        self.tags = _by_digest(contents.tags)
        """The tags of each digest, sorted; those that say what it is about included."""
        self._names = {
            digest: tuple(tag for tag in tags if not subject_of_tag(tag))
            for digest, tags in self.tags.items()
        }
        self._created: dict[Digest, str] = {}
        self._about: dict[Digest, list[Digest]] = {}
        self._belongs: set[Digest] = set()
        for subject, digest in sorted(self._subjects(), key=str):
            self._about.setdefault(subject, []).append(digest)
            if subject in contents.manifests:
                self._belongs.add(digest)
        for manifest in contents.manifests.values():
            self._belongs.update(manifest.children)

    def names(self, digest: Digest) -> tuple[str, ...]:
        """Return the tags that somebody gave an image, without those that say what it is about."""
        return self._names.get(digest, ())

    def closure(self, digests: Iterable[Digest]) -> frozenset[Digest]:
        """Return `digests` with all that they need and all that is about any of it."""
        reached: set[Digest] = set()
        pending = list(digests)
        while pending:
            digest = pending.pop()
            if digest not in reached:
                reached.add(digest)
                pending += self._needs(digest)
        return frozenset(reached)

    def lacks(self, digest: Digest) -> bool:
        """Return whether a part of an image is not there."""
        manifest = self.contents.manifests.get(digest)
        return manifest is None or any(self.lacks(child) for child in manifest.children)

    def belongs(self, digest: Digest) -> bool:
        """Return whether a manifest belongs to another one that is there."""
        return digest in self._belongs

    def is_orphan(self, digest: Digest) -> bool:
        """Return whether all that a manifest was about is gone."""
        manifest = self.contents.manifests[digest]
        subjects = [subject_of_tag(tag) for tag in self.tags.get(digest, ())]
        wanted = [it for it in (*subjects, manifest.subject) if it]
        return bool(wanted) and not any(it in self.contents.manifests for it in wanted)

    def created(self, digest: Digest) -> str:
        """Return when an image was made; of an index, the newest of its parts."""
        found = self._created.get(digest)
        if found is None:
            found = self._created[digest] = self._look_up_created(digest)
        return found

    def size_bytes(self, digest: Digest) -> int:
        """Return the size of an image with its platforms."""
        manifest = self.contents.manifests.get(digest)
        if manifest is None:
            return 0
        parts = (self.contents.manifests.get(child) for child in set(manifest.children))
        return manifest.size_bytes + sum(part.size_bytes for part in parts if part)

    def _look_up_created(self, digest: Digest) -> str:
        manifest = self.contents.manifests[digest]
        if manifest.created:
            return manifest.created
        parts = (self.contents.manifests.get(child) for child in manifest.children)
        push = self.contents.pushes.get(digest)
        return max((it.created for it in parts if it), default="") or (push.at if push else "")

    def _needs(self, digest: Digest) -> Iterator[Digest]:
        manifest = self.contents.manifests.get(digest)
        if manifest:
            yield from manifest.children
            if manifest.subject:
                yield manifest.subject
        yield from self._about.get(digest, ())

    def _subjects(self) -> Iterator[tuple[Digest, Digest]]:
        """Yield what each manifest is about; that need not be there."""
        about = [(it.subject, it.digest) for it in self.contents.manifests.values()]
        about += [(subject_of_tag(tag), digest) for tag, digest in self.contents.tags.items()]
        for subject, digest in about:
            if subject and subject != digest and digest in self.contents.manifests:
                yield subject, digest


def _by_digest(tags: Mapping[str, Digest]) -> dict[Digest, tuple[str, ...]]:
    found: dict[Digest, list[str]] = {}
    for tag in sorted(tags):
        found.setdefault(tags[tag], []).append(tag)
    return {digest: tuple(names) for digest, names in found.items()}
