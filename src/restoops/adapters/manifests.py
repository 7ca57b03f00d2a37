"""What the manifests of a repository say, each read once.

https://github.com/opencontainers/image-spec/blob/v1.1.0/manifest.md
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Hashable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

import httpx

from restoops.adapters.registry import RegistryClient
from restoops.contents import Contents, Manifest, ManifestKind, Push, subject_of_tag
from restoops.errors import Unreachable
from restoops.model import Digest

AT_ONCE = 8
"""Requests that are under way at the same time."""
_T = TypeVar("_T")
_K = TypeVar("_K", bound=Hashable)
_INDEXES = {
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
}
_CONFIGS = {
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
}
_CREATED = "org.opencontainers.image.created"
_FIRST_YEAR = 1980
"""Builds that are to be reproducible give 1970, or what a zip file can hold."""


@dataclass(frozen=True, slots=True)
class Read:
    """A manifest, and where its configuration is that says when it was made."""

    manifest: Manifest
    config: Digest | None = None


class ManifestReader:
    """Reads manifests of one repository and remembers them: they never change."""

    def __init__(self, client: RegistryClient) -> None:
        self._client = client
        self._known: dict[Digest, Read] = {}

    def by_tags(self, tags: Iterable[str]) -> dict[str, Digest]:
        """Read what tags point to; a tag that has gone since it was listed is left out."""
        found = concurrently(self._read, tags)
        return {tag: it.manifest.digest for tag, it in found.items() if it}

    def resolve(self, tags: Iterable[str]) -> dict[str, Digest]:
        """Return what tags point to now, without reading it."""
        found = concurrently(self._digest_now, tags)
        return {tag: digest for tag, digest in found.items() if digest}

    def contents(
        self, tags: Mapping[str, Digest], others: Iterable[Digest], pushes: Mapping[Digest, Push]
    ) -> Contents:
        """Return the manifests behind `tags` and `others` with all that they refer to."""
        reached: set[Digest] = set()
        asked = {*tags.values(), *others}
        wave = {*asked, *pushes, *filter(None, map(subject_of_tag, tags))}
        while wave:
            reached |= wave
            self._learn(wave)
            wave = {it for d in wave if d in self._known for it in _refers_to(self._known[d])}
            wave -= reached
        self._date(asked)
        there = {digest: self._known[digest].manifest for digest in reached & self._known.keys()}
        return Contents(there, {tag: d for tag, d in tags.items() if d in there}, pushes)

    def forget(self, digest: Digest) -> None:
        """Take a manifest for gone."""
        self._known.pop(digest, None)

    def _learn(self, digests: Iterable[Digest]) -> None:
        concurrently(self._read, (digest for digest in digests if digest not in self._known))

    def _read(self, reference: str | Digest) -> Read | None:
        response = self._client.find("GET", f"manifests/{reference}")
        if response is None:
            return None
        read = parse_manifest(response)
        return self._known.setdefault(read.manifest.digest, read)

    def _digest_now(self, tag: str) -> Digest | None:
        response = self._client.find("HEAD", f"manifests/{tag}")
        if response is None:
            return None
        try:
            return Digest(response.headers.get("docker-content-digest", ""))
        except ValueError:
            read = self._read(tag)
            return read.manifest.digest if read else None

    def _date(self, images: Iterable[Digest]) -> None:
        """Ask for the configurations that say when images were made: one for each index."""
        undated = (self._dated_by(digest) for digest in images if digest in self._known)
        concurrently(self._read_config, {digest for digest in undated if digest})

    def _dated_by(self, digest: Digest) -> Digest | None:
        read = self._known[digest]
        if read.manifest.created:
            return None
        parts = [digest, *read.manifest.children]
        return next((it for it in parts if it in self._known and self._known[it].config), None)

    def _read_config(self, digest: Digest) -> None:
        read = self._known[digest]
        response = self._client.find("GET", f"blobs/{read.config}")
        config = self._client.object(response) if response else {}
        platform = platform_in(config)
        manifest = replace(
            read.manifest,
            created=normal_time(config.get("created")),
            platforms=(platform,) if platform else (),
        )
        self._known[digest] = Read(manifest)


def parse_manifest(response: httpx.Response) -> Read:
    """Return what a manifest says.

    Raises:
        Unreachable: it is none.
    """
    body = response.content
    digest = response.headers.get("docker-content-digest", "")
    try:
        value = json.loads(body)
        found = Digest(digest or f"sha256:{hashlib.sha256(body).hexdigest()}")
        kind = value.get("mediaType") or response.headers.get("content-type", "")
        return _read(found, value, kind, len(body))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Unreachable(
            f"registry {response.url.host}: what it gave for {response.url.path} is no manifest",
            hint="Is `registry.host` right, and no proxy or login page in between?",
        ) from error


def _read(digest: Digest, value: Mapping[str, Any], media_type: str, size_bytes: int) -> Read:
    subject = value.get("subject")
    created = (value.get("annotations") or {}).get(_CREATED)
    manifest = Manifest(
        digest,
        ManifestKind.OTHER,
        size_bytes,
        subject=Digest(subject["digest"]) if subject else None,
        created=normal_time(created),
    )
    is_index = media_type in _INDEXES or "manifests" in value
    return _index(manifest, value) if is_index else _single(manifest, value)


def _index(manifest: Manifest, value: Mapping[str, Any]) -> Read:
    children = value.get("manifests") or ()
    return Read(
        replace(
            manifest,
            kind=ManifestKind.INDEX,
            children=tuple(dict.fromkeys(Digest(child["digest"]) for child in children)),
            platforms=tuple(dict.fromkeys(filter(None, map(_platform_of_child, children)))),
        )
    )


def _single(manifest: Manifest, value: Mapping[str, Any]) -> Read:
    config, layers = value.get("config") or {}, value.get("layers") or ()
    size_bytes = manifest.size_bytes + sum(int(it.get("size", 0)) for it in (config, *layers))
    if config.get("mediaType") not in _CONFIGS or value.get("artifactType"):
        return Read(replace(manifest, size_bytes=size_bytes))
    image = replace(manifest, kind=ManifestKind.IMAGE, size_bytes=size_bytes)
    return Read(image, Digest(config["digest"]))


def _platform_of_child(child: Mapping[str, Any]) -> str:
    """Return the platform of a child of an index; nothing for an attestation."""
    platform = child.get("platform") or {}
    return "" if platform.get("os") == "unknown" else platform_in(platform)


def platform_in(value: Mapping[str, Any]) -> str:
    """Return the platform that a configuration or a descriptor names."""
    return "/".join(str(value[key]) for key in ("os", "architecture", "variant") if value.get(key))


def normal_time(text: object) -> str:
    """Return a time so that texts compare as times do; nothing when it tells nothing."""
    try:
        moment = datetime.fromisoformat(str(text)).astimezone(UTC)
    except (ValueError, OverflowError):
        return ""
    return moment.isoformat(timespec="microseconds") if moment.year >= _FIRST_YEAR else ""


def concurrently(work: Callable[[_K], _T], items: Iterable[_K]) -> dict[_K, _T]:
    """Do `work` on many items, a few at a time; the first failure calls the rest off."""
    todo = list(dict.fromkeys(items))
    pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="registry")
    try:
        return dict(zip(todo, pool.map(work, todo), strict=True))
    finally:
        pool.shutdown(cancel_futures=True)


def _refers_to(read: Read) -> tuple[Digest, ...]:
    subject = read.manifest.subject
    return (*read.manifest.children, *((subject,) if subject else ()))
