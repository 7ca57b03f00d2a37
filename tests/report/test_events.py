"""Every event in every form: lines of text, JSON, a live view on a terminal."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any, get_args

import pytest

from restoops.errors import StepFailed
from restoops.plan.bake import Limits
from restoops.plan.fleet import Ending, HostResult
from restoops.plan.probe import Sample
from restoops.plan.smoke import Result
from restoops.plan.steps import (
    AwaitHealthy,
    Bake,
    Drain,
    Forget,
    KeepWarm,
    Pull,
    Remove,
    RunProxy,
    SetUp,
    Smoke,
    Start,
    Step,
    Stop,
    Switch,
    Trim,
    Uncover,
    Verify,
)
from restoops.report.events import (
    AskingAgain,
    Batches,
    BatchStarted,
    Elsewhere,
    Event,
    FleetEnded,
    Output,
    Pausing,
    Planned,
    Preempting,
    Probed,
    Progress,
    PublicChecked,
    PublicChecks,
    PuttingRight,
    Recovering,
    RunEnded,
    RunStarted,
    StepBroken,
    StepEnded,
    StepStarted,
    Stopping,
    Waiting,
)
from restoops.report.jsonl import JsonReporter
from restoops.report.plain import PlainReporter
from restoops.report.terminal import TerminalReporter
from restoops.report.wording import counted, describe, duration
from tests.plan.states import BLUE, GREEN, V1, V2, V3, run

STEPS: list[tuple[Step, str]] = [
    (SetUp(), "make directories and network"),
    (RunProxy(), "run the proxy with the settings of today"),
    (Uncover(GREEN), "take green out of reserve"),
    (Remove(GREEN), "remove what is in green"),
    (Pull(V1.digest), f"pull {V1.digest.short}"),
    (Start(GREEN, V2), "start v2 in green"),
    (AwaitHealthy(GREEN, 60, 2), "wait until green is healthy"),
    (Smoke(GREEN, ("menu", "login")), "ask green: menu, login"),
    (Smoke(GREEN, ("menu",), live=True), "ask the proxy, as clients do: menu"),
    (Switch(GREEN), "switch traffic to green"),
    (Switch(None), "switch traffic off"),
    (Switch(GREEN, keeps=True), "keep traffic on green"),
    (Switch(None, keeps=True), "leave traffic off"),
    (Verify(GREEN), "check through the proxy that green answers"),
    (Bake(GREEN, Limits(30, 0.02, 50)), "watch green under traffic for 30 s"),
    (Drain(BLUE, 30), "wait until no request runs on blue"),
    (KeepWarm(BLUE, 600, covers=True), "keep blue warm for 10 min, in reserve"),
    (KeepWarm(BLUE, 600, covers=False), "keep blue warm for 10 min"),
    (Stop(BLUE), "stop blue"),
    (Trim(frozenset({V1.digest})), "remove images that no rollback needs"),
    (Forget(frozenset({"v1-r1"})), "remove secrets that no release needs"),
    (Start(BLUE, V1, "v1-r1"), "start v1 in blue with the secrets that it had"),
]

SWITCH = Switch(GREEN)
ENDED = RunEnded(
    "deploy", "staging", "web-1", V2, V1, 1.234, changed=True, dry_run=False, cut=0, warm_s=600
)
V1_SHOWN, V2_SHOWN = f"v1 ({V1.digest.short})", f"v2 ({V2.digest.short})"
EVENTS: list[tuple[Event, str]] = [
    (RunStarted("deploy", "staging", V2, ("web-1",)), f"deploy {V2_SHOWN} on staging (web-1)"),
    (Planned("web-1", V1, (SWITCH,), dry_run=False), "  web-1  v1 serves; 1 step"),
    (Planned("web-1", None, (), dry_run=False), "  web-1  nothing serves yet; no steps"),
    (
        Planned("web-1", V1, (SWITCH,), dry_run=True),
        "  web-1  v1 serves; 1 step\n  web-1  would switch traffic to green",
    ),
    (
        Batches((("web-1", "web-2"), ("web-3",)), 30, dry_run=True),
        "would switch in 2 batches, 30 s apart:\n  batch 1: web-1, web-2\n  batch 2: web-3",
    ),
    (
        Batches((("web-1",), ("web-2",)), 0, dry_run=False),
        "hosts switch in 2 batches:\n  batch 1: web-1\n  batch 2: web-2",
    ),
    (
        PublicChecks("https://a.example", ("menu", "login"), dry_run=True),
        "  https://a.example  would ask after the switch: menu, login",
    ),
    (
        PublicChecks("https://a.example", ("menu",), dry_run=False),
        "  https://a.example  to be asked after the switch: menu",
    ),
    (
        PublicChecked("https://a.example", Result("menu", True, 200, 0.042)),
        "  https://a.example  menu  0.04 s  200",
    ),
    (
        PublicChecked("https://a.example", Result("menu", False, 500, 0.04, "GET /: got 500")),
        "  https://a.example  menu  0.04 s  failed: GET /: got 500",
    ),
    (
        PublicChecked("https://a.example", Result("menu", False, 0, 0, "got nothing"), "so before"),
        "  https://a.example  menu  0 s  WARNING: so before: got nothing",
    ),
    (BatchStarted(2, 4, ("web-3", "web-4")), "batch 2 of 4: web-3, web-4"),
    (Pausing(3, 2, 4), "pausing 3 s before batch 2 of 4"),
    (Waiting("web-1", "peter from CI"), "  web-1  waiting for peter from CI"),
    (Preempting("web-1", "peter from CI"), "  web-1  ending the run of peter from CI"),
    (AskingAgain(V1, V3), "meanwhile v3 serves, and v1 is what to go back to:"),
    (
        Recovering("web-1", run(V2), finishes=False),
        ("  web-1  undoing the deploy of v2 that olga began at 2026-01-02T03:04:05.000Z and that "
        "was cut off"),
    ),
    (
        Recovering("web-1", run(V2, "rollback"), finishes=True),
        ("  web-1  finishing the rollback of v2 that olga began at 2026-01-02T03:04:05.000Z and "
        "that was cut off"),
    ),
    (
        Elsewhere("staging", {"web-2": V1, "web-3": None}, ("web-4",)),
        ("hosts of staging differ now: web-2 serves v1, web-3 serves nothing, web-4 could not be "
        "asked"),
    ),
    (StepStarted("web-1", SWITCH), ""),
    (Progress("web-1", Pull(V1.digest), "Downloading"), ""),
    (
        StepEnded("web-1", SWITCH, 0.042, "in no time"),
        "  web-1  switch traffic to green                         0.04 s  in no time",
    ),
    (
        StepBroken("web-1", SWITCH, "HAProxy refused"),
        "  web-1  switch traffic to green                        failed: HAProxy refused",
    ),
    (Output("web-1", "table made"), "  web-1  | table made"),
    (Stopping(3.0), "stopping; a host that does not answer within 3 s is given up"),
    (PuttingRight("web-1"), "  web-1  putting things right:"),
    (
        Probed(
            "2026-01-02T03:04:05.000Z", "/health", ("web-1",), 42, 1, 0.91, 3.14, 4,
            (Sample("web-1", 0.1, 0.91, 200), Sample("web-1", 0.2, 5000, 0)),
        ),
        "  probe of /health: 1 of 42 requests failed; p50 0.9 ms, p99 3.1 ms, slowest 4.0 ms",
    ),
    (
        Probed("2026-01-02T03:04:05.000Z", "/health", ("web-1",), 2, 2, None, None, None, ()),
        "  probe of /health: 2 of 2 requests failed",
    ),
    (
        replace(ENDED, requests=42, failed=1),
        (f"{V2_SHOWN} serves on staging (web-1), before it v1, after 1.23 s; v1 stays warm for "
        "10 min; 1 of 42 requests failed"),
    ),
    (
        ENDED,
        (f"{V2_SHOWN} serves on staging (web-1), before it v1, after 1.23 s; v1 stays warm for "
        "10 min"),
    ),
    (
        FleetEnded(
            "deploy", "staging", V2,
            (HostResult("web-1", Ending.DONE, V2),
             HostResult("web-20", Ending.UNDONE, V1, "the disk is full"),
             HostResult("web-3", Ending.UNCLEAR, None)),
            2.5, dry_run=False, cut=1,
        ),
        (f"{V2_SHOWN} serves on 1 of 3 hosts of staging, after 2.5 s; 1 request was cut at the "
        f"end of the drain\n  web-1   done         {V2_SHOWN}\n"
        f"  web-20  undone       {V1_SHOWN}  the disk is full\n"
        "  web-3   unclear      nobody can say what"),
    ),
]  # fmt: skip

CODES = re.compile(r"\x1b|\x07")
every_event = pytest.mark.parametrize(
    ("event", "line"),
    [pytest.param(*case, id=f"{n}: {type(case[0]).__name__}") for n, case in enumerate(EVENTS)],
)


def test_no_event_and_no_step_is_forgotten() -> None:
    assert {type(event) for event, _ in EVENTS} == set(get_args(Event))
    assert {type(step) for step, _ in STEPS} == set(get_args(Step))


@pytest.mark.parametrize(("step", "words"), [pytest.param(*case, id=case[1]) for case in STEPS])
def test_a_step_in_words(step: Step, words: str) -> None:
    assert describe(step) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (0.004, "0 s"), (0.42, "0.42 s"), (9.9, "9.9 s"), (10, "10 s"), (119, "119 s"),
     (120, "2 min"), (600, "10 min"), (7200, "2 h"), (172800, "2 days")],
)  # fmt: skip
def test_a_duration_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_words_follow_numbers() -> None:
    assert [counted(number, "task") for number in (0, 1, 2)] == ["0 tasks", "1 task", "2 tasks"]


@every_event
def test_plain_lines(event: Event, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    PlainReporter().tell(event)

    out, err = capsys.readouterr()
    is_result = isinstance(event, RunEnded | FleetEnded)
    assert (out if is_result else err) == (f"{line}\n" if line else "")
    assert (err if is_result else out) == ""


@pytest.mark.parametrize("event", [event for event, _ in EVENTS])
def test_json_is_one_versioned_object_to_a_line(
    event: Event, capsys: pytest.CaptureFixture[str]
) -> None:
    JsonReporter().tell(event)

    out, err = capsys.readouterr()
    value: dict[str, Any] = json.loads(out)
    assert err == ""
    assert out.count("\n") == 1
    assert value["v"] == 1
    assert value["event"] == re.sub(r"(?<!^)(?=[A-Z])", "_", type(event).__name__).lower()
    assert {"v", "event", *event.__dataclass_fields__} == set(value)


@pytest.mark.parametrize("step", [step for step, _ in STEPS])
def test_json_names_the_step(step: Step, capsys: pytest.CaptureFixture[str]) -> None:
    JsonReporter().tell(StepStarted("web-1", step))

    said = json.loads(capsys.readouterr().out)["step"]
    assert said.pop("step").replace("_", "") == type(step).__name__.lower()
    assert set(said) == set(step.__dataclass_fields__)


@every_event
def test_the_live_view_in_a_pipe_is_free_of_codes(
    event: Event, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    reporter = TerminalReporter()
    reporter.tell(event)
    reporter.close()

    out, err = capsys.readouterr()
    assert not CODES.search(out + err)
    if isinstance(event, RunEnded):
        assert out == f"✔ {line}\n"


@pytest.mark.parametrize("kind", [PlainReporter, TerminalReporter])
def test_what_programs_and_hosts_have_written_gives_a_terminal_no_orders(
    kind: type[PlainReporter | TerminalReporter], capsys: pytest.CaptureFixture[str]
) -> None:
    written, reporter = "no\x1b[2J\x07 database", kind()
    for event in (
        StepStarted("web-1", Pull(V2.digest)),
        Progress("web-1", Pull(V2.digest), written),
        StepEnded("web-1", Pull(V2.digest), 1, written),
        StepBroken("web-1", Pull(V2.digest), written),
        Waiting("web-1", written),
    ):
        reporter.tell(event)
    reporter.error(StepFailed(written, hint=f"{written}\nsecond", details=f"{written}\nsecond"))
    reporter.close()

    out, err = capsys.readouterr()
    assert not CODES.search(out + err)
    assert err.count("second") == 2
    assert "database\n  | second\n" in err.replace("│", "|")


def _everything_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> str:
    reporter = TerminalReporter()
    for event, _ in EVENTS:
        reporter.tell(event)
    reporter.error(StepFailed("web-1: [bold]no[/bold]", hint="look [here]", details="log [x]"))
    reporter.close()
    return "".join(capsys.readouterr())


def test_a_terminal_shows_colour_and_leaves_the_cursor_visible(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")

    shown = _everything_on_a_terminal(capsys)

    assert "\x1b[32m" in shown
    assert shown.rfind("\x1b[?25h") > shown.rfind("\x1b[?25l")


def test_no_color_is_respected(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("FORCE_COLOR", raising=False)

    assert not re.search(r"\x1b\[[0-9;]*m", _everything_on_a_terminal(capsys))


def test_an_error_on_a_terminal_is_shown_as_it_was_written(
    capsys: pytest.CaptureFixture[str],
) -> None:
    shown = _everything_on_a_terminal(capsys)

    assert "error: web-1: [bold]no[/bold]\n" in shown
    assert "  look [here]" in shown
    assert "  │ log [x]\n" in shown


def test_an_error_in_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    PlainReporter().error(StepFailed("it failed", hint="do\nthis", details="one\ntwo"))

    out, err = capsys.readouterr()
    assert (out, err) == ("", "  | one\n  | two\nerror: it failed\n  do\n  this\n")


def test_an_error_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    JsonReporter().error(StepFailed("it failed", hint="do this", details="one\ntwo"))

    assert json.loads(capsys.readouterr().out) == {
        "v": 1, "event": "error", "message": "it failed", "hint": "do this",
        "details": "one\ntwo", "status": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "line"),
    [
        ({"dry_run": True, "changed": False},
         f"dry run: nothing was changed; {V2_SHOWN} would serve on staging (web-1)"),
        ({"changed": False}, f"{V2_SHOWN} serves on staging (web-1) already; nothing moved"),
        ({"previous": None}, f"{V2_SHOWN} serves on staging (web-1), after 1.23 s"),
        ({"cut": 3, "warm_s": 0},
         (f"{V2_SHOWN} serves on staging (web-1), before it v1, after 1.23 s; 3 requests were cut "
         "at the end of the drain")),
    ],
)  # fmt: skip
def test_how_a_run_ended(
    facts: dict[str, Any], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    PlainReporter().tell(replace(ENDED, **facts))

    assert capsys.readouterr().out == f"{line}\n"
