"""The lock of a host, held by real processes on this machine."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from restoops.adapters.connection import (
    LEASE_S,
    Claim,
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
PATIENCE_S = 30
"""Seconds for what comes at once on a machine that has nothing else to do."""


def take(
    directory: Path, holder: Holder = PETER, wait_s: int = 0, *, preempt: bool = False
) -> tuple[Lock, list[str]]:
    told: list[str] = []
    claim = Claim(holder, wait_s, preempt)
    lock = hold_lock(LocalConnection(), str(directory), claim, on_wait=told.append)
    return lock, told


@contextlib.contextmanager
def claimed(directory: Path, claim: Claim) -> Iterator[subprocess.Popen[bytes]]:
    """A process of its own that says whether it has to wait, and holds the lock until killed."""
    program = (
        "import signal, sys, time\n"
        "from restoops.adapters.connection import *\n"
        f"claim = {claim!r}\n"
        "told = lambda other: print('waits', flush=True)\n"
        "lock = hold_lock(LocalConnection(), sys.argv[1], claim, on_wait=told)\n"
        "signal.signal(signal.SIGINT, lambda *_: print('goes on', flush=True))\n"
        "print('held', flush=True)\n"
        "time.sleep(60)\n"
    )
    argv = [sys.executable, "-c", program, str(directory)]
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@contextlib.contextmanager
def another_process(directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process of its own that holds the lock for olga until it is killed."""
    with claimed(directory, Claim(OLGA)) as process:
        assert said(process) == "held"
        yield process


def said(process: subprocess.Popen[bytes]) -> str:
    """The next line of a process; empty when it has ended."""
    assert process.stdout
    return process.stdout.readline().decode().strip()


@contextlib.contextmanager
def held_by_no_run(directory: Path, text: str) -> Iterator[Callable[[], None]]:
    """Something that writes nothing down holds the lock until the end, or until it is let go.

    `text` is from an earlier run.
    """
    path = directory / "lock"
    path.write_text(text)
    with subprocess.Popen(["flock", str(path), "cat"], stdin=subprocess.PIPE) as process:
        assert process.stdin
        while subprocess.run(["flock", "-n", str(path), "true"], check=False).returncode == 0:
            time.sleep(0.01)
        yield process.stdin.close


def test_the_directory_is_made_and_the_holder_written_down(tmp_path: Path) -> None:
    lock, told = take(tmp_path / "a/b", OLGA)

    assert told == []
    [who, process] = (tmp_path / "a/b/lock").read_text().splitlines()
    assert describe_holder(who) == OLGA_IN_WORDS
    assert process.split()[1] == str(os.getpid())
    lock.release()


def test_a_lock_that_was_given_back_can_be_taken_at_once(tmp_path: Path) -> None:
    for _ in range(3):
        lock, told = take(tmp_path)
        lock.release()
        assert told == []


def test_ctrl_c_in_a_terminal_leaves_the_lock_to_a_run_that_goes_on(tmp_path: Path) -> None:
    """The terminal sends it to all of a command: also to the shell that holds the lock."""
    with another_process(tmp_path) as process:
        os.killpg(process.pid, signal.SIGINT)
        assert said(process) == "goes on"

        with pytest.raises(Locked):
            take(tmp_path, wait_s=1)


def test_the_second_is_told_who_has_it_for_what_since_when(tmp_path: Path) -> None:
    lock, _ = take(tmp_path, OLGA)

    with pytest.raises(Locked) as caught:
        take(tmp_path)

    assert caught.value.message == f"local: another run holds the lock: {OLGA_IN_WORDS}"
    assert caught.value.status == 4
    lock.release()


def test_who_waits_goes_second(tmp_path: Path) -> None:
    first, _ = take(tmp_path, OLGA)
    got: list[Lock] = []
    told: queue.Queue[str] = queue.Queue()
    claim = Claim(PETER, PATIENCE_S)

    def wait() -> None:
        got.append(hold_lock(LocalConnection(), str(tmp_path), claim, on_wait=told.put))

    second = threading.Thread(target=wait)
    second.start()
    assert told.get(timeout=PATIENCE_S) == OLGA_IN_WORDS
    assert got == []

    first.release()
    second.join(PATIENCE_S)

    [lock] = got
    assert "peter" in (tmp_path / "lock").read_text()
    lock.release()


def test_waiting_has_an_end(tmp_path: Path) -> None:
    lock, _ = take(tmp_path, OLGA)
    began = time.monotonic()

    with pytest.raises(Locked, match="olga"):
        take(tmp_path, wait_s=1)

    assert time.monotonic() - began > 0.5
    lock.release()


