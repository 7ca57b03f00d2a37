"""How a host in memory breaks in the midst of a run."""

from __future__ import annotations

from dataclasses import dataclass


class Died(BaseException):
    """SIGKILL: nothing that would have come after this happens."""


@dataclass(frozen=True, slots=True)
class Breakage:
    """What happens instead of the `at`th change to the host, counted from 1."""

    at: int
    error: BaseException
    for_good: bool = False
    """Whether every later call ends the same way, as when the connection is lost."""
