"""Whether a release that has just gone live does as well as the one before it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from restoops.model import Counts


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a new release is watched, and what is held against it.

    Attributes:
        for_s: seconds.
        max_error_rate: how much larger the share of failed requests may be than before, 0 to 1.
        min_requests: fewer tell nothing.
    """

    for_s: float
    max_error_rate: float
    min_requests: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What clients met with while a release was watched, and with the release before it."""

    new: Counts
    old: Counts

    def __str__(self) -> str:
        return f"{self.new}; of the release before: {self.old}"


class Verdict(StrEnum):
    """What figures say about a release."""

    GOOD = "good"
    ERRS = "errs"
    TOO_FEW = "too few requests to tell"


def judge(figures: Figures, limits: Limits) -> Verdict:
    """Return what the figures say; a release is not blamed for what the one before did as well."""
    if figures.new.requests < limits.min_requests:
        return Verdict.TOO_FEW
    worse = figures.new.rate - figures.old.rate
    return Verdict.ERRS if worse > limits.max_error_rate else Verdict.GOOD


def baseline(at_start: Counts, at_switch: Counts, limits: Limits) -> Counts:
    """Return how the release before did: lately, or since HAProxy runs when that is too little."""
    lately = at_switch.since(at_start)
    return lately if lately.requests >= limits.min_requests else at_switch


def total(figures: Iterable[Figures]) -> Figures:
    """Return the figures of all hosts together."""
    found = list(figures)
    none = Counts()
    return Figures(sum((it.new for it in found), none), sum((it.old for it in found), none))
