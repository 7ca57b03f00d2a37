"""Questions to a release, asked through HAProxy's own socket for that."""

from __future__ import annotations

import http.client
from collections.abc import Callable

from restoops.adapters.connection import Stream
from restoops.errors import Unreachable
from restoops.model import Answer, Color

_SLOT = "x-restoops-slot"


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
        try:
            return self._ask(path, slot, timeout_s)
        except (OSError, EOFError, http.client.HTTPException, Unreachable) as error:
            self.close()
            return Answer(0, str(error) or type(error).__name__), None

    def _ask(self, path: str, slot: Color | None, timeout_s: float) -> tuple[Answer, Color | None]:
        self.connect()
        assert self._connection  # noqa: S101  connect() has made it
        self._connection.sock.settimeout(timeout_s)
        headers = {_SLOT: slot.value} if slot else {}
        self._connection.request("GET", path, headers=headers)
        response = self._connection.getresponse()
        text = response.read(65536).decode(errors="replace")
        answered = response.headers.get(_SLOT)
        if response.will_close or not response.isclosed():
            self.close()
        if answered is None:
            return Answer(0, "nothing listens on the application's port"), None
        return Answer(response.status, text), Color(answered)
