"""Runs that reports are made of, from what they told: one that went well, one that did not."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from restoops.errors import RestoopsError, StepFailed
from restoops.model import Color, Digest, OpenRun, Record, Release, Timing
from restoops.plan.fleet import Ending, HostResult
from restoops.plan.probe import Sample, percentile
from restoops.plan.runs import FleetRun, merge
from restoops.plan.steps import (
    AwaitHealthy,
    Drain,
    KeepWarm,
    Pull,
    Start,
    Step,
    Stop,
    Switch,
    Verify,
)
from restoops.report.chronicle import Asked, Chronicle
from restoops.report.events import (
    FleetEnded,
    Output,
    Planned,
    Probed,
    PuttingRight,
    RunEnded,
    RunStarted,
    StepBroken,
    StepEnded,
    StepStarted,
)
from restoops.report.page import Output as Printed
from restoops.report.page import Page

OLD = Release("sha-0a1b2c3", Digest("sha256:" + "ab" * 32))
NEW = Release("sha-4d5e6f7", Digest("sha256:" + "cd" * 32))
BLUE, GREEN = Color.BLUE, Color.GREEN
LOG = """\
2026-01-02T03:04:07Z listening on port 3001
2026-01-02T03:04:07Z error: connect ECONNREFUSED 10.0.0.3:5432
    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1637:16)
