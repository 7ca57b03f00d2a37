"""A program on a host that asks its proxy as a client would, until it is closed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from restoops.adapters.connection import Connection, Stream, script

_PATIENCE_S = 3600
"""A host may take long to begin: its silence must not end the run, which has limits of its own."""
_CHUNK_BYTES = 65536
_MOST_UNREAD_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Seen:
    """One request, by the clock of the host."""

    after_s: float
    """Seconds since the program began."""
    ms: float
    status: int


@dataclass(frozen=True, slots=True)
class Asking:
    """What is asked for, and how often."""

    port: int
    path: str
    every_s: float
    answer_timeout_s: float

    def as_arguments(self) -> list[str]:
        """Return what the script is told."""
        return [str(self.port), self.path, f"{self.every_s:.3f}", f"{self.answer_timeout_s:.3f}"]


class Sampler:
    """Hands over what comes; it runs on the host, so that nothing here makes an answer slow."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    @classmethod
    def started(cls, connection: Connection, asking: Asking) -> Sampler:
        """Start it on the host.

        Raises:
            Unreachable: the connection was lost, or sshd refuses another session.
        """
        argv = [*script("sample"), *asking.as_arguments()]
        stream = connection.start(argv, within_s=_PATIENCE_S)
        # A silence must not count as a connection that is lost: that would end the run.
        stream.settimeout(None)
        return cls(stream)

    def __iter__(self) -> Iterator[Seen | None]:
        """Yield None when the program has begun, then each request, until it has ended.

        What a login shell has to say before that is passed over; a host whose bash has no clock
        (before 5.0) has nothing to say at all.
        """
        began = 0
        for line in self._lines():
            words = line.split()
            if not all(word.isascii() and word.isdigit() for word in words):
                continue
            numbers = [int(word) for word in words]
            if len(numbers) == 1 and not began:
                began = numbers[0]
                yield None
            elif len(numbers) == 3 and began:
                start, end, status = numbers
                # The clock of the host may be set meanwhile.
                yield Seen(max(0, start - began) / 1e6, max(0, end - start) / 1000, status)

    def close(self) -> None:
        """End the program; it is told by the end of its input."""
        self._stream.close()

    def _lines(self) -> Iterator[str]:
        unread = b""
        while part := self._stream.recv(_CHUNK_BYTES):
            *lines, unread = (unread + part).split(b"\n")
            yield from (line.decode(errors="replace") for line in lines)
            if len(unread) > _MOST_UNREAD_BYTES:
                return
