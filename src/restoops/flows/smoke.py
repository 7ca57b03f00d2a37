"""Put smoke checks to whoever answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from restoops.model import Answer, Question
from restoops.plan.smoke import Check, Result, judge

_INTERVAL_S = 0.5


@dataclass(frozen=True, slots=True)
class SmokeSettings:
    """The smoke checks of an environment."""

    checks: tuple[Check, ...] = ()
    attempts: int = 1

    def named(self, names: Iterable[str]) -> tuple[Check, ...]:
        """Return the checks of these names, in the order of the settings."""
        wanted = set(names)
        return tuple(check for check in self.checks if check.name in wanted)


def put(
    check: Check,
    ask: Callable[[Question], Answer],
    attempts: int,
    pause: Callable[[float], None],
) -> Result:
    """Ask until the answer is as it should be, `attempts` times at most; return the last result.

    A question that may change something is asked once.
    """
    for left in range(attempts if check.may_be_repeated else 1, 0, -1):
        result = judge(check, ask(check.question))
        if result.passed or left == 1:
            return result
        pause(_INTERVAL_S)
    raise AssertionError("at least one attempt")
