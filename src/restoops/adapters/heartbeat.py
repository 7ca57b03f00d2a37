"""Signs of life to many hosts, in turn: a thread for each would be as many threads more.

One that hangs keeps no other waiting: it is left with the thread that gives it, and the others go
on with a new one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

EVERY_S = 2.5
_PATIENCE_S = 0.1


class Pulse:
    """Signs of life to one host, until `stop`, or until giving one raises OSError."""

    def __init__(self, beat: Callable[[], object]) -> None:
        self.is_over = False
        self._beat = beat
        self._giving = threading.Lock()

    def stop(self) -> None:
        """Give no more; none is on its way when this returns."""
        self.is_over = True
        with self._giving:
            pass

    def give(self) -> None:
        """Give one sign."""
        with self._giving:
            if not self.is_over:
                try:
                    self._beat()
                except OSError:
                    self.is_over = True

    @property
    def hangs(self) -> bool:
        """Whether a sign is on its way that has not been given yet."""
        return self._giving.locked()


class Heart:
    """Gives signs of life to all hosts every so many seconds, as long as there are any."""

    def __init__(self, every_s: float = EVERY_S) -> None:
        self._every_s = every_s
        self.forget()

    def forget(self) -> None:
        """Begin anew, in a copy of the process: thread and connections are those of the other."""
        self._pulses: list[Pulse] = []
        self._changing = threading.Lock()
        self._is_beating = False

    def begin(self, beat: Callable[[], object]) -> Pulse:
        """Call `beat` from now on."""
        pulse = Pulse(beat)
        with self._changing:
            self._pulses.append(pulse)
            if not self._is_beating:
                self._is_beating = True
                threading.Thread(target=self._run, name="heart", daemon=True).start()
        return pulse

    def _run(self) -> None:
        hand, pause = _Hand(), threading.Event()
        while pulses := self._living():
            for pulse in pulses:
                if not pulse.hangs and not hand.gives(pulse):
                    hand.let_go()
                    hand = _Hand()
            pause.wait(self._every_s)
        hand.let_go()

    def _living(self) -> list[Pulse]:
        with self._changing:
            self._pulses = [pulse for pulse in self._pulses if not pulse.is_over]
            self._is_beating = bool(self._pulses)
            return self._pulses


class _Hand:
    """A thread that gives signs of life."""

    def __init__(self) -> None:
        self._orders = SimpleQueue[Pulse | None]()
        self._given = SimpleQueue[Pulse]()
        threading.Thread(target=self._run, name="heartbeat", daemon=True).start()

    def gives(self, pulse: Pulse) -> bool:
        """Give a sign; return whether that is done, and has not begun to hang."""
        self._orders.put(pulse)
        try:
            self._given.get(timeout=_PATIENCE_S)
        except Empty:
            return False
        return True

    def let_go(self) -> None:
        """End the thread once it has done what it is at."""
        self._orders.put(None)

    def _run(self) -> None:
        while pulse := self._orders.get():
            pulse.give()
            self._given.put(pulse)
