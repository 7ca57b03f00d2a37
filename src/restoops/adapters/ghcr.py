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

from restoops.adapters.manifests import normal_time
from restoops.adapters.patience import Patience
from restoops.adapters.registry import RegistryClient, is_loopback
from restoops.adapters.repository import Repository
from restoops.contents import Contents, Push
from restoops.errors import StepFailed, Unreachable
from restoops.model import Digest, ImageName, Login

_PAGE = 100
_VERSIONS_A_LOOK = 100


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
        self._patience = patience
        self._has_token = login is not None
        owner, _, package = image.repository.partition("/")
        name = quote(package, safe="")
        self._places = [f"/{kind}/{owner}/packages/container/{name}" for kind in ("orgs", "users")]
        headers = {
            "accept": "application/vnd.github+json",
            "x-github-api-version": "2022-11-28",
            **({"authorization": f"Bearer {login.password.reveal()}"} if login else {}),
        }
        # No redirect is followed: the token is for this address alone.
        self._client = httpx.Client(
            base_url=api,
            headers=headers,
            timeout=30,
            trust_env=not is_loopback(httpx.URL(api).netloc.decode()),
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def versions(self) -> tuple[Version, ...]:
        """Return all versions, page by page, each once.

        Raises:
            Unreachable: no answer, no such package, or our token was refused.
        """
        response = self._ask("GET", f"/versions?per_page={_PAGE}&page=1")
        if response.status_code == httpx.codes.NOT_FOUND and len(self._places) > 1:
            self._places.pop(0)  # the owner is a person
            return self.versions()
        found: dict[int, Version] = {}
        while True:
            entries = self._list(response)
            found |= {it.id: it for it in map(_version, entries)}
            link = response.links.get("next", {}).get("url")
            if not link or not entries:
                return tuple(found.values())
            response = self._send("GET", self._own(link))

    def version(self, number: int) -> Version | None:
        """Return one version as it is now; None when it has gone."""
        response = self._ask("GET", f"/versions/{number}")
        if response.status_code == httpx.codes.NOT_FOUND:
            return None
        try:
            return _version(self._check(response).json())
        except (ValueError, TypeError, KeyError) as error:
            raise self._not_understood() from error

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
                f"{self._image}: GitHub does not delete version {number}: {_message(response)}",
                hint="Its settings on GitHub say more; the other images are not concerned.",
            )
        self._check(response)
        return True

    def _ask(self, method: str, path: str) -> httpx.Response:
        return self._send(method, self._places[0] + path)

    def _send(self, method: str, url: str) -> httpx.Response:
        try:
            return self._patience.send(lambda: self._client.request(method, url))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unreachable(
                f"GitHub's API ({self._host}) does not answer: {error or type(error).__name__}",
                hint="Run it again when it does: what is deleted by then stays so.",
            ) from error

    @property
    def _host(self) -> str:
        return self._client.base_url.host

    def _own(self, link: str) -> str:
        url = self._client.base_url.join(link)
        if (url.scheme, url.netloc) != (self._client.base_url.scheme, self._client.base_url.netloc):
            raise self._not_understood()  # the token is for this address alone
        return str(url)

    def _check(self, response: httpx.Response) -> httpx.Response:
        if response.status_code == httpx.codes.UNAUTHORIZED:
            what = (
                "the token: it is wrong or has expired" if self._has_token else "us without a token"
            )
            raise Unreachable(
                f"GitHub's API ({self._host}) refuses {what}",
                hint="Set GITHUB_TOKEN anew and run it again: it goes on with what is left.",
            )
        if response.status_code in (httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND):
            what = "may not do this" if self._has_token else "is missing"
            raise Unreachable(
                f"GitHub's API ({self._host}) has no package {self._image.repository} for us, or "
                f"the token {what}: {_message(response)}",
                hint="GITHUB_TOKEN needs the scopes read:packages and delete:packages; in GitHub "
                "Actions `packages: write`, and the repository the role Admin on the package.",
            )
        if not response.is_success:
            raise Unreachable(
                f"GitHub's API ({self._host}) answered {response.status_code}",
                hint="Try again later: it goes on with what is left.",
            )
        return response

    def _list(self, response: httpx.Response) -> list[dict[str, Any]]:
        try:
            value = self._check(response).json()
        except ValueError as error:
            raise self._not_understood() from error
        if not isinstance(value, list):
            raise self._not_understood()
        return value

    def _not_understood(self) -> Unreachable:
        return Unreachable(
            f"the answer of {self._host} is not that of GitHub's API for packages",
            hint="Is `registry.api` right, and no proxy or login page in between?",
        )


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


def _version(entry: Mapping[str, Any]) -> Version:
    container = (entry.get("metadata") or {}).get("container") or {}
    tags = tuple(sorted(map(str, container.get("tags") or ())))
    at = normal_time(entry.get("created_at"))
    return Version(int(entry["id"]), Digest(str(entry["name"])), tags, at)


def _message(response: httpx.Response) -> str:
    try:
        text = str(response.json().get("message", ""))
    except (ValueError, AttributeError):
        text = ""
    return "".join(c for c in text[:200] if c.isprintable()) or f"status {response.status_code}"
