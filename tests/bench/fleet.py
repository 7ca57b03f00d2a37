"""Deploys to many hosts at once. The hosts are stand-ins (`tests/lab/standin`).

As droplets they would compete for this machine's processors, where real ones have their own.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.bench.measure import RESTOOPS, Run, Series, run
from tests.bench.memory import peak_together_mib
from tests.bench.samples import Limit, Samples
from tests.bench.stage import TAGS, Stage
from tests.lab.operator import Desk
from tests.lab.standin.fleet import Fleet, spread_s

SWAPS = {1: 9, 10: 9, 200: 3}
"""How often each fleet is deployed to, by its size."""
PROXY = "restoops/haproxy:a"
"""Any image will do: nothing is run."""


ABOUT = """\
Hosts are stand-ins: SSH servers in one process of the same machine, which answer as a host
does and run nothing. As droplets they would compete for its processors, where real ones have
their own. Each from Enter to exit; first switch to last is as the hosts saw it. From 50 hosts on a
second process of restoops leads half of them; pages of memory that the two share count once."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What deploys to one fleet took."""

    series: Series
    spreads_s: tuple[float, ...]
    """From the first host's switch to the last one's, as the hosts saw it."""
    peaks_mib: tuple[float, ...] = ()
    """Of all processes together, in runs of their own: looking at it takes time."""


def measure(stage: Stage) -> Iterator[Samples]:
    """Deploy to one, ten and two hundred hosts."""
    one = measured(1, stage)
    yield one.series.seconds("deploy_1", "deploy to 1 host")
    ten = measured(10, stage)
    yield ten.series.seconds("deploy_10", "deploy to 10 hosts", Limit(2, than="deploy_1"))
    yield _spread(10, ten, Limit(0.25))
    many = measured(200, stage, memory=True)
    yield many.series.seconds("deploy_200", "deploy to 200 hosts", Limit(4, than="deploy_10"))
    yield _spread(200, many)
    title = "peak memory of a deploy to 200 hosts, both processes"
    yield Samples("memory_200", title, "MiB", many.peaks_mib, (Limit(150, "largest"),))


def measured(count: int, stage: Stage, *, memory: bool = False) -> Figures:
    """Deploy again and again to `count` hosts that have had every release before."""
    with Fleet(count) as fleet, tempfile.TemporaryDirectory() as folder:
        desk = fleet.desk(Path(folder), stage.registry, PROXY)
        desk.settings["health"] = {}  # as operators have it: tests are in more of a hurry
        desk.write_settings()
        for tag in TAGS:
            run(desk, "deploy", tag)
        fleet.report()
        times = stage.times(SWAPS[count])
        done = [_deploy(fleet, desk, TAGS[number % len(TAGS)]) for number in range(times)]
        peaks = [_peak_mib(desk, TAGS[number % len(TAGS)]) for number in range(times * memory)]
    runs, spreads = zip(*done, strict=True)
    return Figures(Series(runs), spreads, tuple(peaks))


def _peak_mib(desk: Desk, tag: str) -> float:
    return peak_together_mib([RESTOOPS, "deploy", tag, "staging", "--yes"], desk.folder, desk.env)


def _deploy(fleet: Fleet, desk: Desk, tag: str) -> tuple[Run, float]:
    took, told = run(desk, "deploy", tag), fleet.report()
    serving = {report.live_tag for report in told.values()}
    assert serving == {f"sha-{tag}"}, f"{tag} was deployed, {serving} serve"
    return took, spread_s(told)


def _spread(count: int, figures: Figures, *limits: Limit) -> Samples:
    title = f"first switch to last of {count} hosts"
    return Samples(f"switches_{count}", title, "s", figures.spreads_s, limits)
