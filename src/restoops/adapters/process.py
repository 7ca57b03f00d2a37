"""Programs on this machine. The only module that starts any."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from typing import IO

from restoops.errors import CommandFailed, StepFailed


def run(argv: Sequence[str], *, stdin: bytes = b"", timeout_s: float = 60) -> str:
    """Run a program to its end and return what it wrote to standard output.

    Raises:
        CommandFailed: it ended with a status other than 0; carries its last 20 lines.
        StepFailed: it is not installed or took longer than `timeout_s` seconds.
    """
    try:
        done = subprocess.run(  # noqa: S603  argv comes from our own code, never from a shell
            argv, input=stdin, capture_output=True, timeout=timeout_s, check=False
        )
    except FileNotFoundError as error:
        raise StepFailed(f"{argv[0]} is not installed on this machine") from error
    except subprocess.TimeoutExpired as error:
        raise StepFailed(f"{argv[0]} took longer than {timeout_s:g} s") from error
    if done.returncode:
        raise failure(argv, done.returncode, done.stderr or done.stdout)
    return done.stdout.decode(errors="surrogateescape")


def failure(argv: Sequence[str], exit_code: int, output: bytes) -> CommandFailed:
    """Return the error for a program that ended with `exit_code`."""
    lines = output.decode(errors="replace").strip().splitlines()[-20:]
    reason = f": {lines[-1]}" if lines else ""
    return CommandFailed(
        f"{argv[0]} ended with status {exit_code}{reason}",
        exit_code=exit_code,
        output="\n".join(lines),
    )


class Talk:
    """A program that is talked to through its standard input and output until it is closed."""

    def __init__(self, argv: Sequence[str]) -> None:
        self._process = subprocess.Popen(  # noqa: S603
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    @property
    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        assert self._process.stdin  # noqa: S101  both are pipes by construction
        assert self._process.stdout  # noqa: S101
        return self._process.stdin, self._process.stdout

    def read_line(self) -> str:
        """Return the next line without its end, or the empty string when it has ended."""
        return self._pipes[1].readline().decode(errors="replace").rstrip("\n")

    def write_line(self, text: str = "") -> None:
        """Send one line.

        Raises:
            OSError: the program has ended.
        """
        self._pipes[0].write(text.encode() + b"\n")
        self._pipes[0].flush()

    def close(self) -> None:
        """End the conversation and wait for the program."""
        for pipe in self._pipes:
            pipe.close()
        self._process.wait()
