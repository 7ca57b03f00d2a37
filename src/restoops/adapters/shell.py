"""Our shell scripts on a host, over one session that stays.

In a session of its own each would cost a dozen packets and a shell, six times in each deploy.
"""

from __future__ import annotations

import os
import re
import shlex
import threading

from restoops.adapters.connection import Connection, Stream, no_shell, script, text_of
from restoops.adapters.process import failure

_SCRIPTS = ("read", "write", "retire", "secrets")
_CHUNK_BYTES = 65536
_STATUS_BYTES = 6


class Shell:
    """Runs one script at a time, whichever thread asks."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._stream: Stream | None = None
        self._word = os.urandom(16).hex()
        self._end = re.compile(rb"\n%s (\d+)\n" % self._word.encode())
        self._ahead = b""
        self._one_at_a_time = threading.Lock()

    def run(self, name: str, *arguments: str, stdin: bytes = b"") -> bytes:
        """Run a script to its end and return what it printed, to either output.

        `stdin` is all that it reads: the next call is read on from there.

        Raises:
            CommandFailed: it ended with a status other than 0.
            Unreachable: the connection was lost, or the host has no bash.
        """
        return self._call(["run", name, *arguments], stdin)

    def detach(self, name: str, *arguments: str) -> None:
        """Start a script that goes on when the connection has ended."""
        self._call(["detach", name, *arguments], b"")

    def close(self) -> None:
        """End the session; the next call begins another."""
        stream, self._stream = self._stream, None
        if stream:
            stream.close()

    def _call(self, words: list[str], stdin: bytes) -> bytes:
        with self._one_at_a_time:
            try:
                said, status = self._exchange(shlex.join(words).encode() + b"\n" + stdin)
            except BaseException:
                # What comes next over it could be the answer to this call.
                self.close()
                raise
        if status:
            self.close()  # serve.sh ends then, too
            raise failure([f"{self._connection.host}: {words[1]}"], status, said)
        return said

    def _exchange(self, call: bytes) -> tuple[bytes, int]:
        stream, is_new = self._stream, self._stream is None
        if stream is None:
            texts = [word for name in _SCRIPTS for word in (name, text_of(name))]
            stream = self._connection.start([*script("serve"), self._word, *texts])
            self._stream, self._ahead = stream, b""
        stream.sendall(call)
        if is_new:
            self._answer(stream)  # what the login itself has to say
        return self._answer(stream)

    def _answer(self, stream: Stream) -> tuple[bytes, int]:
        """Return what was said before the next line with our word, and the status in that."""
        said, seen = self._ahead, 0
        while not (end := self._end.search(said, seen)):
            seen = max(0, len(said) - len(self._word) - _STATUS_BYTES)
            part = stream.recv(_CHUNK_BYTES)
            if not part:
                raise no_shell(self._connection.host, said.decode(errors="replace"))
            said += part
        self._ahead = said[end.end() :]
        return said[: end.start()], int(end[1])
