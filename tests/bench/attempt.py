"""What an attempt to run a benchmark comes to: what it measured, or why it could not."""

import re
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from tests.bench.figures import figure, spread
from tests.bench.samples import Measured, NotRun, Place, Report, Samples
from tests.bench.stage import Stage

_PATH = re.compile(r"(?<![\w.:/])(?:/[\w.@+-]+){2,}/?")
_REASON_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Something to measure."""

    name: str
    title: str
    about: str
    measure: Callable[[Stage], Iterator[Samples]]
    on_droplet: bool = False

    def report(self) -> Report:
        """Return a report that has nothing measured yet."""
        return Report(self.name, self.title, " ".join(self.about.split()))


@dataclass(frozen=True, slots=True)
class Circumstances:
    """When and where an attempt is made, and of what."""

    at: datetime
    commit: str
    place: Place
    busy: Callable[[], float]
    """Says what share of the processors is in use, 0 to 1."""

    @property
    def moment(self) -> str:
        """Date and time for the page."""
        return f"{self.at:%Y-%m-%d %H:%M}"


def attempt(benchmark: Benchmark, stage: Stage, here: Circumstances, older: Report) -> Report:
    """Run a benchmark, and print what it measures as it goes.

    A benchmark that fails in the middle has measured nothing: what is `older` stays, with a note.
    """
    if not benchmark.on_droplet:
        stage.clear()
    before = here.busy()
    began = time.perf_counter()
    try:
        samples = tuple(_printed(benchmark.measure(stage)))
    except Exception as error:  # noqa: BLE001 - whatever it is, others are still to be measured
        traceback.print_exc()
        stage.clear()
        failed = NotRun(here.moment, here.commit, reason_of(error))
        return (older if older.measured else benchmark.report()).failed(failed)
    took_s = round(time.perf_counter() - began, 1)
    others = (round(before, 2), round(here.busy(), 2))
    measured = Measured(here.moment, here.commit, took_s, here.place, samples, others)
    return replace(benchmark.report(), measured=measured)


def reason_of(error: Exception) -> str:
    """Return what went wrong in a line that names no path of this machine."""
    lines = str(error).strip().splitlines() or [""]
    text = f"{type(error).__name__}: {_PATH.sub('...', lines[0])}".removesuffix(": ")
    return text if len(text) <= _REASON_LENGTH else f"{text[: _REASON_LENGTH - 3]}..."


def _printed(measuring: Iterator[Samples]) -> Iterator[Samples]:
    for found in measuring:
        # Microseconds: what comes after them is noise, which nobody wants to read in a diff.
        it = replace(found, values=tuple(round(value, 6) for value in found.values))
        extent = f", {ends}" if (ends := spread(it)) else ""
        print(f"  {it.title}: {figure(it)} ({len(it.values)} measured{extent})", flush=True)
        yield it
