"""The TCP connection under SSH, with fewer calls to the system than paramiko makes by itself.

paramiko reads each packet in three parts and waits before each, and every such call lets other
threads run first. With the threads of 200 hosts that is what a deploy spends its time on.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from typing import Any

_AHEAD_BYTES = 4096
_LOOK_UP_S = 1.0
"""How often a wait for nothing ends, for paramiko to see whether a keep-alive is due."""


class TcpStream(socket.socket):
    """A connected socket that reads ahead; one thread may read while others send."""

    _ahead = b""

    @classmethod
    def connected(cls, address: str, port: int, *, timeout_s: float, silence_s: float) -> TcpStream:
        """Connect, trying all addresses of the name in turn; OSError when none answers.

        What was sent and not acknowledged for `silence_s` ends the connection, and with it every
        wait, also one that has no limit of its own: a host without power sends no goodbye.
        """
        plain = socket.create_connection((address, port), timeout=timeout_s)
        stream = cls(plain.family, plain.type, plain.proto, plain.detach())
        stream.settimeout(timeout_s)
        # Without it every small command waits for Nagle and a delayed ACK: 48 ms, with it 3 ms.
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux has it, macOS does not
            silence_ms = max(1, round(silence_s * 1000))
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, silence_ms)
        return stream

    def settimeout(self, seconds: float | None, /) -> None:
        """Let the system end a wait, where Python would ask it twice: wait, then read.

        paramiko's tenth of a second becomes one second. Ten times a second each of 200 threads
        would look up, for nothing: `close` tells them.
        """
        super().settimeout(None)
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            whole, part = divmod(max(seconds or 0, _LOOK_UP_S), 1)
            timeval = struct.pack("@ll", int(whole), int(part * 1e6))
            self.setsockopt(socket.SOL_SOCKET, option, timeval)

    def close(self) -> None:
        """Close, and end what waits in other threads."""
        with contextlib.suppress(OSError):  # it never was connected, or is not any more
            self.shutdown(socket.SHUT_RDWR)
        super().close()

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        """Return what was read ahead, up to `size` bytes, or read again."""
        try:
            found = self._ahead or super().recv(max(size, _AHEAD_BYTES), flags)
        except BlockingIOError as error:
            raise TimeoutError from error
        self._ahead = found[size:]
        return found[:size]

    def send(self, data: Any, flags: int = 0, /) -> int:
        """Send what the system takes."""
        try:
            return super().send(data, flags)
        except BlockingIOError as error:
            raise TimeoutError from error
