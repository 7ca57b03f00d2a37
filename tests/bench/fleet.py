"""Deploys to many hosts at once. The hosts are stand-ins (`tests/lab/standin`).

As droplets they would compete for this machine's processors, where real ones have their own.
"""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.bench.measure import Row, Run, Series, run
from tests.lab.operator import Desk
from tests.lab.registry import Registry
from tests.lab.standin.fleet import Fleet, spread_s

SWAPS = {1: 9, 10: 9, 200: 3}
"""How often each fleet is deployed to, by its size."""
PROXY = "restoops/haproxy:a"
"""Any image will do: nothing is run."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What deploys to one fleet took."""

    series: Series
    spreads_s: tuple[float, ...]
    """From the first host's switch to the last one's, as the hosts saw it."""

    @property
    def spread(self) -> str:
        """The spread of the switches, in words."""
        return f"{median(self.spreads_s) * 1000:.0f} ms"


def rows(registry: Registry, tags: Sequence[str]) -> Iterator[Row]:
    """Deploy to one, ten and two hundred hosts; `tags` are in the registry."""
    one = measured(1, registry, tags)
    yield Row("deploy, 1 stand-in host", str(one.series), "", one.series.note)
    ten = measured(10, registry, tags)
    yield from _rows(10, ten, f"{ten.series.seconds / one.series.seconds:.2f} times 1", "2 times 1")
    yield _spread(10, ten)
    many = measured(200, registry, tags)
    ratio = many.series.seconds / ten.series.seconds
    yield from _rows(200, many, f"{ratio:.2f} times 10", "4 times 10")
    yield _spread(200, many, target="")
    yield Row("peak memory, 200 stand-in hosts", f"{many.series.peak_mib:.0f} MiB", "150 MiB")


def measured(count: int, registry: Registry, tags: Sequence[str]) -> Figures:
    """Deploy again and again to `count` hosts that have had all of `tags` before."""
    with Fleet(count) as fleet, tempfile.TemporaryDirectory() as folder:
        desk = fleet.desk(Path(folder), registry, PROXY)
        desk.settings["health"] = {}  # as operators have it: tests are in more of a hurry
        desk.write_settings()
        for tag in tags:
            run(desk, "deploy", tag)
        fleet.report()
        done = [_deploy(fleet, desk, tags[number % len(tags)]) for number in range(SWAPS[count])]
    runs, spreads = zip(*done, strict=True)
    return Figures(Series(runs), spreads)


def _deploy(fleet: Fleet, desk: Desk, tag: str) -> tuple[Run, float]:
    took, told = run(desk, "deploy", tag), fleet.report()
    serving = {report.live_tag for report in told.values()}
    assert serving == {f"sha-{tag}"}, f"{tag} was deployed, {serving} serve"
    return took, spread_s(told)


def _rows(count: int, figures: Figures, ratio: str, target: str) -> Iterator[Row]:
    what = f"deploy, {count} stand-in hosts"
    yield Row(what, f"{figures.series}, {ratio}", target, figures.series.note)


def _spread(count: int, figures: Figures, target: str = "250 ms") -> Row:
    note = f"median of {len(figures.spreads_s)}, at most {max(figures.spreads_s) * 1000:.0f} ms"
    return Row(f"first switch to last, {count} stand-in hosts", figures.spread, target, note)
