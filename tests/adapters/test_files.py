"""Our files on a host, and the scripts that read and write them, run for real."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restoops.adapters.connection import script
from restoops.adapters.files import Files
from restoops.errors import StepFailed
from tests.adapters.local_files import local_files


@pytest.fixture
def files(tmp_path: Path) -> Iterator[Files]:
    with local_files(tmp_path / "menu") as files:
        yield files


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


def test_a_directory_that_cannot_be_made_is_told_with_a_hint(files: Files, tmp_path: Path) -> None:
    (tmp_path / "menu").write_text("a file")

    with pytest.raises(StepFailed, match=r"local: cannot write to .*/menu: ") as caught:
        files.write({"run.json": "x"})

    assert "disk full" in caught.value.hint


def test_what_a_write_that_failed_did_not_read_is_not_run(files: Files, tmp_path: Path) -> None:
    (tmp_path / "menu").write_text("a file")
    with pytest.raises(StepFailed):
        files.write({"run.json": f"touch {tmp_path}/pwned\n" * 2})
    (tmp_path / "menu").unlink()

    files.write({"run.json": "x"})

    assert files.read("run.json") == {"run.json": "x"}
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(
    "name", ["a b", "$(touch pwned)", "`id`", "'; touch pwned; '", "ü", "a\\nb", "*"]
)
def test_a_name_is_never_read_by_a_shell(tmp_path: Path, name: str) -> None:
    with local_files(tmp_path / name) as files:
        files.write({"run.json": name})

        assert files.read("run.json") == {"run.json": name}
    assert [path.name for path in tmp_path.iterdir()] == [name]


@given(st.dictionaries(st.sampled_from(["a", "b", "proxy/c"]), st.text(max_size=200)))
@settings(max_examples=15)
def test_any_text_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, texts: dict[str, str]
) -> None:
    with local_files(tmp_path_factory.mktemp("any")) as files:
        files.write(texts)

        assert files.read("a", "b", "proxy/c") == texts
