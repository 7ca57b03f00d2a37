"""Programs on a host, each on an SSH channel of its own."""

from __future__ import annotations

from collections.abc import Callable

import paramiko

from restoops.errors import Unreachable

_LEAVE_S = 5
"""How long a program on the host may take to end when we leave; a frozen host never does."""


class StartedChannel:
    """A program on the host; a connection that is lost is told as such, and as no end of it."""

    def __init__(self, channel: paramiko.Channel, lost: Callable[[Exception], Unreachable]) -> None:
        channel.set_combine_stderr(True)  # a shell that cannot do it says so there
        self._channel = channel
        self._lost = lost
        self.settimeout = channel.settimeout
        self.close = channel.close

    def sendall(self, data: bytes, /) -> None:
        """Send all of `data`."""
        try:
            self._channel.sendall(data)
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise self._lost(error) from error

    def recv(self, size: int, /) -> bytes:
        """Return up to `size` bytes, or none when the program has ended."""
        try:
            part = self._channel.recv(size)
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise self._lost(error) from error
        if not part and self._channel.recv_exit_status() == -1:
            raise self._lost(EOFError("no exit status"))
        return part


class TalkChannel:
    """A program on the host that is talked to line by line."""

    def __init__(self, channel: paramiko.Channel, lost: Callable[[Exception], Unreachable]) -> None:
        channel.set_combine_stderr(True)  # a shell that cannot do it says so there
        self._channel = channel
        self._lost = lost
        self._lines = channel.makefile("rb")

    def read_line(self) -> str | None:
        """Return the next line, of either output, or None when the program has ended."""
        try:
            line: bytes = self._lines.readline()
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise self._lost(error) from error
        return line.decode(errors="replace").rstrip("\n") if line else None

    def write_line(self, text: str = "") -> None:
        """Send one line; OSError when the connection is lost."""
        try:
            self._channel.sendall(text.encode() + b"\n")
        except paramiko.SSHException as error:
            raise OSError(str(error)) from error

    def close(self) -> None:
        """End the conversation and wait for the program."""
        self._channel.shutdown_write()
        # Until the program has ended, what it held is not free.
        self._channel.status_event.wait(_LEAVE_S)
        self._channel.close()
