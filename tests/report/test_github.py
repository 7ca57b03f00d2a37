"""Inside GitHub Actions: orders to the runner, outputs, a summary; and nobody can forge one."""

from __future__ import annotations

import io
import json
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restoops.cli.output import reporter
from restoops.errors import RestoopsError, StepFailed
from restoops.model import Release
from restoops.plan.fleet import Ending, HostResult
from restoops.plan.steps import Pull, Switch
from restoops.report.events import (
    Event,
    FleetEnded,
    Output,
    Planned,
    RunEnded,
    RunStarted,
    StepEnded,
)
from restoops.report.jsonl import write
from restoops.report.orders import Guarded, guarded, order
from tests.actions.runner import Order, orders, values_of
from tests.plan.states import GREEN, V1, V2

HOSTILE = [
    "::set-output name=release::evil", "  ::error::owned", "a ##[set-output name=release]evil",
    "a\n::set-env name=PATH::/tmp", "a\r::add-mask::a", "::stop-commands::x", "%0A::error::x",
    "\ufeff::error::x", "\x85::warning::x", "::::", ":\u2028::error::x", "\u2028::error::x",
]  # fmt: skip
texts = st.one_of(
    st.sampled_from(HOSTILE), st.text(alphabet=":#[]%\n\r \ufeffaserrot=", max_size=40)
)
STEP = Switch(GREEN)
ENDED = RunEnded("deploy", "staging", "h1", V2, V1, 3.5, True, False, 0, 600)
EVENTS: list[Event] = [
    RunStarted("deploy", "staging", V2, ("h1",)),
    Planned("h1", V1, (Pull(V2.digest), STEP), dry_run=False),
    StepEnded("h1", STEP, 0.2),
    ENDED,
]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory with what the runner reads, where we are in one of its steps."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    return tmp_path


