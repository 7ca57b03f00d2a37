"""Questions to a release, asked through HAProxy's own socket for that."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable

from restoops.adapters.connection import Stream
from restoops.errors import Unreachable
from restoops.model import Answer, Color, Question

_SLOT = "x-restoops-slot"
_MAX_BYTES = 1024 * 1024
"""Of an answer; of a longer one no more is read."""


class Prober:
    """Asks over one kept-alive stream that `dial` makes."""

    def __init__(self, socket_path: str, dial: Callable[[str], Stream]) -> None:
        self._socket = socket_path
        self._dial = dial
        self._connection: http.client.HTTPConnection | None = None

    def connect(self) -> None:
        """Connect ahead of use, so that the way is ready when it is needed."""
        if self._connection is None:
            self._connection = http.client.HTTPConnection("restoops")
            self._connection.sock = self._dial(self._socket)

    def close(self) -> None:
        """Close the stream; the next question opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

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
        try:
            return self._ask(question, slot)
        except (OSError, EOFError, http.client.HTTPException, Unreachable) as error:
            self.close()
            return Answer(0, str(error) or type(error).__name__), None

    def _ask(self, question: Question, slot: Color | None) -> tuple[Answer, Color | None]:
        self.connect()
        assert self._connection  # noqa: S101  connect() has made it
        self._connection.sock.settimeout(question.timeout_s)
        own = {_SLOT: slot.value} if slot else {}
        body = None if question.body is None else question.body.encode()
        began = time.monotonic()
        self._connection.request(question.method, question.path, body, {**question.headers, **own})
        response = self._connection.getresponse()
        text = response.read(_MAX_BYTES).decode(errors="replace")
        seconds = time.monotonic() - began
        headers = {name.lower(): value for name, value in response.headers.items()}
        if response.will_close or not response.isclosed():
            self.close()
        if _SLOT not in headers:
            return Answer(0, "nothing listens on the application's port"), None
        return Answer(response.status, text, headers, seconds), Color(headers[_SLOT])
