"""Login shells that say or do something else than what they are asked to."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from restoops.adapters.connection import (
    Claim,
    Holder,
    LocalConnection,
    Stream,
    Talk,
    hold_lock,
)
from restoops.adapters.shell import Shell
from restoops.errors import Locked, Unreachable

PETER = Holder("peter", "CI", "restoops rollback staging", "2026-01-02T03:05:06.000Z")


class Elsewhere(LocalConnection):
    """A host whose login shell does what `program` says, whatever it is asked to run."""

    def __init__(self, program: str) -> None:
        self._program = program

    def talk(self, argv: Sequence[str]) -> Talk:
        return super().talk(["sh", "-c", self._program, "sh", *argv])

    def start(self, argv: Sequence[str], *, within_s: float | None = None) -> Stream:
        return super().start(["sh", "-c", self._program, "sh", *argv])


@pytest.mark.parametrize(
    ("program", "shown"),
    [
        pytest.param("echo 'This account is currently not available.'; exit 1",
                     "This account is currently not available.", id="nologin"),
        pytest.param("echo 'sh: 1: exec: bash: not found' >&2; exit 127",
                     "sh: 1: exec: bash: not found", id="no bash"),
        pytest.param("kill -KILL $$", "", id="a shell that is killed"),
        pytest.param('echo "HELD {}"; kill -KILL $$', "HELD {}", id="one that is killed waiting"),
        pytest.param("echo LACKS nothing", "LACKS nothing", id="a word that means nothing"),
    ],
)  # fmt: skip
def test_an_end_that_the_script_did_not_come_to_is_no_lock(
    tmp_path: Path, program: str, shown: str
) -> None:
    claim = Claim(PETER)

    with pytest.raises(Unreachable, match="the lock could not be asked for") as caught:
        hold_lock(Elsewhere(program), str(tmp_path), claim, on_wait=lambda _: None)

    assert caught.value.status == 5
    assert caught.value.details == shown
    assert "bash" in caught.value.hint


def test_what_a_login_shell_says_first_is_passed_over(tmp_path: Path) -> None:
    greeting = "echo; echo 'Welcome, LOCKED out'; echo oops >&2; exec \"$@\""

    lock = hold_lock(Elsewhere(greeting), str(tmp_path), Claim(PETER), on_wait=lambda _: None)

    with pytest.raises(Locked, match="peter from CI"):
        hold_lock(LocalConnection(), str(tmp_path), Claim(PETER), on_wait=lambda _: None)
    lock.release()


@pytest.mark.parametrize(
    ("program", "shown"),
    [
        pytest.param("echo 'Not available.'; exit 1", "Not available.", id="nologin"),
        pytest.param("echo 'exec: bash: not found' >&2; exit 127", "exec: bash: not found",
                     id="no bash"),
        pytest.param("kill -KILL $$", "", id="a shell that is killed"),
    ],
)  # fmt: skip
def test_a_host_without_our_shell_is_told_with_its_words(
    tmp_path: Path, program: str, shown: str
) -> None:
    with contextlib.closing(Shell(Elsewhere(program))) as shell:
        with pytest.raises(Unreachable, match="the shell there ended") as caught:
            shell.run("read", str(tmp_path))

        assert caught.value.details == shown


def test_what_it_says_first_is_not_taken_for_what_a_script_says(tmp_path: Path) -> None:
    greeting = "echo 'Welcome'; echo oops >&2; exec \"$@\""

    with contextlib.closing(Shell(Elsewhere(greeting))) as shell:
        assert shell.run("read", str(tmp_path / "absent")).startswith(b"absent ")
