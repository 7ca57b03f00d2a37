"""Signals and failures elsewhere, honoured between steps and during waits."""

from __future__ import annotations

import threading

from restoops.adapters.clock import Clock
from restoops.errors import Interrupted, Unreachable

_NOTHING = "nothing was changed"


class Interrupt:
    """Set by SIGINT, SIGTERM or SIGHUP; `check` then ends what is being waited for.

    One below another ends for its own reason as well: a host failed, so the rest is called off.
    """

    def __init__(self, above: Interrupt | None = None, *, known: int = 0) -> None:
        self._asked = threading.Event()
        self._above = above
        self._known = known
        self._times = 0
        self._so_far = _NOTHING

    def anew(self) -> Interrupt:
        """Return one for what is done after an end was asked for: it ends when that comes again."""
        return Interrupt(self, known=self.times)

    @property
    def times(self) -> int:
        """How often somebody asked for an end, here or above."""
        return self._times + (self._above.times - self._known if self._above else 0)

    @property
    def is_asked(self) -> bool:
        """Whether somebody asked for an end, here or above."""
        return self.times > 0

    @property
    def so_far(self) -> str:
        """What a run that ends now has changed, in words."""
        return self._above.so_far if self._above else self._so_far

    def note(self, so_far: str) -> None:
        """Remember what has been changed, so that nobody is told that nothing was."""
        if self._above:
            self._above.note(so_far)
        self._so_far = so_far

    def wait(self) -> None:
        """Wait until somebody asks for an end here; one above does not count."""
        self._asked.wait()

    def ask(self) -> None:
        """Ask for the run to be ended at the next safe moment."""
        self._times += 1
        self._asked.set()

    def check(self) -> None:
        """Go on, or end here.

        Raises:
            Interrupted: somebody asked for it.
        """
        if self.is_asked:
            raise Interrupted(f"interrupted; {self.so_far}")


class TimeLimit(Interrupt):
    """Ends what is waited for as one above does, and when its time is over."""

    def __init__(self, seconds: float, clock: Clock, above: Interrupt | None = None) -> None:
        super().__init__(above)
        self._seconds = seconds
        self._clock = clock
        self._until = clock.monotonic() + seconds

    def check(self) -> None:
        """Go on, or end here.

        Raises:
            Interrupted: somebody asked for it.
            Unreachable: the time is over.
        """
        super().check()
        if self._clock.monotonic() >= self._until:
            raise Unreachable(f"no answer within {self._seconds:g} s")
