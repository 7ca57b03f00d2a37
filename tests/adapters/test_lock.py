"""The lock of a host, held by real processes on this machine."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from restoops.adapters.connection import (
    Holder,
    LocalConnection,
    Lock,
    describe_holder,
    hold_lock,
    script,
)
from restoops.errors import Locked, StepFailed

OLGA = Holder("olga", "laptop", "restoops deploy v2 staging", "2026-01-02T03:04:05.000Z")
PETER = Holder("peter", "CI", "restoops rollback staging", "2026-01-02T03:05:06.000Z")
OLGA_IN_WORDS = "olga from laptop, for `restoops deploy v2 staging`, since 2026-01-02T03:04:05.000Z"
FREE_WITHIN_S = 2.0


def take(directory: Path, holder: Holder = PETER, wait_s: int = 0) -> tuple[Lock, list[str]]:
    told: list[str] = []
    lock = hold_lock(LocalConnection(), str(directory), holder, wait_s=wait_s, on_wait=told.append)
    return lock, told


@contextlib.contextmanager
def another_process(directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process of its own that holds the lock for olga until it is killed."""
    program = (
        "import sys, time\n"
        "from restoops.adapters.connection import *\n"
        f"holder = Holder(*{[OLGA.who, OLGA.origin, OLGA.purpose, OLGA.since]!r})\n"
        "hold_lock(LocalConnection(), sys.argv[1], holder, on_wait=print)\n"
        "print('held', flush=True)\n"
        "time.sleep(60)\n"
    )
    argv = [sys.executable, "-c", program, str(directory)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as process:
        assert process.stdout
        try:
            assert process.stdout.readline() == b"held\n"
            yield process
        finally:
            process.kill()


def test_the_directory_is_made_and_the_holder_written_down(tmp_path: Path) -> None:
    lock, told = take(tmp_path / "a/b", OLGA)

    assert told == []
    assert describe_holder((tmp_path / "a/b/lock").read_text()) == OLGA_IN_WORDS
    lock.release()


def test_a_lock_that_was_given_back_can_be_taken_at_once(tmp_path: Path) -> None:
    for _ in range(3):
        lock, told = take(tmp_path)
        lock.release()
        assert told == []


def test_the_second_is_told_who_has_it_for_what_since_when(tmp_path: Path) -> None:
    lock, _ = take(tmp_path, OLGA)

    with pytest.raises(Locked) as caught:
        take(tmp_path)

    assert caught.value.message == f"local: another run holds the lock: {OLGA_IN_WORDS}"
    assert caught.value.status == 4
    lock.release()


def test_who_waits_goes_second(tmp_path: Path) -> None:
    first, _ = take(tmp_path, OLGA)
    got: list[tuple[Lock, list[str]]] = []
    second = threading.Thread(target=lambda: got.append(take(tmp_path, PETER, wait_s=30)))
    second.start()
    while (tmp_path / "lock").read_text() == "":
        time.sleep(0.01)
    assert got == []

    first.release()
    second.join(10)

    [(lock, told)] = got
    assert told in ([OLGA_IN_WORDS], [])
    assert "peter" in (tmp_path / "lock").read_text()
    lock.release()


def test_waiting_has_an_end(tmp_path: Path) -> None:
    lock, _ = take(tmp_path, OLGA)
    began = time.monotonic()

    with pytest.raises(Locked, match="olga"):
        take(tmp_path, wait_s=1)

    assert 0.5 < time.monotonic() - began < 5
    lock.release()


def test_a_holder_that_is_killed_loses_the_lock_within_two_seconds(tmp_path: Path) -> None:
    with another_process(tmp_path) as holder:
        with pytest.raises(Locked, match="olga"):
            take(tmp_path)

        os.kill(holder.pid, signal.SIGKILL)
        died = time.monotonic()
        lock, _ = take(tmp_path, wait_s=10)

        assert time.monotonic() - died < FREE_WITHIN_S
        lock.release()


def test_a_holder_that_falls_silent_loses_lock_and_connection(tmp_path: Path) -> None:
    argv = [*script("lock"), str(tmp_path), json.dumps({"who": "olga"}), "0", "1"]
    # The parent of the script stands for the connection that carries it.
    connection = [sys.executable, "-c", "import subprocess, sys; subprocess.run(sys.argv[1:])"]

    with subprocess.Popen(
        [*connection, *argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout
        assert parent.stdout.readline() == b"LOCKED\n"
        assert parent.wait(timeout=10) == -signal.SIGKILL

    lock, told = take(tmp_path)
    assert told == []
    lock.release()


def test_a_directory_that_cannot_be_made_is_told_with_the_command_for_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StepFailed, match="cannot be made or written") as caught:
        take(tmp_path / "file/below")

    assert f"{tmp_path}/file/below" in caught.value.hint


@pytest.mark.parametrize("text", ["", "{", "[]", '{"who": 1}', '{"whom": "x"}', "null"])
def test_a_lock_file_that_cannot_be_read_still_names_somebody(text: str) -> None:
    assert describe_holder(text) == "somebody who has just begun"


def test_what_a_holder_is_called_is_never_read_by_a_shell(tmp_path: Path) -> None:
    nasty = Holder("$(touch pwned)", "`id`", "'; exit 1; '\n\"", "now")

    lock, _ = take(tmp_path / "here", nasty)

    assert json.loads((tmp_path / "here/lock").read_text())["who"] == "$(touch pwned)"
    assert [path.name for path in tmp_path.iterdir()] == ["here"]
    lock.release()
