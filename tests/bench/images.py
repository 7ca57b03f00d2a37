"""`restoops images` in a registry with ten thousand tags, and on many hosts at once."""

import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from restoops.contents import Contents, Manifest, ManifestKind
from restoops.model import Digest
from restoops.plan.fate import Retention
from restoops.plan.images import plan_registry
from restoops.plan.tags import TagRules
from restoops.plan.usage import Usage
from tests.bench.measure import RESTOOPS, Run, Series, timed
from tests.bench.samples import Limit, Samples
from tests.bench.stage import Stage
from tests.lab import oci
from tests.lab.ghcr import REPOSITORY, Ghcr
from tests.lab.operator import Desk
from tests.lab.registry import Registry
from tests.lab.standin.fleet import Fleet

TAGS = 10_000
TIMES = 5
HOSTS = 50
ABOUT = f"""\
What to delete of {TAGS:,} images for two platforms, with an attestation each, that have been read
already; `images prune --dry-run` in a registry with {TAGS:,} tags of one manifest each; and
`images list` on many hosts. Registry, GitHub's API and hosts are stand-ins in processes on the
same processors: their part is in the time."""
_BEGIN = datetime(2025, 1, 1, tzinfo=UTC)


def measure(stage: Stage) -> Iterator[Samples]:
    """Plan, read and join."""
    yield _plan(stage.times(TIMES))
    for is_github in (False, True):
        yield from _listing(stage.registry, is_github=is_github)
    yield from _hosts(stage)


def _plan(times: int) -> Samples:
    found, wish = many_images(), Retention(5, TagRules(("latest",), ("sha-<sha>",)), _at(0))
    took = []
    for _ in range(times):
        began = time.perf_counter()
        plan = plan_registry("menu", found, Usage(), wish)
        took.append(time.perf_counter() - began)
        assert len(plan.going) == TAGS - 5
    return Samples("plan", f"plan for {TAGS:,} tags after listing", "s", tuple(took), (Limit(2),))


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


def _listing(registry: Registry, *, is_github: bool) -> Iterator[Samples]:
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
    end, once = f"{TAGS:,} tags, {name}", (Limit(1, "largest"),)
    key = "github" if is_github else "oci"
    largest = (max(asked.values()),)
    yield Samples(f"{key}_requests", f"requests for one manifest, {end}", "count", largest, once)
    series = Series((run,))
    yield series.memory(f"{key}_memory", f"peak memory of listing {end}", Limit(250, "largest"))
    yield series.seconds(f"{key}_seconds", f"listing {end}")


def _hosts(stage: Stage) -> Iterator[Samples]:
    with Ghcr(is_github=False) as server:
        server.push(oci.image("a"), "main")
        for count in (1, HOSTS):
            with Fleet(count) as fleet, tempfile.TemporaryDirectory() as folder:
                desk = _desk(fleet, Path(folder), stage.registry)
                _point_at(desk, server)
                runs = [_images(desk, "list") for _ in range(stage.times(TIMES))]
            title = f"`images list`, {count} {'host' if count == 1 else 'hosts'}"
            yield Series(tuple(runs)).seconds(f"hosts_{count}", title)


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
