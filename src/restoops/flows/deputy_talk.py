"""What the two processes that lead a large fleet say to each other; see `deputy` and `deputing`."""

from __future__ import annotations

import contextlib
import pickle
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from queue import Empty, SimpleQueue
from typing import Any

from restoops.errors import RestoopsError
from restoops.flows.part import Standing
from restoops.flows.session import Request
from restoops.handover import Handed
from restoops.plan.bluegreen import Wishes
from restoops.report.events import Event

THE_RUN = 0
"""Stands for the whole run where a call is named."""
_GATHER_S = 0.002
"""How long what is said waits for more."""


@dataclass(frozen=True, slots=True)
class Beat:
    """The first process is there; and, as an answer, the second."""


@dataclass(frozen=True, slots=True)
class End:
    """Somebody asked for an end of a call, or of `THE_RUN`."""

    call: int


@dataclass(frozen=True, slots=True)
class Begin:
    """What the run is."""

    request: Request
    wishes: Wishes


@dataclass(frozen=True, slots=True)
class Call:
    """What is to be done with a host."""

    number: int
    host: str
    method: str
    arguments: Mapping[str, Any]
    ends: bool
    """Whether it takes an `Interrupt`."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What releases are given, or why it cannot be read."""

    handed: Handed | RestoopsError


@dataclass(frozen=True, slots=True)
class Leave:
    """The run is over."""


@dataclass(frozen=True, slots=True)
class Reached:
    """The hosts that were reached, and why the others were not."""

    hosts: tuple[str, ...]
    absent: Mapping[str, RestoopsError]


@dataclass(frozen=True, slots=True)
class Told:
    """Something happened."""

    event: Event


@dataclass(frozen=True, slots=True)
class Noted:
    """What has been changed so far; see `Interrupt.note`."""

    so_far: str


@dataclass(frozen=True, slots=True)
class SecretsWanted:
    """A release is to be given secrets."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of restoops itself, with its traceback."""

    text: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of a call."""

    call: int
    standing: Standing
    value: Any = None
    error: RestoopsError | Fault | None = None


class Outbox:
    """What one of them has to say: in parcels, as each takes both of them from their work."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._messages = SimpleQueue[bytes | None]()
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
        self._thread.start()

    def put(self, message: object) -> None:
        """Say something soon; to nobody when the other has ended.

        Raises:
            Exception: it cannot be told to another process, which is a fault of ours.
        """
        self._messages.put(pickle.dumps(message))

    def end(self) -> None:
        """Say nothing more after this."""
        self._messages.put(None)

    def close(self) -> None:
        """See all of it said, and say nothing more."""
        self.end()
        self._thread.join()

    def _run(self) -> None:
        is_open = True
        with contextlib.suppress(OSError):
            while is_open:
                parcel = [self._messages.get()]
                time.sleep(_GATHER_S)
                parcel += _all_of(self._messages)
                is_open = None not in parcel
                self._pipe.send([message for message in parcel if message is not None])


def opened(parcel: list[bytes]) -> Iterator[Any]:
    """Yield what is in a parcel of the other."""
    return map(pickle.loads, parcel)


def _all_of(messages: SimpleQueue[bytes | None]) -> Iterator[bytes | None]:
    with contextlib.suppress(Empty):
        while True:
            yield messages.get_nowait()
