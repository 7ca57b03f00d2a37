"""Streams that are closed, full, or read by nobody: a clear end, and never a traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

RESTOOPS = f"{sys.executable} -m restoops"


def shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", line],
        cwd=folder,
        env={"HOME": str(folder), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_rollback_without_standard_input_has_nobody_to_ask(tmp_path: Path) -> None:
    ended = shell(f"{RESTOOPS} rollback local <&-", tmp_path)

    assert ended.returncode == 1, ended
    assert "nobody is there to ask" in ended.stderr


@pytest.mark.parametrize("command", ["--help", "--version", "init", "history nowhere"])
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&- <&-"])
def test_a_closed_stream_is_no_fault(command: str, closed: str, tmp_path: Path) -> None:
    ended = shell(f"{RESTOOPS} {command} {closed}", tmp_path)

    assert ended.returncode == (2 if command == "history nowhere" else 0), ended
    assert "Traceback" not in ended.stderr + ended.stdout
    assert "itself failed" not in ended.stderr


def test_output_that_finds_no_room_is_told(tmp_path: Path) -> None:
    ended = shell(f"{RESTOOPS} doctor nowhere >/dev/full", tmp_path)

    assert ended.returncode == 1, ended
    assert "the output cannot be written: No space left on device" in ended.stderr
