"""Status, history and candidates, as a person and as a script reads them."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from restoops.model import Record
from restoops.plan.rollback import candidates
from restoops.plan.runs import merge
from restoops.plan.status import Status, status_of
from restoops.report.tables import show_candidates, show_runs, show_statuses
from tests.plan.states import BLUE, GREEN, V1, V2, V3, host, proxy, record, run, runs

STATE = host(
    proxy(GREEN, BLUE, GREEN, covering=True), runs(BLUE, V1), runs(GREEN, V2),
    history=(record(V1), record(V2), record(V3, "failed")),
)  # fmt: skip


def test_the_status_of_a_host(capsys: pytest.CaptureFixture[str]) -> None:
    show_statuses("staging", [status_of(replace(STATE, open_run=run(V1)))], as_json=False)

    out = capsys.readouterr().out
    assert f"v2 ({V2.digest.short}) in green, since 2026-01-02 03:05:00 UTC, by olga" in out
    assert "in blue, since 2026-01-02 03:05:00 UTC, by olga, in reserve" in out
    assert "deploy of v1 by olga from laptop, since 2026-01-02 03:04:05 UTC" in out


def test_the_status_of_an_empty_host(capsys: pytest.CaptureFixture[str]) -> None:
    show_statuses("staging", [status_of(host(None))], as_json=False)

    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        ["environment", "staging (web-1)"],
        ["serves", "nothing"],
        ["warm", "nothing"],
        ["proxy", "not running"],
    ]


def test_the_candidates_of_a_rollback(capsys: pytest.CaptureFixture[str]) -> None:
    show_candidates("staging", "web-1", candidates(STATE, lambda _: None), as_json=False)

    out = capsys.readouterr().out
    assert [line.split()[0] for line in out.splitlines() if line][-2:] == ["v2", "v1"]
    assert "warm" in out


def test_no_candidates(capsys: pytest.CaptureFixture[str]) -> None:
    show_candidates("staging", "web-1", (), as_json=False)

    assert capsys.readouterr().out == "staging (web-1): nothing was deployed here yet\n"


def test_the_history(capsys: pytest.CaptureFixture[str]) -> None:
    history = tuple(replace(it, error="[red]x") for it in STATE.history)
    show_runs("staging", merge({"web-1": history}), as_json=False)

    out = capsys.readouterr().out
    assert out.count("olga from laptop") == 3
    assert "[red]x" in out


def test_no_history(capsys: pytest.CaptureFixture[str]) -> None:
    show_runs("staging", (), as_json=False)

    assert capsys.readouterr().out == "staging: nothing was deployed here yet\n"


def test_every_table_as_json_is_one_versioned_object_to_a_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_statuses("staging", [status_of(STATE)], as_json=True)
    show_candidates("staging", "web-1", candidates(STATE, lambda _: True), as_json=True)
    show_runs("staging", merge({"web-1": STATE.history}), as_json=True)

    values = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(values) == 1 + 2 + 3
    assert {(it["v"], it["environment"], it["host"]) for it in values} == {(1, "staging", "web-1")}


def test_a_table_in_a_pipe_is_never_cut(capsys: pytest.CaptureFixture[str]) -> None:
    history = (replace(record(V1), error="x" * 300),)
    show_runs("staging", merge({"web-1": history}), as_json=False)

    assert "x" * 300 in capsys.readouterr().out


# Several hosts


def cells(out: str) -> list[list[str]]:
    """Return the table's rows below its heads, split where there are two spaces or more."""
    return [re.split(r" {2,}", line.strip()) for line in out.splitlines() if line.strip()]


def statuses(*names: str) -> list[Status]:
    return [status_of(replace(STATE, host=name)) for name in names]


def test_several_hosts_are_a_row_each(capsys: pytest.CaptureFixture[str]) -> None:
    empty = status_of(replace(host(None), host="web-3"))
    show_statuses("staging", [*statuses("web-1", "web-2"), empty], as_json=False)

    since = "2026-01-02 03:05:00 UTC"
    assert cells(capsys.readouterr().out) == [
        ["staging"],
        ["HOST", "SERVES", "DIGEST", "SINCE", "WARM", "PROXY"],
        ["web-1", "v2 in green", V2.digest.short, since, "v1, in reserve", "running"],
        ["web-2", "v2 in green", V2.digest.short, since, "v1, in reserve", "running"],
        ["web-3", "nothing", "nothing", "not running"],
        ["look at", f"the hosts differ: v2 ({V2.digest.short}) on web-1, web-2; nothing on web-3"],
    ]


