"""Images as a registry stores them, made of nothing: platforms, attestations, signatures."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
IN_TOTO = "application/vnd.in-toto+json"
COSIGN = "application/vnd.dev.cosign.simplesigning.v1+json"
PROVENANCE = "https://slsa.dev/provenance/v0.2"


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass(frozen=True, slots=True)
class Bundle:
    """A manifest with all that has to be there before it: blobs and other manifests, in order."""

    digest: str
    manifests: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    """Media type and body, by digest."""
    blobs: dict[str, bytes] = field(default_factory=dict)

    def descriptor(self, **more: Any) -> dict[str, Any]:
        kind, body = self.manifests[self.digest]
        return {"mediaType": kind, "digest": self.digest, "size": len(body), **more}


def image(
    name: str,
    platform: str = "linux/amd64",
    created: str = "2026-01-01T00:00:00Z",
    *,
    labels: Mapping[str, str] | None = None,
    shared: bytes = b"",
) -> Bundle:
    """Return an image for one platform; `shared` is a layer that others have, too."""
    system, _, machine = platform.partition("/")
    config = {
        "created": created,
        "os": system,
        "architecture": machine,
        "config": {"Labels": dict(labels or {})},
    }
    layers = [*([shared] if shared else []), f"{name} {platform}".encode()]
    return _bundle(config, layers, LAYER)


def index(
    name: str,
    platforms: Sequence[str] = ("linux/amd64", "linux/arm64"),
    created: str = "2026-01-01T00:00:00Z",
    *,
    parts: Sequence[Bundle] = (),
    built_by: str = "",
) -> Bundle:
    """Return an image for several platforms, as buildx makes it: with an attestation for each.

    `parts` are children that another index may have, too.
    """
    images = [image(name, platform, created) for platform in platforms] + list(parts)
    children = [
        it.descriptor(platform=dict(zip(("os", "architecture"), platform.split("/"), strict=True)))
        for it, platform in zip(images, [*platforms, *["linux/s390x"] * len(parts)], strict=True)
    ]
    attestations = [_attestation(it, built_by) for it in images] if built_by else []
    for about, of in zip(attestations, images, strict=False):
        notes = {
            "vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": of.digest,
        }
        nowhere = {"os": "unknown", "architecture": "unknown"}
        children.append(about.descriptor(platform=nowhere, annotations=notes))
    return _indexed(children, [*images, *attestations])


def artifact(name: str, subject: Bundle | None = None) -> Bundle:
    """Return something that is no image; with `subject` it is an OCI referrer of that."""
    about = {"subject": subject.descriptor()} if subject else {}
    more = {"artifactType": "application/vnd.example.sbom", **about}
    return _bundle({"name": name}, [name.encode()], "application/spdx+json", more)


def signature(of: Bundle) -> Bundle:
    """Return a signature as cosign makes it; its tag says what it is about."""
    return _bundle({"created": ""}, [f"signature of {of.digest}".encode()], COSIGN)


def about_tag(of: Bundle, end: str = "") -> str:
    """Return the tag under which something about `of` is found."""
    return f"{of.digest.replace(':', '-')}{end}"


def referrers_index(*about: Bundle) -> Bundle:
    """Return the index that stands in for the referrers API of a registry without one."""
    return _indexed([it.descriptor() for it in about], list(about))


def _attestation(of: Bundle, built_by: str) -> Bundle:
    statement = {
        "predicateType": PROVENANCE,
        "subject": [{"digest": {"sha256": of.digest.partition(":")[2]}}],
        "predicate": {"builder": {"id": built_by}},
    }
    return _bundle(
        {"os": "unknown", "architecture": "unknown"},
        [json.dumps(statement).encode()],
        IN_TOTO,
        notes={"in-toto.io/predicate-type": PROVENANCE},
    )


def _bundle(
    config: Mapping[str, Any],
    layers: Sequence[bytes],
    kind: str,
    more: Mapping[str, Any] | None = None,
    notes: Mapping[str, str] | None = None,
) -> Bundle:
    settings = json.dumps(config).encode()
    blobs = {digest_of(content): content for content in (settings, *layers)}
    body = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        **(more or {}),
        "config": {"mediaType": CONFIG, "digest": digest_of(settings), "size": len(settings)},
        "layers": [
            {
                "mediaType": kind,
                "digest": digest_of(content),
                "size": len(content),
                **({"annotations": dict(notes)} if notes else {}),
            }
            for content in layers
        ],
    }
    text = json.dumps(body).encode()
    return Bundle(digest_of(text), {digest_of(text): (MANIFEST, text)}, blobs)


def _indexed(children: Sequence[Mapping[str, Any]], parts: Sequence[Bundle]) -> Bundle:
    text = json.dumps(
        {"schemaVersion": 2, "mediaType": INDEX, "manifests": list(children)}
    ).encode()
    manifests = {d: it for part in parts for d, it in part.manifests.items()}
    blobs = {d: it for part in parts for d, it in part.blobs.items()}
    return Bundle(digest_of(text), manifests | {digest_of(text): (INDEX, text)}, blobs)
