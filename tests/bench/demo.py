"""How long the guided tour takes on a machine that has had it before."""

import os
from collections.abc import Iterator
from pathlib import Path

from tests.bench.measure import repeated, timed
from tests.bench.samples import Limit, Samples
from tests.bench.stage import Stage

PROJECT = Path(__file__).parents[2]
TIMES = 3
ABOUT = "`make demo` where all that it needs is installed and built already, from Enter to exit."


def measure(stage: Stage) -> Iterator[Samples]:
    """Go through the tour, again and again."""
    own = {name: it for name, it in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    series = repeated(stage.times(TIMES), lambda _: timed(("make", "demo"), PROJECT, own))
    yield series.seconds("again", "`make demo`, not for the first time", Limit(40, "largest"))