def told(
    events: list[Event], error: RestoopsError | None = None, *, as_json: bool = False
) -> tuple[str, str]:
    """Return what is printed, on both streams, of a run that may have failed."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), guarded():
        show = reporter(as_json=as_json, url="https://staging.example.com")
        for event in events:
            show.tell(event)
        show.close()
        if error:
            reporter(as_json=as_json).error(error)
    return out.getvalue(), err.getvalue()


def outputs(files: Path) -> dict[str, str]:
    return values_of((files / "output").read_bytes().decode())


def test_a_deploy_is_a_group_a_notice_outputs_and_a_summary(files: Path) -> None:
    out, err = told(EVENTS)

    assert [it.name for it in orders(err)] == ["group", "endgroup", "notice"]
    assert next(iter(orders(err))).text.startswith("deploy v2")
    assert "serves on staging" in out
    assert outputs(files) == {
        "release": "v2",
        "digest": str(V2.digest),
        "previous": "v1",
        "previous_digest": str(V1.digest),
        "url": "https://staging.example.com",
        "failed_requests": "",
        "duration": "3.50",
        "changed": "true",
    }
    summary = (files / "summary").read_text()
    assert "### ✅ deploy of `v2` on staging" in summary
    assert "| took | 3.5 s |" in summary


def test_a_failed_deploy_hands_on_that_nothing_changed(files: Path) -> None:
    error = StepFailed("h1: green is not well", hint="look", details="line 1\n\nline 2")
    _, err = told(EVENTS[:2], error)

    assert Order("error", "restoops", "h1: green is not well\nlook") in list(orders(err))
    found = outputs(files)
    assert (found["release"], found["previous"], found["changed"]) == ("v2", "v1", "false")
    summary = (files / "summary").read_text()
    assert "### ❌ deploy of `v2` on staging" in summary
    assert "<pre>\nline 1\n \nline 2\n</pre>" in summary


@pytest.mark.parametrize(
    ("endings", "changed", "kind"),
    [
        pytest.param([Ending.DONE, Ending.DONE], "true", "notice", id="all of them"),
        pytest.param([Ending.DONE, Ending.UNREACHED], "true", "warning", id="some of them"),
        pytest.param([Ending.UNDONE, Ending.UNDONE], "false", "warning", id="taken back"),
        pytest.param([Ending.UNCHANGED, Ending.UNCHANGED], "false", "notice", id="was there"),
    ],
)
def test_a_fleet_has_changed_when_a_host_has(
    files: Path, endings: list[Ending], changed: str, kind: str
) -> None:
    hosts = tuple(HostResult(f"h{n}", ending, V2) for n, ending in enumerate(endings))
    ended = FleetEnded("deploy", "staging", V2, hosts, 1.0, dry_run=False, cut=0)
    _, err = told([*EVENTS[:2], ended])

    assert [it.name for it in orders(err)] == ["group", "endgroup", kind]
    assert outputs(files)["changed"] == changed


def test_a_release_that_was_live_already_has_none_before_it(files: Path) -> None:
    planned = Planned("h1", V2, (), dry_run=False)
    told([EVENTS[0], planned, replace(ENDED, previous=None, changed=False)])

    assert (outputs(files)["previous"], outputs(files)["changed"]) == ("", "false")


def test_with_json_standard_output_is_json_alone(files: Path) -> None:
    out, err = told([EVENTS[0], Output("h1", HOSTILE[2]), *EVENTS[1:]], as_json=True)

    lines = [json.loads(line) for line in out.splitlines()]
    assert lines[0]["event"] == "run_started"
    assert lines[1]["line"] == HOSTILE[2]
    assert list(orders(out)) == []
    assert [it.name for it in orders(err)] == ["group", "endgroup", "notice"]
    assert outputs(files)["release"] == "v2"


@pytest.mark.parametrize("path", ["", "/nowhere/at/all", "/", "a\0b", "x" * 5000, "/dev/full"])
@pytest.mark.usefixtures("files")
def test_a_file_that_cannot_be_written_fails_nothing(
    monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(
        os, "environ", {**os.environ, "GITHUB_OUTPUT": path, "GITHUB_STEP_SUMMARY": path}
    )
    out, _ = told(EVENTS)

    assert "serves on staging" in out


@given(texts, texts, texts)
def test_no_value_forges_an_order_or_an_output(tag: str, line: str, message: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GITHUB_ACTIONS", "true")
        for as_json in (False, True):
            with fresh(patch) as files:
                release = Release(tag, V2.digest)
                events: list[Event] = [
                    RunStarted("deploy", message, release, (line,)),
                    Planned(line, Release(message, V1.digest), (STEP,), dry_run=False),
                    Output(line, message),
                    StepEnded(line, STEP, 1, note=message),
                    replace(ENDED, release=release, host=line, environment=message),
                ]
                out, err = told(
                    events, StepFailed(message, hint=line, details=tag), as_json=as_json
                )
                groups = ["group", "endgroup"]
                assert [it.name for it in orders(err)] == [
                    *groups, "notice", *(groups if tag else []), "error",
                ]  # fmt: skip
                assert list(orders(out)) == []
                found = outputs(files)
                assert len(found) == 8
                assert (found["release"], found["previous"]) == (tag, message)


@contextmanager
def fresh(patch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Have files of its own for one example of a property."""
    with tempfile.TemporaryDirectory() as folder:
        patch.setenv("GITHUB_OUTPUT", f"{folder}/output")
        patch.setenv("GITHUB_STEP_SUMMARY", f"{folder}/summary")
        yield Path(folder)


@given(st.lists(texts, max_size=8))
def test_what_is_written_in_pieces_is_no_order(pieces: list[str]) -> None:
    stream = io.StringIO()
    Guarded(stream).writelines(pieces)

    assert list(orders(stream.getvalue())) == []
    assert spaceless(stream.getvalue()) == spaceless("".join(pieces))


def spaceless(text: str) -> str:
    return re.sub(" ", "", text)


@given(texts, texts)
def test_an_order_says_what_it_was_given_and_nothing_else(text: str, title: str) -> None:
    (found,) = orders(order("error", text, title))
    assert (found.name, found.title.strip(), found.text) == ("error", title.strip(), text)


def test_an_order_begins_a_line_of_its_own() -> None:
    stream = io.StringIO()
    guard = Guarded(stream)
    guard.write("half a line")
    guard.give(order("notice", "x"))

    assert stream.getvalue() == "half a line\n::notice::x\n"


def test_json_holds_what_the_runner_would_obey_in_another_form(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write({"text": "##[error]x"})

    printed = capsys.readouterr().out
    assert list(orders(printed)) == []
    assert json.loads(printed)["text"] == "##[error]x"


def test_bytes_are_refused_as_by_any_stream_of_text() -> None:
    with pytest.raises(TypeError):
        Guarded(io.StringIO()).write(cast(str, b""))