def test_a_holder_that_is_killed_loses_the_lock_long_before_its_lease_ends(tmp_path: Path) -> None:
    with another_process(tmp_path) as holder:
        with pytest.raises(Locked, match="olga"):
            take(tmp_path)

        os.kill(holder.pid, signal.SIGKILL)
        lock, _ = take(tmp_path, wait_s=LEASE_S // 2)

        lock.release()


def test_a_holder_that_falls_silent_loses_lock_and_connection(tmp_path: Path) -> None:
    argv = [*script("lock"), str(tmp_path), json.dumps({"who": "olga"}), "0", "1", ""]
    # The parent of the script stands for the connection that carries it.
    connection = [sys.executable, "-c", "import subprocess, sys; subprocess.run(sys.argv[1:])"]

    with subprocess.Popen(
        [*connection, *argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout
        assert parent.stdout.readline() == b"LOCKED\n"
        assert parent.wait(PATIENCE_S) == -signal.SIGKILL

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

    [who, _] = (tmp_path / "here/lock").read_text().splitlines()
    assert json.loads(who)["who"] == "$(touch pwned)"
    assert [path.name for path in tmp_path.iterdir()] == ["here"]
    lock.release()


# Pre-empting


@pytest.mark.parametrize("frozen", [False, True], ids=["that runs", "that is frozen"])
def test_pre_empting_ends_a_holder(tmp_path: Path, frozen: bool) -> None:
    with another_process(tmp_path) as holder:
        if frozen:
            os.kill(holder.pid, signal.SIGSTOP)

        lock, told = take(tmp_path, preempt=True)

        assert told == [OLGA_IN_WORDS]
        assert holder.wait(PATIENCE_S) == -signal.SIGKILL
        with pytest.raises(Locked, match="peter from CI"):
            take(tmp_path)
        lock.release()


def test_what_a_holder_runs_ends_before_the_lock_is_taken(tmp_path: Path) -> None:
    """The parent of the lock script stands for the connection: another of its programs writes."""
    program = (
        "import subprocess, sys\n"
        "subprocess.Popen(['bash', '-c', 'while :; do date +%s%N >$0; done', sys.argv[1]])\n"
        "subprocess.run(sys.argv[2:])\n"
    )
    trace = tmp_path / "trace"
    held = [*script("lock"), str(tmp_path), *Claim(OLGA).as_arguments()]
    argv = [sys.executable, "-c", program, str(trace), *held]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert said(holder) == "LOCKED"
        while not trace.exists():
            time.sleep(0.01)

        lock, _ = take(tmp_path, preempt=True)

        last = trace.read_text()
        time.sleep(0.2)
        assert trace.read_text() == last
        assert holder.wait(PATIENCE_S) == -signal.SIGKILL
    lock.release()


def test_pre_empting_nobody_is_taking_the_lock(tmp_path: Path) -> None:
    lock, told = take(tmp_path, preempt=True)

    assert told == []
    lock.release()


def test_who_waits_is_not_ended_and_goes_after_the_one_that_pre_empts(tmp_path: Path) -> None:
    with (
        another_process(tmp_path) as holder,
        claimed(tmp_path, Claim(OLGA, wait_s=60)) as first,
        claimed(tmp_path, Claim(OLGA, wait_s=60)) as second,
    ):
        waiting = [first, second]
        assert [said(process) for process in waiting] == ["waits", "waits"]

        lock, _ = take(tmp_path, preempt=True)

        assert holder.wait(PATIENCE_S) == -signal.SIGKILL
        time.sleep(1.5)  # longer than they wait before they look again
        assert [process.poll() for process in waiting] == [None, None]
        assert "peter" in (tmp_path / "lock").read_text()
        lock.release()
        outputs = [process.stdout for process in waiting if process.stdout]
        [next_one], _, _ = select.select(outputs, [], [], PATIENCE_S)
        assert next_one.readline() == b"held\n"


@pytest.mark.parametrize("_again", range(3))
def test_of_two_that_pre_empt_one_has_the_lock(tmp_path: Path, _again: int) -> None:
    peter = Claim(PETER, preempt=True)
    with (
        another_process(tmp_path) as holder,
        claimed(tmp_path, peter) as one,
        claimed(tmp_path, peter) as other,
    ):
        ended = wait_for_one([one, other])
        [winner] = {one, other} - {ended}
        words = [said(winner), said(winner)]

        assert holder.wait(PATIENCE_S) == -signal.SIGKILL
        assert words == ["waits", "held"]
        assert ended.returncode in (-signal.SIGKILL, 1)  # pre-empted in its turn, or Locked
        time.sleep(0.5)
        assert winner.poll() is None
        shell, parent, _ = (tmp_path / "lock").read_text().splitlines()[1].split()
        assert parent == str(winner.pid)
        assert Path(f"/proc/{shell}").exists()


def wait_for_one(processes: list[subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        for process in processes:
            if process.poll() is not None:
                return process
        time.sleep(0.01)
    raise AssertionError("both still run")


@pytest.mark.parametrize("field", [0, 2], ids=["pid that is gone", "start that differs"])
def test_a_process_that_only_has_the_number_of_a_holder_is_not_ended(
    tmp_path: Path, field: int
) -> None:
    with subprocess.Popen(["sleep", "60"]) as bystander, contextlib.ExitStack() as at_the_end:
        at_the_end.callback(bystander.kill)
        stat = Path(f"/proc/{bystander.pid}/stat").read_text().rpartition(") ")[2].split()
        process = [str(bystander.pid), "4194306", stat[19]]
        process[field] = "4194305" if field == 0 else str(int(stat[19]) - 1)
        text = json.dumps(asdict(OLGA)) + "\n" + " ".join(process) + "\n"
        with held_by_no_run(tmp_path, text) as let_go:
            # It looks for whom to end ten times a second.
            threading.Timer(1, let_go).start()
            lock, _ = take(tmp_path, preempt=True)

        assert bystander.poll() is None
        lock.release()


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        pytest.param(json.dumps(asdict(OLGA)) + "\n", "An older restoops took it",
                     id="of an older version"),
        pytest.param(json.dumps(asdict(OLGA)) + "\n0 0 0\n", "No run has it",
                     id="of the host itself"),
    ],
)  # fmt: skip
def test_a_lock_of_which_nobody_can_be_ended_is_given_up(
    tmp_path: Path, text: str, hint: str
) -> None:
    with (
        held_by_no_run(tmp_path, text),
        pytest.raises(Locked, match="olga from laptop") as caught,
    ):
        take(tmp_path, preempt=True)

    assert hint in caught.value.hint
