"""Signals and failures elsewhere, honoured between steps and during waits."""

from __future__ import annotations

import threading

from restoops.errors import Interrupted


class Interrupt:
    """Set once by the first SIGINT or SIGTERM; `check` then ends what is being waited for.

    One below another ends for its own reason as well: a host failed, so the rest is called off.
    """

    def __init__(self, above: Interrupt | None = None) -> None:
        self._asked = threading.Event()
        self._above = above

    @property
    def is_asked(self) -> bool:
        """Whether somebody asked for an end, here or above."""
        return self._asked.is_set() or (self._above is not None and self._above.is_asked)

    def wait(self) -> None:
        """Wait until somebody asks for an end here; one above does not count."""
        self._asked.wait()

    def ask(self) -> None:
        """Ask for the run to be ended at the next safe moment."""
        self._asked.set()

    def check(self) -> None:
        """Go on, or end here.

        Raises:
            Interrupted: somebody asked for it.
        """
        if self.is_asked:
            raise Interrupted("interrupted; nothing was changed")