2026-01-02T03:04:08Z shutting down"""


class Stage:
    """Time that a test lets pass, and a chronicle that takes down what is told meanwhile."""

    def __init__(self, kind: str = "deploy") -> None:
        self.passed = 0.0
        asked = Asked(kind, "production", "olga", "GitHub Actions run 4711",
                      "2026-01-02T03:04:05.000Z", "20260102T030405-3fa9c1")  # fmt: skip
        self.chronicle = Chronicle(asked, lambda: self.passed)
        self.tell = self.chronicle.tell

    def step(self, host: str, step: Step, at_s: float, seconds: float, note: str = "") -> None:
        """Let a step begin and end."""
        self.passed = at_s
        self.tell(StepStarted(host, step))
        self.passed = at_s + seconds
        self.tell(StepEnded(host, step, seconds, note))


def samples(
    hosts: tuple[str, ...], until_s: float, status: Callable[[int], int] = lambda _: 200
) -> tuple[Sample, ...]:
    """Return answers that look like answers: mostly quick, now and then a slower one."""
    found = []
    for number in range(int(until_s * 10)):
        for shift, host in enumerate(hosts):
            ms = 2.1 + math.sin(number * 1.7 + shift) * 0.7 + (number % 23 == 5) * 9
            answer = status(number)
            at_s = number / 10 + shift / 40
            found.append(Sample(host, round(at_s, 3), 5000 if not answer else round(ms, 2), answer))
    return tuple(found)


def probed(found: tuple[Sample, ...], hosts: tuple[str, ...]) -> Probed:
    ms = sorted(it.ms for it in found if it.status)
    failed = sum(it.failed for it in found)
    half, most, last = percentile(ms, 0.5), percentile(ms, 0.99), ms[-1] if ms else None
    return Probed("2026-01-02T03:04:06.000Z", "/health", hosts, len(found), failed,
                  half, most, last, found)  # fmt: skip


def went_well(count: int = 3) -> Page:
    """A deploy to several hosts without a fault."""
    stage, hosts = Stage(), tuple(f"10.20.0.{number + 2}" for number in range(count))
    stage.tell(RunStarted("deploy", "production", NEW, hosts))
    for host in hosts:
        stage.tell(Planned(host, OLD, (), dry_run=False))
    for number, host in enumerate(hosts):
        late = number % 5 * 0.13
        stage.step(host, Pull(NEW.digest), 0.4, 1.9 + late)
        stage.step(host, Start(GREEN, NEW), 2.35 + late, 0.22)
        stage.step(host, AwaitHealthy(GREEN, 60, 3), 2.6 + late, 1.3)
        stage.step(host, Switch(GREEN), 4.4, 0.02)
        stage.step(host, Verify(GREEN), 4.43, 0.04, "200")
        stage.step(host, Drain(BLUE, 30), 4.5, 0.35 + late, "no request was cut")
        stage.step(host, KeepWarm(BLUE, 600, covers=True), 4.9 + late, 0.05)
    for line in ("> migrate", "3 migrations applied"):
        stage.tell(Output(hosts[0], line))
    seen = samples(hosts[:50], 5 if count < 10 else 0.5)
    stage.tell(probed(seen, hosts[:50]))
    results = tuple(HostResult(host, Ending.DONE, NEW) for host in hosts)
    stage.tell(FleetEnded("deploy", "production", NEW, results, 5.6, dry_run=False, cut=0,
                          requests=len(seen)))  # fmt: skip
    stage.chronicle.results = results
    return stage.chronicle.page()


def failed(error: RestoopsError | None = None) -> Page:
    """A deploy whose release answers badly after the switch, so that traffic goes back."""
    stage, host = Stage(), "10.20.0.2"
    stage.tell(RunStarted("deploy", "production", NEW, (host,)))
    stage.tell(Planned(host, OLD, (), dry_run=False))
    stage.step(host, Start(GREEN, NEW), 0.4, 0.2)
    stage.step(host, AwaitHealthy(GREEN, 60, 3), 0.7, 0.9, "200")
    stage.step(host, Switch(GREEN), 1.7, 0.03)
    stage.tell(StepStarted(host, Verify(GREEN)))
    stage.passed = 3.7
    stage.tell(StepBroken(host, Verify(GREEN), "green answered /health: 503"))
    stage.tell(PuttingRight(host))
    stage.step(host, Switch(BLUE), 3.75, 0.02)
    stage.step(host, Stop(GREEN), 3.8, 0.4)
    stage.passed = 4.3
    seen = samples(
        (host,), 3.3, lambda number: 503 if 10 < number < 17 else 0 if number == 17 else 200
    )
    stage.tell(probed(seen, (host,)))
    stage.chronicle.results = (HostResult(host, Ending.UNDONE, OLD, "green answered badly"),)
    stage.chronicle.fault = error or StepFailed(
        "10.20.0.2: through the proxy, green answered /health: 503: database: connection refused",
        hint="Traffic goes back to the release before. `restoops logs production` shows more.",
        details=LOG,
    )
    return stage.chronicle.page()


def ended(event: RunEnded) -> Page:
    """A run of which only its end was told."""
    stage = Stage(event.kind)
    stage.tell(RunStarted(event.kind, event.environment, event.release, (event.host,)))
    stage.tell(Planned(event.host, event.previous, (), dry_run=event.dry_run))
    stage.tell(event)
    stage.chronicle.results = (HostResult(event.host, Ending.DONE, event.release),)
    return stage.chronicle.page()


def hostile() -> Page:
    """A run whose every text would be more than text."""
    script, image = "<script>alert(1)</script>", "<img src=x onerror=alert(1)>"
    page = failed(
        StepFailed(
            f"{script} `{image}`", hint=f"{image} `</code>{script}`", details=f"{image}\x1b[31m"
        )
    )
    return replace(
        page,
        headline=f"The deploy of {script} on production failed",
        release=Release(script, NEW.digest),
        previous=(Release(image * 20, OLD.digest),),
        who=f'"><{script}',
        origin="x" * 400,
        hosts=tuple(
            replace(
                it,
                host=script,
                error=image,
                bars=tuple(replace(bar, step=image, note=script) for bar in it.bars),
            )
            for it in page.hosts
        ),
        output=(Printed(image, (script, "\x1b]0;owned\x07", "y" * 2000)),),
    )


def remembered() -> FleetRun:
    """A run as the histories of two hosts have it; it failed on one of them."""
    run = OpenRun("20260102T030405-3fa9c1", "deploy", NEW, "olga", "laptop",
                  "2026-01-02T03:04:05.000Z", BLUE, GREEN, previous=OLD)  # fmt: skip
    log = (
        Timing("Pull", "2026-01-02T03:04:05.400Z", 2),
        Timing("AwaitHealthy", "2026-01-02T03:04:07.500Z", 1.2),
        Timing("Switch", "2026-01-02T03:04:09.000Z", 0.02),
    )
    broken = (
        *log,
        Timing("Verify", "2026-01-02T03:04:09.100Z", 5, broken=True),
        Timing("Switch", "2026-01-02T03:04:14.200Z", 0.02),
    )
    end = "2026-01-02T03:04:15.000Z"
    done = Record(run, "done", end, log=log, output=("> migrate",))
    error = "web-2: through the proxy, nobody answered"
    records = {"web-1": done, "web-2": Record(run, "failed", end, error, log=broken)}
    return merge({host: (record,) for host, record in records.items()} | {"web-3": ()})[0]
