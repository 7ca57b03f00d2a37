"""The channels of an SSH connection: https://www.rfc-editor.org/rfc/rfc4254."""

from collections.abc import Callable
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.lab.standin.handshake import Handshake
from tests.lab.standin.packets import Fields, number, string

_WINDOW = 1 << 30
"""So much may come on one channel, all in all: a stand-in never asks for more."""
_PACKET = 32768
_REQUEST, _REFUSED = 80, 82
_OPEN, _OPENED, _NOT_OPENED, _WIDEN, _DATA = 90, 91, 92, 93, 94
_END, _CLOSE, _ASK, _YES, _NO = 96, 97, 98, 99, 100
_NOTHING_LISTENS = 2


class Endpoint(Protocol):
    """What is at the host's end of a channel: a program, or a socket's other side."""

    def received(self, data: bytes) -> None:
        """Take what the client wrote."""

    def ended(self) -> None:
        """Take note that the client writes no more."""

    def gone(self) -> None:
        """Take note that the channel is closed, or the connection lost."""


class Server(Protocol):
    """What a connection leads to."""

    def execute(self, channel: "Channel", command: str) -> Endpoint:
        """Start a program."""

    def dial(self, channel: "Channel", path: str) -> Endpoint | None:
        """Connect to a Unix socket; nothing when nobody listens there."""


class Channel:
    """The host's end of one channel."""

    def __init__(
        self, send: Callable[[bytes], None], theirs: int, window: int, abort: Callable[[], None]
    ) -> None:
        self._send = send
        self._theirs = number(theirs)
        self._window = window
        self._waiting = b""
        self._closes = False
        self._is_closed = False
        self.abort = abort
        """Cut the whole connection."""
        self.endpoint: Endpoint | None = None

    def write(self, data: bytes) -> None:
        """Send to the client, as fast as it takes it."""
        self._waiting += data
        self._flush()

    def widen(self, size: int) -> None:
        """Take note that the client takes `size` bytes more."""
        self._window += size
        self._flush()

    def exit(self, status: int) -> None:
        """End a program."""
        self._request("exit-status", number(status))
        self.close()

    def close(self) -> None:
        """Close when all has been sent; twice is fine."""
        self._closes = True
        self._flush()

    def answer(self, *, fine: bool) -> None:
        """Answer a request."""
        self._tell(_YES if fine else _NO)

    def drop(self) -> None:
        """Forget what is still to be sent: the connection is lost."""
        self._is_closed = True
        if self.endpoint:
            self.endpoint.gone()

    def _request(self, name: str, content: bytes) -> None:
        self._tell(_ASK, string(name) + b"\0" + content)

    def _flush(self) -> None:
        while self._waiting and self._window and not self._is_closed:
            size = min(self._window, _PACKET)
            part, self._waiting = self._waiting[:size], self._waiting[size:]
            self._window -= len(part)
            self._tell(_DATA, string(part))
        if self._closes and not self._waiting and not self._is_closed:
            self._tell(_END)
            self._tell(_CLOSE)
            self._is_closed = True

    def _tell(self, kind: int, content: bytes = b"") -> None:
        if not self._is_closed:
            self._send(bytes([kind]) + self._theirs + content)


class Connection(Handshake):
    """A client's connection to a host."""

    def __init__(self, key: Ed25519PrivateKey, server: Server) -> None:
        super().__init__(key)
        self._server = server
        self._channels: dict[int, Channel] = {}
        self._opened = 0

    def received(self, kind: int, fields: Fields) -> None:
        """Take a message of a client that is logged in."""
        if kind == _OPEN:
            self._open(fields)
            return
        if kind == _REQUEST:
            _name, wants_answer = fields.string(), fields.flag()
            if wants_answer:
                self.send(bytes([_REFUSED]))
            return
        ours = fields.number()
        if channel := self._channels.get(ours):
            self._on_channel(kind, ours, channel, fields)

    def connection_lost(self, exc: Exception | None) -> None:
        """End what runs over the connection."""
        for channel in self._channels.values():
            channel.drop()
        self._channels.clear()

    def _on_channel(self, kind: int, ours: int, channel: Channel, fields: Fields) -> None:
        if kind == _DATA and channel.endpoint:
            channel.endpoint.received(fields.string())
        elif kind == _WIDEN:
            channel.widen(fields.number())
        elif kind == _END and channel.endpoint:
            channel.endpoint.ended()
        elif kind == _CLOSE:
            channel.close()
            channel.drop()
            del self._channels[ours]
        elif kind == _ASK:
            self._execute(channel, fields)

    def _open(self, fields: Fields) -> None:
        kind, theirs, window, _packet = (
            fields.text(),
            fields.number(),
            fields.number(),
            fields.number(),
        )
        channel = Channel(self.send, theirs, window, self.transport.abort)
        if kind == "direct-streamlocal@openssh.com":
            channel.endpoint = self._server.dial(channel, fields.text())
        if kind != "session" and not channel.endpoint:
            refusal = number(theirs, _NOTHING_LISTENS) + string("open failed") + string("")
            self.send(bytes([_NOT_OPENED]) + refusal)
            return
        ours, self._opened = self._opened, self._opened + 1
        self._channels[ours] = channel
        self.send(bytes([_OPENED]) + number(theirs, ours, _WINDOW, _PACKET))

    def _execute(self, channel: Channel, fields: Fields) -> None:
        name, wants_answer = fields.text(), fields.flag()
        if wants_answer:
            channel.answer(fine=name == "exec")
        if name == "exec":
            channel.endpoint = self._server.execute(channel, fields.text())