def test_hosts_that_agree_have_nothing_below_their_rows(capsys: pytest.CaptureFixture[str]) -> None:
    show_statuses("staging", statuses("web-1", "web-2"), as_json=False)

    assert cells(capsys.readouterr().out)[-1][0] == "web-2"


def test_faults_and_open_runs_of_several_hosts_name_their_host(
    capsys: pytest.CaptureFixture[str],
) -> None:
    bad = replace(
        STATE, host="web-2", history_altered="history.jsonl was altered", open_run=run(V1)
    )
    show_statuses("staging", [*statuses("web-1"), status_of(bad)], as_json=False)

    since = "2026-01-02 03:04:05 UTC"
    what = f"deploy of v1 by olga from laptop, since {since}: still running, or cut off"
    assert cells(capsys.readouterr().out)[-2:] == [
        ["open run", f"web-2: {what}"],
        ["look at", "web-2: history.jsonl was altered"],
    ]


def test_several_hosts_as_json_are_an_object_each(capsys: pytest.CaptureFixture[str]) -> None:
    show_statuses("staging", statuses("web-1", "web-2"), as_json=True)

    found = [json.loads(line)["host"] for line in capsys.readouterr().out.splitlines()]
    assert found == ["web-1", "web-2"]


DONE, FAILED = record(V1), replace(record(V1, "failed"), error="no answer")
FOUR = ("web-1", "web-2", "web-3", "web-4")


@pytest.mark.parametrize(
    ("outcomes", "hosts", "outcome", "why"),
    [
        pytest.param({"web-1": (DONE,)}, "web-1", "done", [], id="one host is named"),
        pytest.param(dict.fromkeys(FOUR, (DONE,)), "all 4", "done", [], id="all hosts"),
        pytest.param({**dict.fromkeys(FOUR, (DONE,)), "web-4": ()}, "3 of 4", "done", [],
                     id="many of the hosts are counted"),
        pytest.param({**dict.fromkeys(FOUR, ()), "web-2": (DONE,), "web-3": (DONE,)},
                     "web-2, web-3", "done", [], id="few of the hosts are named"),
        pytest.param({**dict.fromkeys(FOUR, (DONE,)), "web-1": (FAILED,)},
                     "all 4", "done on 3, failed on 1", ["no answer"], id="hosts that differ"),
        pytest.param(dict.fromkeys(FOUR, (FAILED,)), "all 4", "failed", ["no answer"],
                     id="a reason that all hosts share is told once"),
        pytest.param({"web-1": (FAILED,), "web-2": (replace(FAILED, error="web-2: full"),)},
                     "all 2", "failed", ["web-1: no answer; web-2: full"],
                     id="reasons that differ name their host"),
    ],
)  # fmt: skip
def test_a_run_on_several_hosts(
    capsys: pytest.CaptureFixture[str],
    outcomes: dict[str, tuple[Record, ...]],
    hosts: str,
    outcome: str,
    why: list[str],
) -> None:
    show_runs("staging", merge(outcomes), as_json=False)

    [_, row] = cells(capsys.readouterr().out)
    assert row == ["2026-01-02 03:04:05 UTC", "deploy", "v1", hosts, outcome, "55 s",
                   "olga from laptop", "run-v1", *why]  # fmt: skip


def test_the_history_as_json_is_what_each_host_says_and_names_steps_as_events_do(
    capsys: pytest.CaptureFixture[str],
) -> None:
    timed = record(V1, took={"AwaitHealthy": 2, "KeepWarm": 0.5})
    show_runs("staging", merge({"web-1": (timed,), "web-2": (FAILED,)}), as_json=True)

    one, two = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert [it["step"] for it in one["log"]] == ["await_healthy", "keep_warm"]
    assert (one["host"], one["outcome"], two["host"], two["outcome"]) == (
        "web-1", "done", "web-2", "failed",
    )  # fmt: skip
