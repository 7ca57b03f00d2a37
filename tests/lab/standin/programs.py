"""Our shell scripts as a stand-in has them: the same words in and out (`adapters/scripts`)."""

import re
import shlex
from collections.abc import Callable

from tests.lab.standin.channels import Channel, Endpoint
from tests.lab.standin.machine import DISK_BYTES, Machine, later

_SCRIPT = re.compile(r"' restoops-(\w+) ")
_OWNER = "1001 1001"
_LOCK_TAKEN, _LOST, _UNKNOWN = 75, 74, 127


def execute(machine: Machine, channel: Channel, command: str) -> Endpoint:
    """Start what a command line names."""
    found = _SCRIPT.search(command)
    arguments = shlex.split(command[found.end() :]) if found else []
    match found and found[1]:
        case "lock":
            return Lock(machine, channel, arguments)
        case "write":
            return Program(channel, machine.timing.script_ms, lambda given: _write(
                machine, arguments[1:], given))  # fmt: skip
        case "read":
            return Program(channel, machine.timing.script_ms, lambda _: _read(
                machine, arguments[1:]))  # fmt: skip
        case "retire":
            _directory, container, slot, after_s, _grace_s = arguments
            machine.retire(container, slot, float(after_s))
            return Program(channel, machine.timing.script_ms, lambda _: (0, b""))
    if command.startswith("exec df "):
        text = f"1B-blocks Avail\n{DISK_BYTES} {machine.free_bytes}\n"
        return Program(channel, machine.timing.script_ms, lambda _: (0, text.encode()))
    return Program(channel, 0, lambda _: (_UNKNOWN, b"a stand-in does not know this program\n"))


class Program:
    """Reads all of its input, takes its time, and ends with a status and some output."""

    def __init__(
        self, channel: Channel, takes_ms: float, run: Callable[[bytes], tuple[int, bytes]]
    ) -> None:
        self._channel = channel
        self._takes_ms = takes_ms
        self._run = run
        self._given = b""

    def received(self, data: bytes) -> None:
        """Take input."""
        self._given += data

    def ended(self) -> None:
        """Run: all input is there."""
        later(self._takes_ms, self._end)

    def gone(self) -> None:
        """Do nothing: what has begun is done all the same."""

    def _end(self) -> None:
        status, output = self._run(self._given)
        self._channel.write(output)
        self._channel.exit(status)


def _read(machine: Machine, names: list[str]) -> tuple[int, bytes]:
    if machine.files is None:
        return 0, f"absent {_OWNER}\n".encode()
    found = {name: machine.files[name] for name in names if name in machine.files}
    parts = [f"{name} {len(content)}\n".encode() + content for name, content in found.items()]
    return 0, f"present {_OWNER}\n".encode() + b"".join(parts)


def _write(machine: Machine, words: list[str], given: bytes) -> tuple[int, bytes]:
    files = machine.files = machine.files or {}
    while len(words) >= 2 and words[0] != "remove":
        name, size, *words = words
        if len(given) < int(size):
            return _LOST, f"{name}: cut short\n".encode()
        files[name], given = given[: int(size)], given[int(size) :]
    for name in words[1:]:
        files.pop(name, None)
    return 0, b""


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
