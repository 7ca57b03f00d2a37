"""`restoops deploy` beside the playbook that makes the same swap, on one droplet under load."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median

from tests.bench.measure import Row
from tests.e2e.playbooks import Team
from tests.lab.loadrun import LoadRun
from tests.lab.operator import Operator

RATE = 200
SWAPS = 5


@dataclass
class Ways:
    """What swaps of one kind took, and what clients met with."""

    swap: Callable[[str], object]
    seconds: list[float] = field(default_factory=list)
    failed: int = 0
    requests: int = 0

    def go(self, operator: Operator, tag: str) -> None:
        """Make one swap under load."""
        with LoadRun(operator.url, RATE) as load:
            load.wait_for_traffic()
            began = time.perf_counter()
            self.swap(tag)
            self.seconds.append(time.perf_counter() - began)
            load.wait_for_release(tag)
            result = load.stop()
        self.failed += result.failed
        self.requests += result.requests


def rows(operator: Operator, tags: Sequence[str]) -> Iterator[Row]:
    """Deploy tags in turn, by one way and by the other."""
    team = Team(operator)
    ways = {
        "restoops deploy": Ways(lambda tag: operator.deploy(tag)),
        "update-api.yml": Ways(lambda tag: _succeeding(team, tag)),
    }
    for _ in range(SWAPS):
        for way in ways.values():
            way.go(operator, next(tag for tag in tags if f"sha-{tag}" != operator.serving()))
    for name, way in ways.items():
        note = f"median of {SWAPS}, {min(way.seconds):.2f} to {max(way.seconds):.2f} s, under load"
        yield Row(f"one swap by `{name}`", f"{median(way.seconds):.2f} s", "", note)
        yield Row(f"failed requests, `{name}`", f"{way.failed} of {way.requests}", "0")


def _succeeding(team: Team, tag: str) -> None:
    outcome = team.update(tag)
    assert outcome.status == 0, outcome
