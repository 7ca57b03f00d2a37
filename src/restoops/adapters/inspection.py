"""What an image says of itself: labels, platforms, and where BuildKit says that it was built."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from restoops.adapters.manifests import normal_time, platform_in
from restoops.adapters.registry import RegistryClient
from restoops.contents import Description, PlatformImage
from restoops.model import Digest

_LABELS = "org.opencontainers.image."
_PROVENANCE = "https://slsa.dev/provenance/"
_PREDICATE = "in-toto.io/predicate-type"
_ATTESTATION = "vnd.docker.reference.type"
_LONGEST_STATEMENT = 8 * 1024 * 1024


class Inspector:
    """Reads all about one image."""

    def __init__(self, client: RegistryClient) -> None:
        self._client = client

    def describe(self, digest: Digest) -> Description:
        """Return what an image says.

        Raises:
            Unreachable: no answer, or none of a registry.
        """
        top = self._manifest(digest)
        children = list(top.get("manifests") or ())
        about = [it for it in children if _ATTESTATION in (it.get("annotations") or {})]
        images = [it for it in children if it not in about]
        bodies = [(it, self._manifest(it["digest"])) for it in images] or [
            ({"digest": str(digest)}, top)
        ]
        configs = [self._blob(body.get("config")) for _, body in bodies]
        attestations = (self._manifest(it["digest"]) for it in about)
        statements = [layer for it in attestations for layer in it.get("layers") or ()]
        labels = _labels(configs[0] if configs else {}, top)
        return Description(
            digest,
            str(top.get("mediaType", "")),
            normal_time(labels.get("created")) or _created(configs),
            tuple(map(_platform, bodies, configs)),
            labels,
            self._builder(statements) or _by_labels(labels),
            (*sorted({_kind(layer) for layer in statements}), *self._tags_about(digest)),
        )

    def _tags_about(self, digest: Digest) -> list[str]:
        """Return the tags of what cosign has added: signatures, attestations, lists."""
        tags = [f"{str(digest).replace(':', '-')}.{kind}" for kind in ("sig", "att", "sbom")]
        asked = ((tag, self._client.ask("HEAD", f"manifests/{tag}")) for tag in tags)
        return [tag for tag, response in asked if response.is_success]

    def _builder(self, statements: list[Mapping[str, Any]]) -> str:
        """Return the builder that provenance names; in GitHub Actions that is the run."""
        for layer in statements:
            if _kind(layer).startswith(_PROVENANCE):
                predicate = self._blob(layer).get("predicate") or {}
                details = predicate.get("runDetails") or predicate
                if name := (details.get("builder") or {}).get("id"):
                    return str(name)
        return ""

    def _manifest(self, digest: Digest | str) -> dict[str, Any]:
        response = self._client.find("GET", f"manifests/{digest}")
        return self._client.object(response) if response else {}

    def _blob(self, described: Mapping[str, Any] | None) -> dict[str, Any]:
        if not described or int(described.get("size", 0)) > _LONGEST_STATEMENT:
            return {}
        response = self._client.find("GET", f"blobs/{described['digest']}")
        return self._client.object(response) if response else {}


def _labels(config: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, str]:
    own = (config.get("config") or {}).get("Labels") or {}
    found = {**own, **(top.get("annotations") or {})}
    return {
        str(key).removeprefix(_LABELS): str(value)
        for key, value in sorted(found.items())
        if str(key).startswith(_LABELS)
    }


def _platform(
    found: tuple[Mapping[str, Any], Mapping[str, Any]], config: Mapping[str, Any]
) -> PlatformImage:
    child, body = found
    described = [body.get("config") or {}, *(body.get("layers") or ())]
    size_bytes = sum(int(it.get("size", 0)) for it in described)
    name = platform_in(child.get("platform") or config)
    return PlatformImage(name, Digest(str(child["digest"])), size_bytes)


def _created(configs: list[dict[str, Any]]) -> str:
    return max((normal_time(config.get("created")) for config in configs), default="")


def _kind(layer: Mapping[str, Any]) -> str:
    return str((layer.get("annotations") or {}).get(_PREDICATE, ""))


def _by_labels(labels: Mapping[str, str]) -> str:
    return labels.get("authors") or labels.get("vendor") or ""
