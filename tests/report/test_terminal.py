"""What stands beside a step that runs is that step's own."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from restoops.plan.steps import AwaitHealthy, Pull, Start
from restoops.report.events import Planned, Progress, RunStarted, StepEnded, StepStarted
from restoops.report.terminal import TerminalReporter
from tests.flows.clock import FakeClock
from tests.plan.states import BLUE, V1, V2

PULL, START, AWAIT = Pull(V2.digest), Start(BLUE, V2), AwaitHealthy(BLUE, 60, 2)
HOSTS = [("web-1",), ("web-1", "web-2")]


class Screen:
    """A live view, and what it looks like."""

    def __init__(self, hosts: tuple[str, ...]) -> None:
        self.clock = FakeClock()
        self.reporter = TerminalReporter(self.clock.monotonic)
        self.reporter.tell(RunStarted("deploy", "staging", V2, hosts))
        for host in hosts:
            self.reporter.tell(Planned(host, V1, (PULL, START, AWAIT), dry_run=False))

    def line(self, about: str) -> str:
        """Return the row of a step as it is drawn at this moment."""
        drawn = Console(file=io.StringIO(), width=120)
        with drawn.capture() as capture:
            drawn.print(self.reporter._table())
        return next(line for line in capture.get().splitlines() if about in line)


@pytest.fixture(params=HOSTS, ids=["one host", "a fleet"])
def screen(request: pytest.FixtureRequest) -> Screen:
    return Screen(request.param)


def test_a_step_that_runs_shows_nothing_of_the_step_before(screen: Screen) -> None:
    screen.reporter.tell(StepStarted("web-1", PULL))
    screen.reporter.tell(Progress("web-1", PULL, "Downloading"))
    screen.reporter.tell(StepEnded("web-1", PULL, 41, "as asked"))
    screen.reporter.tell(StepStarted("web-1", START))

    line = screen.line("start v2 in blue").rstrip()
    screen.reporter.close()

    assert line.endswith("start v2 in blue")


def test_a_step_that_runs_shows_for_how_long_also_when_nobody_tells_of_it(screen: Screen) -> None:
    screen.reporter.tell(StepStarted("web-1", AWAIT))
    at_once = screen.line("wait until blue is healthy").rstrip()
    screen.clock.sleep(12.7)
    later = screen.line("wait until blue is healthy").rstrip()
    screen.reporter.tell(StepEnded("web-1", AWAIT, 13.1, "200"))
    done = screen.line("wait until blue is healthy").rstrip()
    screen.reporter.close()

    assert at_once.endswith("healthy")
    assert later.endswith(" 12 s")
    assert done.split()[-3:] == ["13", "s", "200"]
