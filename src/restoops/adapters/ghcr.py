"""GitHub's container registry: images are listed and deleted through the API for packages.

The registry itself answers 405 to a DELETE. A version of the API is a manifest, with all of its
tags or without any; deleting it deletes them all.
https://docs.github.com/en/rest/packages/packages
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from restoops.adapters.github import Github, Purpose, message
from restoops.adapters.manifests import normal_time
from restoops.adapters.patience import Patience
from restoops.adapters.registry import RegistryClient
from restoops.adapters.repository import Repository
from restoops.contents import Contents, Push
from restoops.errors import StepFailed
from restoops.model import Digest, ImageName, Login

_PAGE = 100
_VERSIONS_A_LOOK = 100
_NEEDS = (
    "GITHUB_TOKEN needs the scopes read:packages and delete:packages; in GitHub Actions "
    "`packages: write`, and the repository the role Admin on the package."
)


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a package: a manifest, and the tags that it has now."""

    id: int
    digest: Digest
    tags: tuple[str, ...]
    at: str


class Packages:
    """The versions of one container package."""

    def __init__(self, api: str, image: ImageName, login: Login | None, patience: Patience) -> None:
        self._image = image
        self._github = Github(api, login.password if login else None, patience)
        self._purpose = Purpose(f"package {image.repository}", _NEEDS, "goes on with what is left")
        owner, _, package = image.repository.partition("/")
        name = quote(package, safe="")
        self._places = [f"/{kind}/{owner}/packages/container/{name}" for kind in ("orgs", "users")]

    def close(self) -> None:
        """Close the connections."""
        self._github.close()

    def versions(self) -> tuple[Version, ...]:
        """Return all versions, page by page, each once.

        Raises:
            Unreachable: no answer, no such package, or our token was refused.
        """
        response = self._ask("GET", f"/versions?per_page={_PAGE}&page=1")
        if response.status_code == httpx.codes.NOT_FOUND and len(self._places) > 1:
            self._places.pop(0)  # the owner is a person
            return self.versions()
        entries = self._github.entries_of(response, self._purpose)
        return tuple({it.id: it for it in map(self._version, entries)}.values())

    def version(self, number: int) -> Version | None:
        """Return one version as it is now; None when it has gone."""
        found = self._github.find(f"{self._places[0]}/versions/{number}", self._purpose)
        return None if found is None else self._version(found)

    def delete(self, number: int) -> bool:
        """Delete a version with all of its tags; say whether it was still there.

        Raises:
            StepFailed: GitHub does not delete this one; it says why.
            Unreachable: no answer, or our token was refused.
        """
        response = self._ask("DELETE", f"/versions/{number}")
        if response.status_code == httpx.codes.NOT_FOUND:
            return False
        if response.status_code in (httpx.codes.BAD_REQUEST, httpx.codes.UNPROCESSABLE_ENTITY):
            raise StepFailed(
                f"{self._image}: GitHub does not delete version {number}: {message(response)}",
                hint="Its settings on GitHub say more; the other images are not concerned.",
            )
        self._github.check(response, self._purpose)
        return True

    def _ask(self, method: str, path: str) -> httpx.Response:
        return self._github.send(method, self._places[0] + path, self._purpose)

    def _version(self, entry: Mapping[str, Any]) -> Version:
        try:
            container = (entry.get("metadata") or {}).get("container") or {}
            tags = tuple(sorted(map(str, container.get("tags") or ())))
            at = normal_time(entry.get("created_at"))
            return Version(int(entry["id"]), Digest(str(entry["name"])), tags, at)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise self._github.not_understood(self._purpose) from error


class GithubRepository(Repository):
    """A repository whose tags and untagged manifests GitHub's API lists."""

    def __init__(self, client: RegistryClient, packages: Packages) -> None:
        super().__init__(client)
        self._packages = packages
        self._ids: dict[Digest, int] = {}

    def close(self) -> None:
        """Close the connections."""
        super().close()
        self._packages.close()

    def look(self, others: Iterable[Digest] = ()) -> Contents:
        """Return all versions, each with one request, and what is behind `others`.

        Pages move when something is pushed or deleted meanwhile. What the registry has a tag for
        is never overlooked for that reason.
        """
        versions = self._packages.versions()
        self._ids = {it.digest: it.id for it in versions}
        tags = {tag: it.digest for it in versions for tag in it.tags}
        tags |= self._reader.resolve(name for name in self.tag_names() if name not in tags)
        pushes = {it.digest: Push(it.id, it.at) for it in versions}
        return self._reader.contents(tags, others, pushes)

    def look_again(
        self,
        others: Iterable[Digest],
        unasked: Collection[str],  # noqa: ARG002  GitHub tells all of them at once
    ) -> Contents:
        """Return what is there by now."""
        return self.look(others)

    def referrers(self, subjects: Iterable[Digest]) -> frozenset[Digest]:  # noqa: ARG002  see below
        """Return nothing: they are versions like all others, which the API has listed."""
        return frozenset()

    def batch(self, tags: int) -> int:  # noqa: ARG002  each version is asked for by itself
        """Return how many images may be deleted before one has to look again."""
        return _VERSIONS_A_LOOK

    def is_as_shown(self, digest: Digest, tags: Collection[str]) -> bool:
        """Return whether these, and no others, are the tags of the version at this moment."""
        number = self._ids.get(digest)
        version = self._packages.version(number) if number is not None else None
        return version is None or set(version.tags) == set(tags)

    def delete(self, digest: Digest) -> bool:
        """Delete the version of a manifest; say whether it was still there."""
        self._reader.forget(digest)
        number = self._ids.get(digest)
        return self._packages.delete(number) if number is not None else False
