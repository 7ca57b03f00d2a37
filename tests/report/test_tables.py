"""Status, history and candidates, as a person and as a script reads them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from restoops.plan.rollback import candidates
from restoops.plan.status import status_of
from restoops.report.tables import show_candidates, show_history, show_status
from tests.plan.states import BLUE, GREEN, V1, V2, host, proxy, record, run, runs

STATE = host(
    proxy(GREEN, BLUE, GREEN, covering=True), runs(BLUE, V1), runs(GREEN, V2),
    history=(record(V1), record(V2), record(V1, "failed")),
)  # fmt: skip


def test_the_status_of_a_host(capsys: pytest.CaptureFixture[str]) -> None:
    show_status("staging", status_of(replace(STATE, open_run=run(V1))), as_json=False)

    out = capsys.readouterr().out
    assert f"v2 ({V2.digest.short}) in green, since 2026-01-02 03:05:00 UTC, by olga" in out
    assert "in blue, since 2026-01-02 03:05:00 UTC, by olga, in reserve" in out
    assert "deploy of v1 by olga from laptop, since 2026-01-02 03:04:05 UTC" in out


def test_the_status_of_an_empty_host(capsys: pytest.CaptureFixture[str]) -> None:
    show_status("staging", status_of(host(None)), as_json=False)

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
    show_history("staging", "web-1", [replace(it, error="[red]x") for it in STATE.history],
                 as_json=False)  # fmt: skip

    out = capsys.readouterr().out
    assert out.count("olga from laptop") == 3
    assert "[red]x" in out


def test_every_table_as_json_is_one_versioned_object_to_a_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_status("staging", status_of(STATE), as_json=True)
    show_candidates("staging", "web-1", candidates(STATE, lambda _: True), as_json=True)
    show_history("staging", "web-1", STATE.history, as_json=True)

    values = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(values) == 1 + 2 + 3
    assert {(it["v"], it["environment"], it["host"]) for it in values} == {(1, "staging", "web-1")}


def test_a_table_in_a_pipe_is_never_cut(capsys: pytest.CaptureFixture[str]) -> None:
    show_history("staging", "web-1", [replace(record(V1), error="x" * 300)], as_json=False)

    assert "x" * 300 in capsys.readouterr().out
