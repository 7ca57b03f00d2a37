"""Programs on this machine. The only module that starts any."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from restoops.errors import CommandFailed, StepFailed
from restoops.masking import masked

_TICK_S = 0.1
_LEAVE_S = 3
"""Seconds that a program which is ended has to leave by itself."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where and how long a program runs.

    Attributes:
        extra_env: variables beside our own.
        timeout_s: seconds after which it is ended.
        is_stopped: once this is true the program is sent SIGINT, never twice, and waited for: for
            programs that end orderly by themselves and must not be cut off.
    """

    cwd: Path
    timeout_s: float
    extra_env: Mapping[str, str] = field(default_factory=dict)
    is_stopped: Callable[[], bool] = lambda: False


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended, and what it wrote."""

    exit_code: int
    stdout: bytes
    stderr: bytes


def run(
    argv: Sequence[str],
    *,
    stdin: bytes = b"",
    timeout_s: float = 60,
    extra_env: Mapping[str, str] | None = None,
) -> str:
    """Run a program to its end and return what it wrote to standard output.

    Raises:
        CommandFailed: it ended with a status other than 0; carries its last 20 lines.
        StepFailed: it is not installed or took longer than `timeout_s` seconds.
    """
    done = finish(argv, stdin=stdin, timeout_s=timeout_s, extra_env=extra_env)
    if done.exit_code:
        raise failure(argv, done.exit_code, done.stderr or done.stdout)
    return done.stdout.decode(errors="surrogateescape")


