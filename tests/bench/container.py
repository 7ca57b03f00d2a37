"""How long the reference image takes to build with nothing kept, and how large it is."""

import time
from collections.abc import Iterator

from tests.bench.samples import Limit, Samples
from tests.bench.stage import Stage
from tests.docker.image import Build
from tests.lab import cache, stack_images

TIMES = 3
MIB = 1024 * 1024
TAG = f"{cache.LABEL}/api:bench"
ABOUT = """\
The image of the reference API, built with `--no-cache`, with packages from the npm registry
that this machine is set up for. Its base stands in for the official image of Node on Alpine:
Debian's packages with this machine's Node."""


def measure(stage: Stage) -> Iterator[Samples]:
    """Build, again and again."""
    engine, node, took = stage.engine, stack_images.node(stage.engine), []
    for _ in range(stage.times(TIMES)):
        began = time.perf_counter()
        Build(TAG, node, is_cold=True).run()
        took.append(time.perf_counter() - began)
    base, made = (engine.images.get(name).attrs["Size"] for name in (node, TAG))
    engine.images.remove(TAG, force=True)
    yield Samples("cold", "cold build", "s", tuple(took), (Limit(300, "largest"),))
    yield Samples("added", "size on top of the base", "MiB", ((made - base) / MIB,), (Limit(60),))
