"""Our shell scripts as a stand-in has them: the same words in and out (`adapters/scripts`)."""

import re
import shlex
import time
from collections.abc import Iterator

from tests.lab.standin.channels import Channel, Endpoint
from tests.lab.standin.machine import DISK_BYTES, Machine, later

_SCRIPT = re.compile(r"' restoops-(\w+) ")
_OWNER = "1001 1001"
_LOCK_TAKEN, _UNKNOWN = 75, 127


def execute(machine: Machine, channel: Channel, command: str) -> Endpoint:
    """Start what a command line names."""
    found = _SCRIPT.search(command)
    arguments = shlex.split(command[found.end() :]) if found else []
    match found and found[1]:
        case "lock":
            return Lock(machine, channel, arguments)
        case "serve":
            return Serve(machine, channel, arguments[0])
        case "sample":
            return Sample(channel, every_ms=float(arguments[2]) * 1000)
    if command.startswith("exec df "):
        return Said(channel, 0, f"1B-blocks Avail\n{DISK_BYTES} {machine.free_bytes}\n")
    return Said(channel, _UNKNOWN, "a stand-in does not know this program\n")


class Said:
    """A program that reads nothing, and has said all that it has to say."""

    def __init__(self, channel: Channel, status: int, text: str) -> None:
        channel.write(text.encode())
        channel.exit(status)

    def received(self, data: bytes) -> None:
        """Do nothing: it has ended."""

    def ended(self) -> None:
        """Do nothing, either."""

    def gone(self) -> None:
        """Do nothing, either."""


class Serve:
    """Runs scripts, one after the other, each when all that it reads is there."""

    def __init__(self, machine: Machine, channel: Channel, word: str) -> None:
        self._machine = machine
        self._channel = channel
        self._word = word
        self._given = b""
        self._answer(0, b"")

    def received(self, data: bytes) -> None:
        """Take a call, or a part of one; the client waits for its answer before the next."""
        self._given += data
        line, end, rest = self._given.partition(b"\n")
        words = shlex.split(line.decode()) if end else []
        if not words or len(rest) < sum(_sizes(words[3:])):
            return
        self._given = b""
        later(self._machine.timing.script_ms, lambda: self._answer(*self._run(words, rest)))

    def ended(self) -> None:
        """End."""
        self._channel.exit(0)

    def gone(self) -> None:
        """Do nothing: what has begun is done all the same."""

    def _run(self, words: list[str], given: bytes) -> tuple[int, bytes]:
        match words:
            case ["run", "read", _, *names]:
                return 0, _read(self._machine, names)
            case ["run", "write", _, *what]:
                _write(self._machine, what, given)
                return 0, b""
            case ["detach", "retire", _, container, slot, after_s, _]:
                self._machine.retire(container, slot, float(after_s))
                return 0, b""
        return _UNKNOWN, b"a stand-in does not know this script\n"

    def _answer(self, status: int, said: bytes) -> None:
        self._channel.write(b"%s\n%s %d\n" % (said, self._word.encode(), status))


def _sizes(words: list[str]) -> Iterator[int]:
    """Yield the sizes among `name size name size remove name`."""
    for name, size in zip(words[::2], words[1::2], strict=False):
        if name == "remove" or not size.isdigit():
            return
        yield int(size)


def _read(machine: Machine, names: list[str]) -> bytes:
    if machine.files is None:
        return f"absent {_OWNER}\n".encode()
    found = {name: machine.files[name] for name in names if name in machine.files}
    parts = [f"{name} {len(content)}\n".encode() + content for name, content in found.items()]
    return f"present {_OWNER}\n".encode() + b"".join(parts)


def _write(machine: Machine, words: list[str], given: bytes) -> None:
    files = machine.files = machine.files or {}
    for size in _sizes(words):
        name, _, *words = words
        files[name], given = given[:size], given[size:]
    for name in words[1:]:
        files.pop(name, None)


class Sample:
    """Asks its proxy at the pace that it is told, and has always an answer at once."""

    def __init__(self, channel: Channel, every_ms: float) -> None:
        self._channel = channel
        self._every_ms = every_ms
        self._is_over = False
        channel.write(f"{_now_us()}\n".encode())
        self._ask()

    def received(self, data: bytes) -> None:
        """Do nothing: nothing is to be said to it."""

    def ended(self) -> None:
        """End."""
        self._is_over = True
        self._channel.exit(0)

    def gone(self) -> None:
        """End."""
        self._is_over = True

    def _ask(self) -> None:
        if not self._is_over:
            began = _now_us()
            self._channel.write(f"{began} {began + 500} 200\n".encode())
            later(self._every_ms, self._ask)


def _now_us() -> int:
    return time.time_ns() // 1000


class Lock:
    """Holds the lock as long as the client talks; one that is held is asked for each second.

    There is no lease: only the end of the connection takes the lock away.
    """

    def __init__(self, machine: Machine, channel: Channel, arguments: list[str]) -> None:
        _directory, self._who, wait_s, _lease_s, *how = arguments
        self._preempts = how == ["preempt"]
        self._machine = machine
        self._channel = channel
        self._left_s = int(wait_s)
        machine.files = machine.files or {}
        later(machine.timing.script_ms, lambda: self._try("HELD"))

    def received(self, data: bytes) -> None:
        """Take a sign of life."""

    def ended(self) -> None:
        """Give the lock back."""
        self._free()
        self._channel.exit(0)

    def gone(self) -> None:
        """Give the lock back."""
        self._free()
        self._left_s = -1

    def _free(self) -> None:
        if self._machine.holder is self:
            self._machine.holder = None

    def _try(self, word: str) -> None:
        holder = self._machine.holder
        if self._left_s < 0:
            return
        if holder is None:
            self._machine.holder = self
            self._channel.write(b"LOCKED\n")
            return
        assert isinstance(holder, Lock)
        self._channel.write(f"{word} {holder._who}\n".encode())
        if self._preempts:
            holder._channel.abort()
        if self._left_s == 0:
            self._channel.write(f"TAKEN {holder._who}\n".encode())
            self._channel.exit(_LOCK_TAKEN)
        self._left_s -= 1
        later(1000, lambda: self._try("WAITING"))
