"""`restoops images` in a registry with ten thousand tags, and on many hosts at once."""

import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from restoops.contents import Contents, Manifest, ManifestKind
from restoops.model import Digest
from restoops.plan.fate import Retention
from restoops.plan.images import plan_registry
from restoops.plan.tags import TagRules
from restoops.plan.usage import Usage
from tests.bench.measure import RESTOOPS, Row, Run, timed
from tests.lab import oci
from tests.lab.ghcr import REPOSITORY, Ghcr
from tests.lab.operator import Desk
from tests.lab.registry import Registry
from tests.lab.standin.fleet import Fleet

TAGS = 10_000
TIMES = 5
HOSTS = 50
_BEGIN = datetime(2025, 1, 1, tzinfo=UTC)


def rows(registry: Registry) -> Iterator[Row]:
    """Plan, read and join; `registry` is what the stand-in hosts know of."""
    yield _plan()
    for is_github in (False, True):
        yield from _listing(registry, is_github=is_github)
    yield _hosts(registry)


def _plan() -> Row:
    found, wish = many_images(), Retention(5, TagRules(("latest",), ("sha-<sha>",)), _at(0))
    series = []
    for _ in range(TIMES):
        began = time.perf_counter()
        plan = plan_registry("menu", found, Usage(), wish)
        series.append(time.perf_counter() - began)
        assert len(plan.going) == TAGS - 5
    spread = f"median of {TIMES}, {min(series):.2f} to {max(series):.2f} s; 4 manifests each"
    return Row(f"plan for {TAGS:,} tags after listing", f"{median(series):.2f} s", "2 s", spread)


def many_images() -> Contents:
    """Return images of two platforms with an attestation each, as buildx makes them."""
    manifests: dict[Digest, Manifest] = {}
    tags = {}
    for number in range(TAGS):
        parts = tuple(_digest(f"{number} {part}") for part in ("amd64", "arm64", "about"))
        index = Manifest(_digest(str(number)), ManifestKind.INDEX, 500, parts)
        made = (Manifest(it, ManifestKind.IMAGE, 9, created=_at(number)) for it in parts)
        manifests |= {it.digest: it for it in (index, *made)}
        tags[f"sha-{number:07x}"] = index.digest
    return Contents(manifests, tags)


def _listing(registry: Registry, *, is_github: bool) -> Iterator[Row]:
    name = "GitHub's API" if is_github else "OCI"
    with Ghcr(is_github=is_github) as server, Fleet(1) as fleet:
        server.page = 1000
        for number in range(TAGS):
            tag = f"sha-{number:07x}"
            server.push(oci.image(tag, created=_at(number)), tag)
        with tempfile.TemporaryDirectory() as folder:
            desk = _desk(fleet, Path(folder), registry)
            _point_at(desk, server)
            run = _images(desk, "prune", "--dry-run", "--registry-only")
        asked = Counter(path for _, path in server.requests if "/manifests/" in path)
        assert len(asked) == TAGS
        assert not server.changes
    note = f"{run.seconds:.1f} s with a registry on the same two cores"
    yield Row(
        f"requests for a manifest, {TAGS:,} tags, {name}", f"{max(asked.values())}", "1", note
    )
    yield Row(f"peak memory, {TAGS:,} tags, {name}", f"{run.peak_mib:.0f} MiB", "250 MiB")


def _hosts(registry: Registry) -> Row:
    with Ghcr(is_github=False) as server:
        server.push(oci.image("a"), "main")
        took = {}
        for count in (1, HOSTS):
            with Fleet(count) as fleet, tempfile.TemporaryDirectory() as folder:
                desk = _desk(fleet, Path(folder), registry)
                _point_at(desk, server)
                runs = [_images(desk, "list") for _ in range(TIMES)]
                took[count] = median(run.seconds for run in runs)
    ratio = took[HOSTS] / took[1]
    figure = f"{took[HOSTS]:.2f} s, {ratio:.1f} times 1"
    return Row(f"`images list`, {HOSTS} stand-in hosts", figure, "", f"median of {TIMES}")


def _desk(fleet: Fleet, folder: Path, registry: Registry) -> Desk:
    return fleet.desk(folder, registry, "restoops/haproxy:a")


def _point_at(desk: Desk, server: Ghcr) -> None:
    kind = "ghcr" if server.is_github else "oci"
    desk.settings["registry"] = {"host": server.host, "kind": kind, "api": server.api}
    desk.settings["image"] = {"repository": REPOSITORY}
    desk.env["GITHUB_TOKEN"] = server.token
    desk.write_settings()


def _images(desk: Desk, *words: str) -> Run:
    return timed([RESTOOPS, "images", *words], desk.folder, desk.env)


def _at(number: int) -> str:
    return (_BEGIN + timedelta(minutes=number)).isoformat(timespec="microseconds")


def _digest(name: str) -> Digest:
    return Digest(oci.digest_of(json.dumps(name).encode()))
