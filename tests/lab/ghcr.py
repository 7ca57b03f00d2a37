"""A stand-in for GitHub's container registry and its API for packages, over real HTTP.

It is also a registry with a referrers API, which Debian's has not. What it does on request: limits
of both kinds, cut connections, tokens that expire, and something pushed at the worst moment.
"""

import json
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.lab.oci import Bundle
from tests.lab.service import Service

OWNER, PACKAGE = "menu", "menu-api"
REPOSITORY = f"{OWNER}/{PACKAGE}"


@dataclass(slots=True)
class _Version:
    id: int
    created_at: str


class Ghcr(Service):
    """Listens on a port of its own until it is closed."""

    def __init__(self, *, is_github: bool = True, owner: str = "users") -> None:
        super().__init__()
        self.is_github = is_github
        """Else a registry that deletes by itself and knows referrers."""
        self.owner = owner
        self.token = secrets.token_hex(16)
        self.manifests: dict[str, tuple[str, bytes]] = {}
        self.blobs: dict[str, bytes] = {}
        self.about: dict[str, set[str]] = {}
        """What has a subject, by that."""
        self.tags: dict[str, str] = {}
        self.versions: dict[str, _Version] = {}
        self.refuses_after: int | None = None
        """Deletions after which the token has expired."""
        self.before_delete: Callable[[str], None] = lambda _: None
        """Called with the digest before something is deleted."""
        self.loses_answers = 0
        """To so many deletions: they are done, and the connection ends."""
        self.page = 100

    # What a test does

    def push(self, bundle: Bundle, *tags: str, at: str = "2026-01-01T00:00:00Z") -> str:
        """Store an image with all of its parts, and let `tags` point to it."""
        with self._lock:
            self.manifests |= bundle.manifests
            self.blobs |= bundle.blobs
            for digest, (_, body) in bundle.manifests.items():
                if subject := json.loads(body).get("subject"):
                    self.about.setdefault(subject["digest"], set()).add(digest)
                self.versions.setdefault(digest, _Version(1000 + len(self.versions), at))
            self.tags |= dict.fromkeys(tags, bundle.digest)
        return bundle.digest

    def deleted(self) -> list[str]:
        """Return the paths of what was asked to be deleted."""
        return [path for method, path in self.requests if method == "DELETE"]

    # How it works

    def answer(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        url = urlsplit(request.path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        if url.path == "/token":
            return self.say(request, 200, {"token": f"pull {self.token}"})
        if url.path.startswith("/api/"):
            return self._answer_api(request, url.path.removeprefix("/api"), query)
        return self._answer_registry(request, url.path, query)

    def _answer_registry(
        self, request: BaseHTTPRequestHandler, path: str, query: dict[str, str]
    ) -> None:
        if request.headers.get("authorization") != f"Bearer pull {self.token}":
            asked = f'Bearer realm="http://{self.host}/token",service="ghcr",scope="pull"'
            return self.say(request, 401, {}, {"www-authenticate": asked})
        kind, _, name = path.removeprefix(f"/v2/{REPOSITORY}/").partition("/")
        match kind:
            case "tags":
                return self._list_tags(request, query)
            case "manifests" if request.command == "DELETE":
                return self._delete_manifest(request, name)
            case "manifests":
                return self._manifest(request, name)
            case "blobs" if name in self.blobs:
                return self.say_bytes(request, 200, self.blobs[name], {})
            case "referrers" if not self.is_github:
                return self._referrers(request, name)
        return self.say(request, 404, {})

    def _manifest(self, request: BaseHTTPRequestHandler, name: str) -> None:
        digest = self.tags.get(name, name)
        if digest not in self.manifests:
            return self.say(request, 404, {})
        kind, body = self.manifests[digest]
        headers = {"content-type": kind, "docker-content-digest": digest}
        return self.say_bytes(request, 200, body, headers)

    def _delete_manifest(self, request: BaseHTTPRequestHandler, digest: str) -> None:
        if self.is_github:
            return self.say(request, 405, {"errors": [{"code": "UNSUPPORTED"}]})
        return self.say(request, 202 if self._delete(digest) else 404, {})

    def _delete(self, digest: str) -> bool:
        self.before_delete(digest)
        self.versions.pop(digest, None)
        self.tags = {tag: it for tag, it in self.tags.items() if it != digest}
        return self.manifests.pop(digest, None) is not None

    def _referrers(self, request: BaseHTTPRequestHandler, subject: str) -> None:
        found = [
            {"mediaType": kind, "digest": digest, "size": len(body)}
            for digest in self.about.get(subject, ()) if digest in self.manifests
            for kind, body in [self.manifests[digest]]
        ]  # fmt: skip
        return self.say(request, 200, {"schemaVersion": 2, "manifests": found})

    def _list_tags(self, request: BaseHTTPRequestHandler, query: dict[str, str]) -> None:
        size = min(int(query["n"]), self.page)
        names = sorted(tag for tag in self.tags if tag > query.get("last", ""))
        headers = {}
        if len(names) > size:
            after = f"/v2/{REPOSITORY}/tags/list?last={names[size - 1]}&n={size}"
            headers["link"] = f'<{after}>; rel="next"'
        return self.say(request, 200, {"tags": names[:size]}, headers)

    def _answer_api(
        self, request: BaseHTTPRequestHandler, path: str, query: dict[str, str]
    ) -> None:
        is_expired = self.refuses_after is not None and len(self.deleted()) > self.refuses_after
        if request.headers.get("authorization") != f"Bearer {self.token}" or is_expired:
            return self.say(request, 401, {"message": "Bad credentials"})
        versions = f"/{self.owner}/{OWNER}/packages/container/{PACKAGE}/versions"
        if path == versions:
            return self._list_versions(request, query)
        found = re.fullmatch(rf"{versions}/(\d+)", path)
        numbers = {str(it.id): digest for digest, it in self.versions.items()}
        if not found or found[1] not in numbers:
            return self.say(request, 404, {"message": "Not Found"})
        digest = numbers[found[1]]
        if request.command == "DELETE":
            self._delete(digest)
            return self.say(request, 204, None)
        return self.say(request, 200, self._version(digest, self.tags))

    def _list_versions(self, request: BaseHTTPRequestHandler, query: dict[str, str]) -> None:
        size, page = min(int(query["per_page"]), 100), int(query["page"])
        newest = sorted(self.versions, key=lambda digest: -self.versions[digest].id)
        here = newest[(page - 1) * size : page * size]
        headers = {}
        if page * size < len(newest):
            after = f"http://{self.host}{urlsplit(request.path).path}"
            headers["link"] = f'<{after}?per_page={size}&page={page + 1}>; rel="next"'
        wanted = set(here)
        tags = {tag: it for tag, it in self.tags.items() if it in wanted}
        return self.say(request, 200, [self._version(it, tags) for it in here], headers)

    def _version(self, digest: str, known: dict[str, str]) -> dict[str, Any]:
        found = self.versions[digest]
        tags = [tag for tag, it in known.items() if it == digest]
        return {
            "id": found.id,
            "name": digest,
            "created_at": found.created_at,
            "metadata": {"package_type": "container", "container": {"tags": tags}},
        }

    def say_bytes(
        self, request: BaseHTTPRequestHandler, status: int, body: bytes, headers: dict[str, str]
    ) -> None:
        if request.command == "DELETE" and self.loses_answers:
            self.loses_answers -= 1
            return self.cut(request)
        return super().say_bytes(request, status, body, headers)
