"""A repository of any registry that speaks the OCI distribution protocol, as a store of images.

https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import httpx

from restoops.adapters.completeness import Completeness
from restoops.adapters.manifests import ManifestReader, concurrently
from restoops.adapters.registry import RegistryClient
from restoops.contents import Contents
from restoops.errors import StepFailed
from restoops.model import Digest

_PAGE = 1000
_CANNOT_DELETE = (httpx.codes.BAD_REQUEST, httpx.codes.METHOD_NOT_ALLOWED)
_NO_REFERRERS = (httpx.codes.NOT_FOUND, httpx.codes.METHOD_NOT_ALLOWED)
_CHECKS_A_LOOK = 200
"""Tags for which it is worth to look again before every single deletion."""


class Repository:
    """All of one repository: tags, manifests, and what is about them."""

    def __init__(self, client: RegistryClient) -> None:
        self.name = str(client.image)
        self._client = client
        self._reader = ManifestReader(client)
        self._has_referrers = True
        self._tags: dict[str, Digest] = {}

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def look(self, others: Iterable[Digest] = ()) -> Contents:
        """Return what is behind all tags, and behind `others`, which need not be there.

        Each tag costs one request, and so does each manifest that no tag points to; the date of
        an image that its manifest does not tell costs one more.

        Raises:
            Unreachable: no answer, or our credentials were refused.
        """
        self._tags = self._reader.by_tags(self.tag_names())
        return self._reader.contents(self._tags, others, {})

    def look_further(self, contents: Contents, others: Iterable[Digest]) -> Contents:
        """Return the same contents, and what is behind `others`."""
        return self._reader.contents(contents.tags, others, contents.pushes)

    def look_again(self, others: Iterable[Digest], unasked: Collection[str]) -> Contents:
        """Return what is there by now; tags of `unasked` count as before if they are there."""
        names = self.tag_names()
        as_before = {tag: self._tags[tag] for tag in names if tag in unasked and tag in self._tags}
        now = self._reader.resolve(tag for tag in names if tag not in as_before)
        self._tags = as_before | now
        return self._reader.contents(self._tags, others, {})

    def batch(self, tags: int) -> int:
        """Return how many images may be deleted before one has to look again at `tags` tags."""
        return 1 + tags // _CHECKS_A_LOOK

    def referrers(self, subjects: Iterable[Digest]) -> frozenset[Digest]:
        """Return what is about `subjects`; nothing where the registry has no referrers API.

        There it is found by its tags, `sha256-<hex>`, as the specification has it.
        """
        found = concurrently(self._referrers, subjects)
        return frozenset(digest for about in found.values() for digest in about)

    def is_as_shown(self, digest: Digest, tags: Collection[str]) -> bool:
        """Return whether all of `tags` point to the image at this moment."""
        now = self._reader.resolve(tags)
        return all(now.get(tag) == digest for tag in tags)

    def delete(self, digest: Digest) -> bool:
        """Delete a manifest with all of its tags; say whether it was still there.

        Raises:
            StepFailed: the registry does not do that.
            Unreachable: no answer, or our credentials were refused.
        """
        response = self._client.ask("DELETE", f"manifests/{digest}")
        self._reader.forget(digest)
        if response.status_code == httpx.codes.NOT_FOUND:
            return False
        if response.status_code in _CANNOT_DELETE:
            raise StepFailed(
                f"{self.name}: the registry does not delete (it answered {response.status_code})",
                hint="Debian's and Docker's own want `storage.delete.enabled: true` in their "
                "configuration; GitHub's wants `registry.kind: ghcr`.",
            )
        self._client.check(response)
        return True

    def tag_names(self) -> tuple[str, ...]:
        """Return the names of all tags, page by page."""
        names: list[str] = []
        response = self._client.find("GET", f"tags/list?n={_PAGE}")
        while response is not None:
            names += self._client.object(response).get("tags") or ()
            response = self._client.find_next(response)
        return tuple(dict.fromkeys(map(str, names)))

    def faults(self, tags: Iterable[str]) -> Mapping[str, str]:
        """Ask for all that `tags` need, and say of each that is not complete what is missing."""
        return Completeness(self._client).faults(tags)

    def _referrers(self, subject: Digest) -> tuple[Digest, ...]:
        if not self._has_referrers:
            return ()
        response: httpx.Response | None = self._client.ask("GET", f"referrers/{subject}")
        if response is not None and response.status_code in _NO_REFERRERS:
            self._has_referrers = False
            return ()
        found: list[Digest] = []
        while response is not None:
            described = self._client.object(response).get("manifests") or ()
            found += (Digest(it["digest"]) for it in described)
            response = self._client.find_next(response)
        return tuple(found)
