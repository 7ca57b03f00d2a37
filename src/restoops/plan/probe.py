"""What a probe met with while a run was on: how often it asks, and its figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MOST_SAMPLES = 2000
"""Answers that are told one by one; of more than that, the failed ones and every so many others."""
_MOST_IN_ALL = 50
"""Requests a second, of all hosts together."""
_SLOWEST = 1
"""Requests a second below which a host is not asked at all: that many would tell nothing."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One request of the probe."""

    host: str
    at_s: float
    """When it began: seconds since the probe began."""
    ms: float
    """Milliseconds until its answer had come whole, or it was given up."""
    status: int
    """Status of the answer; 0 when there was none."""

    @property
    def failed(self) -> bool:
        """Whether it failed, as clients would say: no answer, or one of 5xx."""
        return self.status == 0 or self.status >= 500


def pace(rate: float, hosts: int) -> tuple[int, float]:
    """Return how many of `hosts` to ask, and every how many seconds each.

    `rate` is how many requests a second a host may get; 0 asks none.
    """
    if not rate or not hosts:
        return 0, 0.0
    asked = min(hosts, _MOST_IN_ALL // _SLOWEST)
    return asked, 1 / min(rate, _MOST_IN_ALL / asked)


def thinned(samples: Sequence[Sample], most: int = MOST_SAMPLES) -> tuple[Sample, ...]:
    """Return at most `most` of `samples`, in their order; the failed ones go last of all."""
    failed = [number for number, it in enumerate(samples) if it.failed]
    good = [number for number, it in enumerate(samples) if not it.failed]
    kept = _spread(failed, most)
    kept += _spread(good, most - len(kept))
    return tuple(samples[number] for number in sorted(kept))


def percentile(sorted_ms: Sequence[float], share: float) -> float | None:
    """Return the time within which `share` (0 to 1) of the answers came; None without any."""
    if not sorted_ms:
        return None
    return sorted_ms[min(len(sorted_ms) - 1, int(len(sorted_ms) * share))]


def _spread(numbers: list[int], most: int) -> list[int]:
    """Return at most `most` of `numbers`, evenly spread."""
    if len(numbers) <= most:
        return numbers
    return [numbers[place * len(numbers) // most] for place in range(most)]
