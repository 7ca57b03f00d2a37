"""Whether a registry still has all that an image needs: on every platform, down to the layers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from restoops.adapters.manifests import concurrently
from restoops.adapters.registry import RegistryClient


@dataclass(frozen=True, slots=True)
class Needs:
    """What a manifest refers to, by digest."""

    manifests: tuple[str, ...] = ()
    blobs: tuple[str, ...] = ()


class Completeness:
    """Asks anew for everything: what was seen before does not count."""

    def __init__(self, client: RegistryClient) -> None:
        self._client = client
        self._needs: dict[str, Needs | None] = {}
        self._has: dict[str, bool] = {}

    def faults(self, tags: Iterable[str]) -> dict[str, str]:
        """Return what is missing of each of `tags` that is not complete.

        Raises:
            Unreachable: no answer, or our credentials were refused.
        """
        asked = tuple(tags)
        wave = set(asked)
        while wave:
            self._needs |= concurrently(self._read, wave)
            found = (self._needs[reference] for reference in wave)
            wave = {child for needs in found if needs for child in needs.manifests}
            wave -= self._needs.keys()
        blobs = {blob for needs in self._needs.values() if needs for blob in needs.blobs}
        self._has = concurrently(self._has_blob, blobs)
        missing = {tag: tuple(dict.fromkeys(self._missing(tag))) for tag in asked}
        return {tag: ", ".join(lost[:3]) for tag, lost in missing.items() if lost}

    def _missing(self, reference: str) -> Iterator[str]:
        needs = self._needs[reference]
        if needs is None:
            yield f"manifest {reference}"
            return
        yield from (f"blob {blob}" for blob in needs.blobs if not self._has[blob])
        for child in needs.manifests:
            yield from self._missing(child)

    def _read(self, reference: str) -> Needs | None:
        response = self._client.find("GET", f"manifests/{reference}")
        return _needs_of(response.content) if response else None

    def _has_blob(self, digest: str) -> bool:
        return self._client.find("HEAD", f"blobs/{digest}") is not None


def _needs_of(body: bytes) -> Needs:
    try:
        value: Mapping[str, Any] = json.loads(body)
        children = tuple(str(it["digest"]) for it in value.get("manifests") or ())
        described = [*filter(None, [value.get("config")]), *(value.get("layers") or ())]
        # What may not be passed on is kept elsewhere: `urls` say where.
        return Needs(children, tuple(str(it["digest"]) for it in described if not it.get("urls")))
    except (ValueError, TypeError, KeyError, AttributeError):
        return Needs()
