"""What the second process of a large fleet does: lead its hosts as the first one says.

It decides nothing, prints nothing and heeds no signal. It ends at once when the first process has
ended, or gives no sign of life for as long as a host would wait for one: a process that was killed
or is frozen holds no lock through another.
"""

from __future__ import annotations

import contextlib
import os
import threading
import traceback
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from queue import SimpleQueue

from restoops.adapters.connection import LEASE_S
from restoops.errors import RestoopsError
from restoops.flows.background import in_background
from restoops.flows.deputy_talk import (
    THE_RUN,
    Beat,
    Begin,
    Call,
    End,
    Fault,
    Leave,
    Noted,
    Outbox,
    Reply,
    Secrets,
    SecretsWanted,
    Told,
    opened,
)
from restoops.flows.interrupt import Interrupt
from restoops.flows.part import Part
from restoops.handover import Handed
from restoops.report.events import Event


class FirstProcess:
    """The first process, as the second one sees it."""

    def __init__(
        self,
        pipe: Connection,
        *,
        silence_s: float = LEASE_S,
        end: Callable[[], object] = lambda: os._exit(1),
    ) -> None:
        """Know it by its `pipe`; call `end` when it has ended, or was silent for too long."""
        self.interrupt: Interrupt = _Noting(self)
        """Asked when the run is to end."""
        self._pipe = pipe
        self._silence_s = silence_s
        self._end = end
        self._outbox = Outbox(pipe)
        self._asking = threading.Lock()
        self._orders = SimpleQueue[Begin | Call | Leave]()
        self._secrets = SimpleQueue[Secrets]()
        self._handed: Handed | None = None
        self._ends: dict[int, Interrupt] = {THE_RUN: self.interrupt}
        threading.Thread(target=self._listen, name="first process", daemon=True).start()

    def say(self, message: object) -> None:
        """Tell it something; once it has ended, nobody."""
        self._outbox.put(message)

    def close(self) -> None:
        """See all said."""
        self._outbox.close()

    def tell(self, event: Event) -> None:
        """Tell it what happens."""
        self.say(Told(event))

    def begin(self) -> Begin | Leave:
        """Wait until the run begins, or is over before it has."""
        order = self._orders.get()
        assert not isinstance(order, Call)  # noqa: S101  what is called has begun
        return order

    def secrets(self) -> Handed:
        """Return what releases are given, which the first process reads once for all hosts.

        Raises:
            RestoopsError: it cannot be read.
        """
        with self._asking:
            if self._handed is None:
                self.say(SecretsWanted())
                handed = self._secrets.get().handed
                if isinstance(handed, RestoopsError):
                    raise handed
                self._handed = handed
            return self._handed

    def serve(self, parts: Mapping[str, Part]) -> None:
        """Do what is called on `parts`, by the names of their hosts, until the run is over."""
        while isinstance(order := self._orders.get(), Call):
            self._begin(order, parts[order.host])

    def _begin(self, call: Call, part: Part) -> None:
        arguments = dict(call.arguments)
        if call.ends:
            arguments["interrupt"] = self._ends[call.number]
        in_background(lambda: self._answer(call, part, arguments))

    def _answer(self, call: Call, part: Part, arguments: dict[str, object]) -> None:
        value: object = None
        error: RestoopsError | Fault | None = None
        try:
            value = getattr(part, call.method)(**arguments)
        except RestoopsError as known:
            error = known
        except BaseException:  # noqa: BLE001  raised again where it was called
            error = Fault(traceback.format_exc())
        self._ends.pop(call.number, None)
        try:
            self.say(Reply(call.number, part.standing, value, error))
        except Exception:  # noqa: BLE001  what cannot be told is a fault as well
            self.say(Reply(call.number, part.standing, None, Fault(traceback.format_exc())))

    def _listen(self) -> None:
        try:
            with contextlib.suppress(EOFError, OSError):
                while self._pipe.poll(self._silence_s):
                    for message in opened(self._pipe.recv()):
                        self._take_in(message)
        finally:
            self._orders.put(Leave())
            self._outbox.end()
            self._end()

    def _take_in(self, message: object) -> None:
        match message:
            case Call(number, ends=True):
                # Made here: its end can be asked for before it has begun.
                self._ends[number] = Interrupt(self.interrupt)
                self._orders.put(message)
            case Begin() | Call() | Leave():
                self._orders.put(message)
            case End(number):
                if interrupt := self._ends.get(number):
                    interrupt.ask()
            case Secrets():
                self._secrets.put(message)
            case Beat():
                self.say(message)


class _Noting(Interrupt):
    """Lets the first process know what has been changed, too."""

    def __init__(self, first: FirstProcess) -> None:
        super().__init__()
        self._first = first

    def note(self, so_far: str) -> None:
        super().note(so_far)
        self._first.say(Noted(so_far))
