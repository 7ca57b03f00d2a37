"""How long the program takes to say its version or its help."""

import sys
from collections.abc import Iterator

from tests.bench.measure import RESTOOPS, repeated, timed
from tests.bench.samples import Limit, Samples
from tests.bench.stage import Stage

TIMES = 15
ABOUT = "Each from Enter to exit, in a process of its own, with files that have been read before."


def measure(stage: Stage) -> Iterator[Samples]:
    """Start and end, again and again."""
    for name, title, argv, limits in (
        ("python", "`python -c pass`", (sys.executable, "-c", "pass"), ()),
        ("version", "`restoops --version`", (RESTOOPS, "--version"), (Limit(0.06),)),
        ("help", "`restoops --help`", (RESTOOPS, "--help"), (Limit(0.15),)),
    ):
        series = repeated(stage.times(TIMES), lambda _, argv=argv: timed(argv))  # type: ignore[misc]
        yield series.seconds(name, title, *limits)
