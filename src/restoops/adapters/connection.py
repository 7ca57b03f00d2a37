"""What every way to a host can do, and the way to this machine itself."""

from __future__ import annotations

import functools
import json
import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from restoops.adapters import process
from restoops.adapters.heartbeat import Heart
from restoops.errors import Locked, RestoopsError, StepFailed, Unreachable

LEASE_S = 15
"""Seconds of silence after which a host takes the lock away and ends our connection."""
PREEMPT_S = 5
"""Seconds within which a run that pre-empts has the lock."""
_heart = Heart()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_heart.forget)
_SCRIPTS = Path(__file__).parent / "scripts"
_GIVEN_UP = {
    "TAKEN": "`--wait 600` queues behind it.",
    "NAMELESS": "An older restoops took it, which cannot be pre-empted; `--wait 600` queues.",
    "FOREIGN": "Its session is another user's of the host; only as that one can it be ended.",
}
"""What to do now, by the word with which the lock script gives up."""
_SHOWN_LINES = 20
_PACKAGES = {"docker": "docker.io", "flock": "util-linux"}
_NO_RUN = (
    "No run has it that could be ended: the host may be stopping a container that was kept warm. "
    "`--wait 60` waits for that."
)


class Stream(Protocol):
    """A connected byte stream: a socket, or an SSH channel that behaves like one."""

    def sendall(self, data: bytes, /) -> object:
        """Send all of `data`."""

    def recv(self, size: int, /) -> bytes:
        """Return up to `size` bytes, or none at the end."""

    def settimeout(self, seconds: float | None, /) -> None:
        """Fail a `recv` that takes longer than `seconds`."""

    def close(self) -> None:
        """End the stream."""


class Talk(Protocol):
    """A program on the host that is talked to line by line."""

    def read_line(self) -> str | None:
        """Return the next line, of either output, or None when the program has ended."""

    def write_line(self, text: str = "") -> None:
        """Send one line; OSError when the program has ended."""

    def close(self) -> None:
        """End the conversation."""


class Connection(Protocol):
    """A host on which programs can be run and sockets be reached."""

    host: str
    answer_timeout_s: float
    """How long an answer may take before the host counts as one that hangs."""

    def run(self, argv: Sequence[str], *, stdin: bytes = b"", timeout_s: float = 60) -> str:
        """Run a program to its end and return its standard output."""

    def talk(self, argv: Sequence[str]) -> Talk:
        """Start a program and talk to it."""

    def start(self, argv: Sequence[str], *, within_s: float | None = None) -> Stream:
        """Start a program whose input and output are one stream.

        A host that takes longer than `within_s` seconds to start it counts as one that hangs, with
        all that runs over the connection; without it, as long as it may take to connect.
        """

    def dial(self, socket_path: str) -> Stream:
        """Connect to a Unix socket on the host."""

    def close(self) -> None:
        """End the connection and all that runs over it."""

    def close_if_silent(self, within_s: float) -> None:
        """End the connection unless the host gives a sign of life within so many seconds."""


class LocalConnection:
    """This machine, without SSH."""

    host = "local"
    answer_timeout_s: float = 60

    def run(self, argv: Sequence[str], *, stdin: bytes = b"", timeout_s: float = 60) -> str:
        """Run a program to its end and return its standard output."""
        return process.run(argv, stdin=stdin, timeout_s=timeout_s)

    def talk(self, argv: Sequence[str]) -> Talk:
        """Start a program and talk to it."""
        return process.Talk(argv)

    def start(self, argv: Sequence[str], *, within_s: float | None = None) -> Stream:  # noqa: ARG002
        """Start a program whose input and output are one stream."""
        return process.Started(argv)

    def dial(self, socket_path: str) -> Stream:
        """Connect to a Unix socket.

        Raises:
            Unreachable: nothing listens there.
        """
        stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            stream.connect(socket_path)
        except OSError as error:
            stream.close()
            raise Unreachable(
                f"local: cannot connect to {socket_path}: {error.strerror}",
                hint="`restoops doctor` says what is missing.",
            ) from error
        return stream

    def close(self) -> None:
        """Do nothing: there is no connection to end."""

    def close_if_silent(self, within_s: float) -> None:
        """Do nothing, either."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds the lock of a host, for what, since when."""

    who: str
    origin: str
    purpose: str
    since: str

    def __str__(self) -> str:
        return f"{self.who} from {self.origin}, for `{self.purpose}`, since {self.since}"


