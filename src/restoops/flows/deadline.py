"""How long a run may work before it is given up."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator


class Deadline:
    """Calls `give_up` when a run has worked for `limit_s` seconds; to be used with `with`.

    What somebody asked to wait for does not count, and once `end` was called nothing does.
    """

    def __init__(self, limit_s: float, give_up: Callable[[], None]) -> None:
        self.limit_s = limit_s
        self.has_passed = False
        self._give_up = give_up
        self._left_s = limit_s
        self._since = 0.0
        self._timer: threading.Timer | None = None
        self._deciding = threading.Lock()

    def __enter__(self) -> Deadline:
        self._go_on()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """Let it come to nothing from here on; it may have passed by now."""
        with self._deciding:
            timer, self._timer = self._timer, None
        if timer:
            timer.cancel()
            self._left_s -= time.monotonic() - self._since

    @contextlib.contextmanager
    def suspended(self) -> Iterator[None]:
        """Do not count what is done in the block."""
        self.end()
        yield
        self._go_on()

    def _go_on(self) -> None:
        self._since = time.monotonic()
        self._timer = threading.Timer(max(0.0, self._left_s), self._pass)
        self._timer.daemon = True
        self._timer.start()

    def _pass(self) -> None:
        with self._deciding:
            if self._timer is None:
                return
            self.has_passed = True
        self._give_up()
