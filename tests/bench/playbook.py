"""`restoops deploy` beside the playbook that makes the same swap, on one droplet under load."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.bench.load import NONE, failed
from tests.bench.samples import Samples
from tests.bench.stage import RATE, TAGS, Stage
from tests.e2e.playbooks import Team
from tests.lab.loadrun import LoadResult, LoadRun
from tests.lab.operator import Operator

TIMES = 5
ABOUT = f"""\
The same swap made in turn by `restoops deploy` and by the [playbook](update-api.md) of teams
that live in Ansible, on one droplet look-alike, while clients send {RATE} requests a second;
each from Enter to exit."""


@dataclass
class Way:
    """What swaps of one kind took, and what clients met with."""

    swap: Callable[[str], object]
    seconds: list[float] = field(default_factory=list)
    loads: list[LoadResult] = field(default_factory=list)

    def go(self, operator: Operator, tag: str) -> None:
        """Make one swap under load."""
        with LoadRun(operator.url, RATE) as load:
            load.wait_for_traffic()
            began = time.perf_counter()
            self.swap(tag)
            self.seconds.append(time.perf_counter() - began)
            load.wait_for_release(tag)
            self.loads.append(load.stop())


def measure(stage: Stage) -> Iterator[Samples]:
    """Deploy tags in turn, by one way and by the other."""
    operator = stage.operator()
    team = Team(operator)
    ways = {
        "restoops": Way(lambda tag: operator.deploy(tag)),
        "playbook": Way(lambda tag: _succeeding(team, tag)),
    }
    for _ in range(stage.times(TIMES)):
        for way in ways.values():
            way.go(operator, next(tag for tag in TAGS if f"sha-{tag}" != operator.serving()))
    for name, way in ways.items():
        called = "restoops deploy" if name == "restoops" else "update-api.yml"
        yield Samples(name, f"one swap by `{called}`", "s", tuple(way.seconds))
        yield failed(f"{name}_failed", f"failed requests, `{called}`", way.loads, NONE)


def _succeeding(team: Team, tag: str) -> None:
    outcome = team.update(tag)
    assert outcome.status == 0, outcome
