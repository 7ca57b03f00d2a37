"""A command on a terminal of its own, with somebody who answers its questions."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from tests.lab.patience import PATIENCE_S


class OnTerminal:
    """Runs restoops; what it prints is kept. One that still runs at the end is killed."""

    def __init__(
        self, arguments: Sequence[str], env: Mapping[str, str], folder: Path, term: str = "dumb"
    ) -> None:
        self._ours, theirs = pty.openpty()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "restoops", *arguments],
            cwd=folder,
            env={**env, "TERM": term},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,  # a password is not asked on the terminal of who runs tests
        )
        os.close(theirs)
        self.shown = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        os.close(self._ours)

    def await_question(self, end: str = "[y/N] ") -> str:
        """Return the question that is asked next and that ends so, waiting for it if need be."""
        return self._read_until(end).splitlines()[-1]

    def answer(self, text: str) -> None:
        """Type a line."""
        os.write(self._ours, f"{text}\n".encode(errors="surrogateescape"))

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the command."""
        self._process.send_signal(number)

    @property
    def is_shown(self) -> bool:
        """Whether the terminal shows what is typed on it."""
        return bool(termios.tcgetattr(self._ours)[3] & termios.ECHO)

    def finish(self) -> int:
        """Return the exit status, waiting for the end if need be."""
        self._read_until("")
        return self._process.wait(PATIENCE_S)

    def _read_until(self, text: str) -> str:
        """Return what is shown up to `text`, or up to the end without one."""
        end, new = time.monotonic() + PATIENCE_S, ""
        while not (text and text in new):
            assert time.monotonic() < end, f"no {text!r}: {self.shown}"
            if not select.select([self._ours], [], [], 0.1)[0]:
                continue
            try:
                chunk = os.read(self._ours, 4096).decode(errors="replace")
            except OSError:  # the last one who had the terminal open has gone
                chunk = ""
            if not chunk:
                assert not text, f"ended without {text!r}: {self.shown}"
                break
            new += chunk
            end = time.monotonic() + PATIENCE_S  # it moves: only silence is waited for so long
            self.shown += chunk
        return new
