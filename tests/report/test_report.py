"""What a report shows of a run: all that was told, in its place, and nothing that was not."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import get_args

import pytest

from restoops.errors import (
    CheckRefused,
    Interrupted,
    Locked,
    NeedsAttention,
    Refused,
    RestoopsError,
    StepFailed,
    Unreachable,
    UsageError,
)
from restoops.model import Record, Timing
from restoops.plan.fleet import Ending, HostResult
from restoops.plan.probe import Sample
from restoops.plan.runs import merge
from restoops.plan.steps import Forget, Smoke, Step, Switch, Verify
from restoops.report.events import Recovering, RunEnded, RunStarted, StepStarted
from restoops.report.html import render
from restoops.report.page import Bar, Phase, Tone
from restoops.report.plots import plot, spans, ticks
from restoops.report.recalled import page_of
from tests.plan.states import run as open_run
from tests.report import pages
from tests.report.pages import BLUE, GREEN, NEW, OLD, Stage

ENDED = RunEnded("deploy", "production", "10.20.0.2", NEW, OLD, 1.2, changed=True, dry_run=False,
                 cut=0, warm_s=600)  # fmt: skip


def words(html: str) -> str:
    """Return what is read on a page."""
    body = re.sub(r"<(style|svg)[^>]*>.*?</\1>", " ", html, flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def test_a_page_shows_all_that_a_run_told() -> None:
    text = words(render(pages.went_well()))

    for part in (
        "done sha-4d5e6f7 serves on production deploy · 2026-01-02 03:04:05 UTC · 5.6 s · 3 hosts",
        "Before it sha-0a1b2c3", "By olga from GitHub Actions run 4711", "20260102T030405-3fa9c1",
        "0 of 150 of the probe", "restoops rollback production", "10.20.0.4 done sha-4d5e6f7",
        "wait until green is healthy", "no request was cut", "3 migrations applied",
        "Slowest 11.7 ms",
    ):  # fmt: skip
        assert part in text


def test_a_page_of_a_failure_shows_why_and_what_to_do_and_what_serves() -> None:
    text = words(render(pages.failed()))

    for part in (
        "failed The deploy of sha-4d5e6f7 on production failed",
        "through the proxy, green answered /health: 503: database: connection refused",
        "What to do now Traffic goes back", "connect ECONNREFUSED 10.0.0.3:5432",
        "undone sha-0a1b2c3", "7 of 33 of the probe", "put right", "Requests that failed",
    ):  # fmt: skip
        assert part in text


def test_steps_after_one_that_broke_put_things_right() -> None:
    [host] = pages.failed().hosts

    assert [(bar.kind, bar.phase, bar.broken) for bar in host.bars] == [
        ("start", Phase.PREPARE, False), ("await_healthy", Phase.PREPARE, False),
        ("switch", Phase.SWITCH, False), ("verify", Phase.SWITCH, True),
        ("switch", Phase.RESTORE, False), ("stop", Phase.RESTORE, False),
    ]  # fmt: skip


def test_an_earlier_run_that_is_put_right_first_is_told_from_this_one() -> None:
    stage = Stage()
    stage.tell(Recovering("10.20.0.2", open_run(OLD), finishes=False))
    stage.step("10.20.0.2", Switch(GREEN), 0, 0.1)
    stage.tell(RunStarted("deploy", "production", NEW, ("10.20.0.2",)))
    stage.step("10.20.0.2", Switch(BLUE), 1, 0.1)
    stage.chronicle.results = (HostResult("10.20.0.2", Ending.DONE, NEW),)
    [host] = stage.chronicle.page().hosts

    assert [bar.phase for bar in host.bars] == [Phase.RESTORE, Phase.SWITCH]


@pytest.mark.parametrize(
    ("error", "tone", "words"),
    [
        (StepFailed("x"), Tone.BAD, "failed"),
        (UsageError("x"), Tone.BAD, "was refused"),
        (NeedsAttention("x"), Tone.WARNING, "needs a look"),
        (Locked("x"), Tone.BAD, "had to give way to another run"),
        (Unreachable("x"), Tone.BAD, "could not reach what it needs"),
        (CheckRefused("x"), Tone.BAD, "was refused by a check"),
        (Interrupted("x"), Tone.WARNING, "was interrupted"),
    ],
)
def test_each_kind_of_failure_has_its_own_headline(
    error: RestoopsError, tone: Tone, words: str
) -> None:
    stage = Stage()
    stage.chronicle.fault = error
    page = stage.chronicle.page()

    assert (page.tone, page.headline) == (tone, f"The deploy on production {words}")
    assert page.hosts == ()


@pytest.mark.parametrize(
    ("ended", "tone", "headline"),
    [
        (ENDED, Tone.GOOD, "sha-4d5e6f7 serves on production"),
        (replace(ENDED, changed=False), Tone.NEUTRAL,
         "sha-4d5e6f7 serves on production already; nothing moved"),
        (replace(ENDED, changed=False, dry_run=True), Tone.NEUTRAL,
         "Dry run: sha-4d5e6f7 would serve on production"),
    ],
)  # fmt: skip
def test_a_run_that_succeeded_says_whether_it_changed_anything(
    ended: RunEnded, tone: Tone, headline: str
) -> None:
    page = pages.ended(ended)

    assert (page.tone, page.headline) == (tone, headline)
    assert "No probe was sent: no traffic was moved." in page.missing


@pytest.mark.parametrize(
    ("fault", "is_news"),
    [
        (UsageError("x"), False), (Refused("not confirmed"), False), (Locked("x"), True),
        (Unreachable("x"), True), (Interrupted("x"), True), (None, False),
    ],
)  # fmt: skip
def test_others_are_not_told_of_what_never_began(
    fault: RestoopsError | None, is_news: bool
) -> None:
    stage = Stage()
    stage.chronicle.fault = fault

    assert stage.chronicle.is_news is is_news


def test_a_page_out_of_the_history_says_what_it_lacks() -> None:
    page = page_of(pages.remembered(), "production")
    text = words(render(page))

    assert page.tone is Tone.WARNING
    assert [(it.host, it.ending) for it in page.hosts] == [
        ("web-1", "done"), ("web-2", "failed"), ("web-3", "no record"),
    ]  # fmt: skip
    assert [(it.kind, it.at_s, it.phase) for it in page.hosts[1].bars][-2:] == [
        ("verify", 4.1, Phase.SWITCH), ("switch", 9.2, Phase.RESTORE),
    ]  # fmt: skip
    assert "Requests of the probe are not kept" in text
    assert "No record of this run on: web-3." in text
    assert "What clients met with" not in text


def test_smoke_checks_are_in_the_phase_that_they_are_put_in() -> None:
    steps: tuple[Step, ...] = (
        Smoke(GREEN, ("menu",)), Switch(GREEN), Verify(GREEN), Smoke(GREEN, ("menu",), live=True),
        Forget(frozenset({"a"})),
    )  # fmt: skip
    stage = Stage()
    stage.tell(RunStarted("deploy", "production", NEW, ("10.20.0.2",)))
    for number, step in enumerate(steps):
        stage.step("10.20.0.2", step, number, 0.1)
    stage.chronicle.results = (HostResult("10.20.0.2", Ending.DONE, NEW),)
    [watched] = stage.chronicle.page().hosts
    log = tuple(Timing(type(it).__name__, "2026-01-02T03:04:05Z", 0.1) for it in steps)
    record = Record(open_run(NEW), "done", "2026-01-02T03:04:09Z", log=log)
    [recalled] = page_of(merge({"web-1": (record,)})[0], "production").hosts

    for host in (watched, recalled):
        assert [bar.phase for bar in host.bars] == [
            Phase.PREPARE, Phase.SWITCH, Phase.SWITCH, Phase.SWITCH, Phase.SETTLE,
        ]  # fmt: skip


def test_each_kind_of_step_has_words_of_its_own_out_of_the_history() -> None:
    kinds = {kind.__name__ for kind in get_args(Step)}
    log = tuple(Timing(kind, "2026-01-02T03:04:05Z", 0.1) for kind in sorted(kinds))
    record = Record(open_run(NEW), "done", "2026-01-02T03:04:09Z", log=log)
    [host] = page_of(merge({"web-1": (record,)})[0], "production").hosts

    assert not {bar.step for bar in host.bars} & kinds


def test_nothing_on_a_page_comes_from_outside_and_nothing_runs() -> None:
    for page in (pages.went_well(), pages.failed(), pages.hostile()):
        html = render(page)
        assert "default-src 'none'" in html
        assert not re.search(r"<(script|link rel=\"stylesheet\"|iframe|object|a |form)", html)
        assert set(re.findall(r"<[^>]*\s(?:href|src|style|on\w+)=\"([^\"]*)\"", html)) == {"data:,"}
        assert "\x1b" not in html
        assert "\x07" not in html


def test_marks_are_inside_of_their_drawing() -> None:
    bars = (Bar("a", "a", Phase.PREPARE, 0, 0.0001), Bar("b", "b", Phase.SWITCH, 9.99, 5))
    first, second = spans(bars, 10)

    assert (first.x, first.width) == ("0.00%", "0.50%")
    assert float(second.x[:-1]) + float(second.width[:-1]) <= 100
    assert [mark.label for mark in ticks(10)] == ["0", "2 s", "4 s", "6 s", "8 s"]
    assert spans(bars, 0)[0].x == "0.00%"


@pytest.mark.parametrize(
    "samples",
    [
        pytest.param((Sample("a", 0, 1, 200),), id="one answer"),
        pytest.param((Sample("a", 0, 5000, 0),), id="no answer at all"),
        pytest.param((Sample("a", 0, 0, 200), Sample("a", 9, 60000, 500)), id="far apart"),
    ],
)
def test_any_answers_can_be_drawn(samples: tuple[Sample, ...]) -> None:
    page = replace(pages.went_well(1), probed=pages.probed(samples, ("a",)))
    drawn = plot(page)

    assert drawn
    assert all(
        0 <= float(dot.x[:-1]) <= 100 and 0 <= float(dot.y[:-1]) <= 100 for dot in drawn.dots
    )
    assert len(drawn.failures) == sum(it.failed for it in samples)
    assert "What clients met with" in render(page)


def test_a_step_that_never_ended_is_not_shown() -> None:
    stage = Stage()
    stage.tell(StepStarted("10.20.0.2", Switch(GREEN)))

    assert stage.chronicle.page().hosts == ()
