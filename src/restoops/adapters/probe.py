"""Questions to a release, asked through HAProxy's own socket for that."""

from __future__ import annotations

from collections.abc import Callable

import h11

from restoops.adapters.connection import Stream
from restoops.adapters.exchange import Question, ask
from restoops.errors import Unreachable
from restoops.model import Answer, Color

_SLOT = "x-restoops-slot"
_MOST_BYTES = 65536


class Prober:
    """Asks over one kept-alive stream that `dial` makes."""

    def __init__(self, socket_path: str, dial: Callable[[str], Stream]) -> None:
        self._socket = socket_path
        self._dial = dial
        self._stream: Stream | None = None

    def connect(self) -> None:
        """Connect ahead of use, so that the way is ready when it is needed."""
        if self._stream is None:
            self._stream = self._dial(self._socket)

    def close(self) -> None:
        """Close the stream; the next question opens another."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def ask(
        self, path: str, slot: Color | None, *, timeout_s: float
    ) -> tuple[Answer, Color | None]:
        """Ask the release in `slot`, or as a client would, and say which slot answered.

        An answer that HAProxy made up because nobody listens has no slot and counts as none.
        """
        try:
            return self._ask(path, slot, timeout_s)
        except (OSError, EOFError, h11.ProtocolError, Unreachable) as error:
            self.close()
            return Answer(0, str(error) or type(error).__name__), None

    def _ask(self, path: str, slot: Color | None, timeout_s: float) -> tuple[Answer, Color | None]:
        self.connect()
        assert self._stream  # noqa: S101  connect() has made it
        headers = {"Host": "restoops", **({_SLOT: slot.value} if slot else {})}
        question = Question("GET", path, headers)
        reply = ask(self._stream, question, timeout_s=timeout_s, at_most=_MOST_BYTES)
        if reply.is_last:
            self.close()
        answered = reply.headers.get(_SLOT)
        if answered is None:
            return Answer(0, "nothing listens on the application's port"), None
        return Answer(reply.status, reply.body.decode(errors="replace")), Color(answered)
