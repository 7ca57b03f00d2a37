"""What the clients and the hosts of a fleet say while a command runs, and after it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.e2e.inside import answering
from tests.lab.droplet import Droplet
from tests.lab.loadrun import LoadRun
from tests.lab.operator import Operator, Outcome

RATE = 50
"""Requests a second to each host: four of them share the machine."""


@contextmanager
def unnoticed(fleet: Operator, *but: Droplet) -> Iterator[None]:
    """No client of any host may lose a request meanwhile, except those of `but`."""
    urls = [
        url for url, droplet in zip(fleet.urls, fleet.droplets, strict=True) if droplet not in but
    ]
    with ExitStack() as stack:
        loads = [stack.enter_context(LoadRun(url, RATE)) for url in urls]
        for load in loads:
            load.wait_for_traffic()
        yield
        results = [load.stop() for load in loads]
    assert [result.failed for result in results] == [0] * len(urls), results


def serving(fleet: Operator, *but: Droplet) -> list[str]:
    """What answers on each host."""
    pairs = zip(fleet.urls, fleet.droplets, strict=True)
    return [answering(url) for url, droplet in pairs if droplet not in but]


def results(outcome: Outcome) -> dict[str, tuple[str, str]]:
    """What `--json` said of each host: how the run ended there, and the tag that serves."""
    ended = next(event for event in outcome.events if event["event"] == "fleet_ended")
    return {host["host"]: (host["ending"], host["serves"]["tag"]) for host in ended["hosts"]}
