"""Time for tests: none of them waits."""

from __future__ import annotations

import threading


class FakeClock:
    """Time passes when somebody sleeps, and at no other moment."""

    def __init__(self) -> None:
        self.passed = 0.0
        self._passing = threading.Lock()

    def monotonic(self) -> float:
        return self.passed

    def now(self) -> str:
        minutes, seconds = divmod(self.passed, 60)
        return f"2026-01-02T{int(minutes // 60):02}:{int(minutes % 60):02}:{seconds:06.3f}Z"

    def sleep(self, seconds: float) -> None:
        with self._passing:  # hosts of a fleet wait in threads of their own
            self.passed += seconds