@dataclass(frozen=True, slots=True)
class Claim:
    """Who wants the lock of a host, and what to do about another run that holds it."""

    holder: Holder
    wait_s: int = 0
    preempt: bool = False
    """End its session on the host, with all that runs over it; it has then changed its last.

    For `local` that session is the process itself. A run that only waits is left alone.
    """

    def as_arguments(self) -> list[str]:
        """Return what the lock script is told, after the directory."""
        wait_s = max(self.wait_s, PREEMPT_S) if self.preempt else self.wait_s
        holder = json.dumps(asdict(self.holder))
        return [holder, str(wait_s), str(LEASE_S), "preempt" if self.preempt else ""]


class Lock:
    """The lock of one application on one host; lost with the connection that carries it."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._pulse = _heart.begin(talk.write_line)

    def release(self) -> None:
        """Give the lock back; another run may have it when this returns."""
        self._pulse.stop()
        self._talk.close()


def hold_lock(
    connection: Connection, directory: str, claim: Claim, *, on_wait: Callable[[str], None]
) -> Lock:
    """Take the lock of `directory` on the host, when it is free or as the claim says.

    `on_wait` is told once who has it. The directory is made when it is missing.

    Raises:
        Locked: another run has it; the message says who, for what, since when.
        Unreachable: the host lacks docker or flock, or did not run the script to its end.
        StepFailed: the directory cannot be made or written.
    """
    talk = connection.talk([*script("lock"), directory, *claim.as_arguments()])
    said: list[str] = []
    while (line := talk.read_line()) is not None:
        said.append(line)
        word, _, other = line.partition(" ")
        if word == "LOCKED":
            return Lock(talk)
        if word == "HELD":
            on_wait(describe_holder(other))
    talk.close()
    raise _not_locked(connection.host, directory, claim, said)


def describe_holder(text: str) -> str:
    """Return what a lock file says about its holder, in words."""
    try:
        return str(Holder(**json.loads(text)))
    except (ValueError, TypeError):
        return "somebody who has just begun"


def script(name: str) -> list[str]:
    """Return the argv that runs one of our shell scripts on a host; arguments follow it."""
    return ["bash", "-c", text_of(name), f"restoops-{name}"]


@functools.cache  # once for all hosts
def text_of(name: str) -> str:
    """Return one of our shell scripts."""
    return (_SCRIPTS / f"{name}.sh").read_text()


def _not_locked(host: str, directory: str, claim: Claim, said: Sequence[str]) -> RestoopsError:
    """Return the error for a lock script that ended after having `said` all that.

    Only what it says itself at its end counts: the shell of a login may have been something else.
    """
    ends = ("LACKS", "UNWRITABLE", *_GIVEN_UP)
    last = next((line for line in reversed(said) if line.split(" ")[0] in ends), "")
    word, _, other = last.partition(" ")
    if word in _GIVEN_UP:
        hint = _NO_RUN if word == "TAKEN" and claim.preempt else _GIVEN_UP[word]
        return Locked(f"{host}: another run holds the lock: {describe_holder(other)}", hint=hint)
    if word == "LACKS" and other in _PACKAGES:
        return _lacking(host, other)
    if word == "UNWRITABLE":
        return _unwritable(host, directory)
    return no_shell(host, "\n".join(said), "the lock could not be asked for: ")


def no_shell(host: str, said: str, what: str = "") -> Unreachable:
    """Return the error for a host whose shell ended before our script had come to its end."""
    return Unreachable(
        f"{host}: {what}the shell there ended before it had an answer",
        hint="restoops needs `bash` there, and a user whose login shell runs commands: does "
        f"`ssh {host} bash --version` print a version, and nothing else?",
        details="\n".join(said.splitlines()[-_SHOWN_LINES:]),
    )


def _lacking(host: str, program: str) -> Unreachable:
    package = _PACKAGES[program]
    return Unreachable(
        f"{host}: {program} is not installed",
        hint=f"On the host: `sudo apt-get install {package}`.",
    )


def _unwritable(host: str, directory: str) -> StepFailed:
    where = f"`sudo install -d -o $(id -un) -m 0750 {directory}`"
    return StepFailed(
        f"{host}: {directory} cannot be made or written, and sudo wants a password",
        hint=f"On the host, as the user restoops logs in as: {where}",
    )
