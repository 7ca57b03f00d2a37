"""Our files on a host, and the scripts that read and write them, run for real."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restoops.adapters.connection import LocalConnection, script
from restoops.adapters.files import Files
from restoops.adapters.history import dump_history, dump_run, parse_history, parse_run
from restoops.errors import StepFailed
from restoops.model import Color, OpenRun, Record, Release, Timing
from tests.plan.states import V1, V2, digest, record, run
from tests.plan.strategies import RELEASES


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(LocalConnection(), str(tmp_path / "menu"))


def test_what_is_written_is_read(files: Files) -> None:
    files.write({"run.json": "{}\n", "proxy/live.map": "live blue\n", "empty": ""})

    assert files.read("run.json", "history.jsonl", "proxy/live.map", "empty") == {
        "run.json": "{}\n",
        "proxy/live.map": "live blue\n",
        "empty": "",
    }


def test_a_host_without_our_directory_has_no_files_and_says_who_we_are(files: Files) -> None:
    assert files.read("run.json") == {}
    assert files.owner == f"{os.getuid()}:{os.getgid()}"


def test_a_file_is_replaced_and_others_are_removed_after_it(files: Files, tmp_path: Path) -> None:
    files.write({"run.json": "a long text", "other": "x"})
    files.write({"history.jsonl": "short"}, remove=("run.json", "was never there"))

    assert files.read("run.json", "history.jsonl", "other") == {
        "history.jsonl": "short",
        "other": "x",
    }
    assert not list((tmp_path / "menu").glob("*.new"))


def test_nobody_else_reads_our_files(files: Files, tmp_path: Path) -> None:
    files.write({"run.json": "x"})

    assert (tmp_path / "menu/run.json").stat().st_mode & 0o007 == 0


def test_a_file_that_comes_cut_short_replaces_nothing(files: Files, tmp_path: Path) -> None:
    files.write({"run.json": "as it was"})
    argv = [*script("write"), str(tmp_path / "menu"), "run.json", "100"]

    done = subprocess.run(argv, input=b"a part", capture_output=True, check=False)

    assert (done.returncode, done.stderr) == (74, b"run.json: cut short\n")
    assert files.read("run.json") == {"run.json": "as it was"}


def test_a_directory_that_cannot_be_made_is_told_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "menu").write_text("a file")

    with pytest.raises(StepFailed, match=r"local: cannot write to .*/menu: ") as caught:
        Files(LocalConnection(), str(tmp_path / "menu")).write({"run.json": "x"})

    assert "disk full" in caught.value.hint


@pytest.mark.parametrize(
    "name", ["a b", "$(touch pwned)", "`id`", "'; touch pwned; '", "ü", "a\\nb", "*"]
)
def test_a_name_is_never_read_by_a_shell(tmp_path: Path, name: str) -> None:
    files = Files(LocalConnection(), str(tmp_path / name))
    files.write({"run.json": name})

    assert files.read("run.json") == {"run.json": name}
    assert [path.name for path in tmp_path.iterdir()] == [name]


@given(st.dictionaries(st.sampled_from(["a", "b", "proxy/c"]), st.text(max_size=200)))
@settings(max_examples=15, deadline=None, database=None)
def test_any_text_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, texts: dict[str, str]
) -> None:
    files = Files(LocalConnection(), str(tmp_path_factory.mktemp("any")))
    files.write(texts)

    assert files.read("a", "b", "proxy/c") == texts


# History

words = st.text(max_size=20)
open_runs = st.builds(
    OpenRun,
    id=words, kind=st.sampled_from(["deploy", "rollback"]),
    release=st.sampled_from(RELEASES), who=words, origin=words, started_at=words,
    old=st.none() | st.sampled_from(Color), new=st.sampled_from(Color), started_new=st.booleans(),
    going_back=st.booleans(), previous=st.none() | st.sampled_from(RELEASES),
)  # fmt: skip
records = st.builds(
    Record,
    run=open_runs, ended_at=words, error=words, cut=st.integers(0, 9),
    outcome=st.sampled_from(["done", "failed", "interrupted", "finished", "undone"]),
    log=st.lists(st.builds(Timing, words, words, st.floats(0, 1e6)), max_size=2).map(tuple),
)  # fmt: skip
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | words,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=3),
    max_leaves=5,
)
keys = ["v", "run", "id", "release", "old", "new", "log", "previous", "tag", "digest", "outcome"]
quick = settings(max_examples=80, deadline=None, database=None)


@given(open_runs)
@quick
def test_an_open_run_comes_back_as_it_was(open_run: OpenRun) -> None:
    assert parse_run(dump_run(open_run)) == open_run


@given(st.lists(records, max_size=3).map(tuple))
@quick
def test_a_history_comes_back_as_it_was(history: tuple[Record, ...]) -> None:
    assert parse_history(dump_history(history)) == history


@given(st.text(max_size=100) | st.dictionaries(st.sampled_from(keys), json_values).map(json.dumps))
@quick
def test_a_damaged_line_is_passed_over_and_the_others_count(damaged: str) -> None:
    whole = dump_history((record(V1),)), dump_history((record(V2),))

    found = parse_history(f"{whole[0]}{damaged}\n{whole[1]}")

    assert [it.run.release for it in found] == [V1, V2]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "1", '{"v": 2}', '{"v": 1}', '{"v": 1, "run": null}',
     '{"v": 1, "release": {"tag": "v1", "digest": {"value": "sha256:no"}}, "new": "blue"}',
     dump_run(run(V1)).replace('"blue"', '"red"'), dump_run(run(V1)).replace('"who"', '"whom"'),
     dump_run(run(V1)).replace('"release": {', '"release": 1, "x": {'), "[" * 100_000],
)  # fmt: skip
def test_what_we_did_not_write_is_no_run(text: str) -> None:
    with pytest.raises(ValueError, match=r"not |no |nested|Expecting"):
        parse_run(text)


def test_a_host_remembers_the_newest_two_hundred_runs() -> None:
    history = tuple(record(Release(f"v{n}", digest(f"v{n}"))) for n in range(250))

    assert parse_history(dump_history(history)) == history[50:]