def finish(
    argv: Sequence[str],
    *,
    stdin: bytes = b"",
    timeout_s: float = 60,
    extra_env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Ended:
    """Run a program to its end, whatever that is.

    Raises:
        StepFailed: it cannot be started or took longer than `timeout_s` seconds.
    """
    try:
        done = subprocess.run(  # noqa: S603  argv comes from our own code, never from a shell
            argv,
            input=stdin,
            capture_output=True,
            timeout=timeout_s,
            check=False,
            env={**os.environ, **(extra_env or {})},
            cwd=cwd,
        )
    except FileNotFoundError as error:
        raise StepFailed(f"{argv[0]} is not installed on this machine") from error
    except OSError as error:
        raise StepFailed(f"{argv[0]} cannot be started: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise StepFailed(f"{argv[0]} took longer than {timeout_s:g} s") from error
    return Ended(done.returncode, done.stdout, done.stderr)


def stream(
    argv: Sequence[str],
    around: Surroundings,
    on_line: Callable[[str], None],
    poll: Callable[[], None] = lambda: None,
) -> None:
    """Run a program to its end and hand over each line that it writes, without secrets.

    A program with a `/` in its name is looked for in the directory that it runs in. Standard
    input is empty. `poll` is called several times a second; what it or `on_line` raises ends the
    program and all that it has started. What still runs when the program ends is left alone.

    Raises:
        CommandFailed: it ended with a status other than 0; carries its last 20 lines.
        StepFailed: it cannot be started, or took too long and was ended.
    """
    last: deque[str] = deque(maxlen=20)
    with _started(argv, around) as process:
        end, is_told = time.monotonic() + around.timeout_s, False
        for line in _lines(process):
            if line is None:
                poll()
                if not is_told and around.is_stopped():
                    is_told = True
                    process.send_signal(signal.SIGINT)
            else:
                line = masked(line)
                last.append(line)
                on_line(line)
            if time.monotonic() > end:
                raise StepFailed(f"{argv[0]} took longer than {around.timeout_s:g} s")
    if process.returncode:
        raise failure(argv, process.returncode, "\n".join(last).encode())


@contextlib.contextmanager
def _started(argv: Sequence[str], around: Surroundings) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program in a process group of its own, which ends with an error in the body."""
    try:
        process = subprocess.Popen(  # noqa: S603
            argv,
            cwd=around.cwd,
            env={**os.environ, **around.extra_env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        raise StepFailed(f"{argv[0]} cannot be started: {error.strerror}") from error
    with process:
        try:
            yield process
        except BaseException:
            _end(process)
            raise


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_LEAVE_S)
        os.killpg(process.pid, signal.SIGKILL)


def _lines(process: subprocess.Popen[bytes]) -> Iterator[str | None]:
    """Yield each line until the program has ended, and None several times a second."""
    assert process.stdout  # noqa: S101  a pipe by construction
    pipe, rest = process.stdout.fileno(), b""
    while True:
        yield None
        # Asked before the pipe: what it wrote before its end is in there by now. What it has
        # started may keep the pipe open for ever.
        has_ended = process.poll() is not None
        chunk = os.read(pipe, 65536) if select.select([pipe], [], [], _TICK_S)[0] else b""
        *whole, rest = (rest + chunk).split(b"\n")
        yield from map(_text, whole)
        if has_ended and not chunk:
            break
        if not chunk:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_TICK_S)
    if rest:
        yield _text(rest)


def _text(line: bytes) -> str:
    return line.decode(errors="replace").rstrip("\r")


def failure(argv: Sequence[str], exit_code: int, output: bytes) -> CommandFailed:
    """Return the error for a program that ended with `exit_code`."""
    lines = output.decode(errors="replace").strip().splitlines()[-20:]
    reason = f": {lines[-1]}" if lines else ""
    return CommandFailed(
        f"{argv[0]} ended with status {exit_code}{reason}",
        exit_code=exit_code,
        output="\n".join(lines),
    )


def find(name: str, environ: Mapping[str, str]) -> str | None:
    """Return the path of a program: on PATH, else beside our interpreter, where pip puts it."""
    beside = str(Path(sys.executable).parent)
    return shutil.which(name, path=environ.get("PATH")) or shutil.which(name, path=beside)


def parent_of(pid: int) -> tuple[int, str] | None:
    """Return the parent of a process and the parent's command line, if it has one."""
    with contextlib.suppress(StepFailed, ValueError):
        parent = int(run(["ps", "-o", "ppid=", "-p", str(pid)]))
        return parent, run(["ps", "-o", "args=", "-p", str(parent)]).strip()
    return None


def is_alive(pid: int) -> bool:
    """Return whether there is a process of this number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


class Talk:
    """A program that is talked to through its standard input and both outputs until it is closed.

    Raises:
        StepFailed: it cannot be started.
    """

    def __init__(self, argv: Sequence[str]) -> None:
        try:
            self._process = subprocess.Popen(  # noqa: S603
                argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                process_group=0,  # the Ctrl-C of a terminal is for us: it must not end the lock
            )
        except OSError as error:
            raise StepFailed(f"{argv[0]} cannot be started: {error.strerror}") from error

    @property
    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        assert self._process.stdin  # noqa: S101  both are pipes by construction
        assert self._process.stdout  # noqa: S101
        return self._process.stdin, self._process.stdout

    def read_line(self) -> str | None:
        """Return the next line without its end, or None when it has ended."""
        line = self._pipes[1].readline()
        return line.decode(errors="replace").rstrip("\n") if line else None

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


class Started:
    """A program whose input and both outputs are one stream.

    Raises:
        StepFailed: it cannot be started.
    """

    def __init__(self, argv: Sequence[str]) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            pipe = theirs.fileno()
            try:
                self._process = subprocess.Popen(  # noqa: S603
                    argv, stdin=pipe, stdout=pipe, stderr=pipe, process_group=0
                )
            except OSError as error:
                ours.close()
                raise StepFailed(f"{argv[0]} cannot be started: {error.strerror}") from error
        self._stream = ours
        self.settimeout = ours.settimeout

    def sendall(self, data: bytes, /) -> None:
        """Send all of `data`; whether the program has ended is told by what it says."""
        with contextlib.suppress(BrokenPipeError):
            self._stream.sendall(data)

    def recv(self, size: int, /) -> bytes:
        """Return up to `size` bytes, or none when the program has ended."""
        try:
            return self._stream.recv(size)
        except ConnectionResetError:  # it left something unread
            return b""

    def close(self) -> None:
        """End its input and wait for it."""
        self._stream.close()
        self._process.wait()
