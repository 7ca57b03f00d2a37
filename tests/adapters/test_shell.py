"""The session that our scripts run over, on this machine."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from restoops.adapters.connection import LocalConnection, Stream
from restoops.adapters.shell import Shell
from restoops.errors import CommandFailed


class Counted(LocalConnection):
    """This machine, with the sessions that were begun."""

    def __init__(self) -> None:
        self.started: list[Stream] = []

    def start(self, argv: Sequence[str], *, within_s: float | None = None) -> Stream:
        self.started.append(super().start(argv))
        return self.started[-1]


@contextlib.contextmanager
def shell_on(connection: LocalConnection) -> Iterator[Shell]:
    with contextlib.closing(Shell(connection)) as shell:
        yield shell


def test_all_calls_go_over_one_session(tmp_path: Path) -> None:
    host = Counted()
    with shell_on(host) as shell, ThreadPoolExecutor(8) as threads:
        names = [f"f{number}" for number in range(40)]
        for done in [
            threads.submit(shell.run, "write", str(tmp_path), name, "2", stdin=name[:2].encode())
            for name in names
        ]:
            assert done.result() == b""

        assert shell.run("read", str(tmp_path), "f39").endswith(b"\nf39 2\nf3")
    assert len(host.started) == 1


def test_after_a_script_that_failed_the_next_has_a_session_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    host = Counted()
    with shell_on(host) as shell:
        with pytest.raises(CommandFailed, match="local: write ended with status") as caught:
            shell.run("write", str(tmp_path / "file"), "a", "1", stdin=b"x")
        shell.run("write", str(tmp_path), "a", "1", stdin=b"x")

    assert "Not a directory" in caught.value.details or "exists" in caught.value.details
    assert len(host.started) == 2
    assert (tmp_path / "a").read_text() == "x"
