"""Signals, honoured between steps and during waits."""

from __future__ import annotations

import threading

from restoops.errors import Interrupted


class Interrupt:
    """Set once by the first SIGINT or SIGTERM; `check` then ends what is being waited for."""

    def __init__(self) -> None:
        self._asked = threading.Event()

    def ask(self) -> None:
        """Ask for the run to be ended at the next safe moment."""
        self._asked.set()

    def check(self) -> None:
        """Go on, or end here.

        Raises:
            Interrupted: somebody asked for it.
        """
        if self._asked.is_set():
            raise Interrupted("interrupted; nothing was changed")
