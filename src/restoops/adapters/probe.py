"""Questions to a release, asked through HAProxy's own socket for that."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import h11

from restoops.adapters.connection import Stream
from restoops.adapters.exchange import Message, ask
from restoops.errors import Unreachable
from restoops.model import Answer, Color, Question

_SLOT = "x-restoops-slot"
_USUAL = {"host": "restoops", "accept-encoding": "identity"}
_MAX_BYTES = 1024 * 1024
"""Of an answer; of a longer one no more is read."""


class Prober:
    """Asks over a kept-alive stream that `dial` makes.

    A question that was walked away from goes on with the stream that it has: the next one, asked
    meanwhile, must not get its answer, and has a stream of its own.
    """

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
        return self._try(Question(path, timeout_s=timeout_s), slot)

    def send(self, question: Question, slot: Color | None) -> tuple[Answer, Color | None]:
        """Ask the same way, over a stream of its own: what was kept alive may be closed by now."""
        self.close()
        return self._try(question, slot)

    def _try(self, question: Question, slot: Color | None) -> tuple[Answer, Color | None]:
        stream: Stream | None = None
        try:
            self.connect()
            stream, self._stream = self._stream, None
            assert stream  # noqa: S101  connect() has made it
            answer, is_last = self._ask(stream, question, slot)
        except (OSError, EOFError, h11.ProtocolError, Unreachable) as error:
            if stream:
                stream.close()
            return (Answer(0, str(error) or type(error).__name__), None)
        if is_last or self._stream:
            stream.close()
        else:
            self._stream = stream
        return answer

    def _ask(
        self, stream: Stream, question: Question, slot: Color | None
    ) -> tuple[tuple[Answer, Color | None], bool]:
        """Return the answer and who gave it, and whether it is the last of the stream."""
        own = {_SLOT: slot.value} if slot else {}
        body = None if question.body is None else question.body.encode()
        message = Message(
            question.method, question.path, {**_USUAL, **_lower(question.headers), **own}, body
        )
        limit_s = question.timeout_s
        began = time.monotonic()
        reply = ask(stream, message, timeout_s=limit_s, at_most=_MAX_BYTES, within_s=limit_s)
        seconds = time.monotonic() - began
        if _SLOT not in reply.headers:
            nobody = Answer(0, "nothing listens on the application's port")
            return (nobody, None), reply.is_last
        text = reply.body.decode(errors="replace")
        answer = Answer(reply.status, text, reply.headers, seconds)
        return (answer, Color(reply.headers[_SLOT])), reply.is_last


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
