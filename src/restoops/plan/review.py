"""Whether a saved plan is still what was reviewed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

MAX_AGE_H = 24
"""Hours for which a saved plan counts as reviewed."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What a plan is made from.

    Attributes:
        commit: of the repository; empty outside of one.
        is_clean: whether Terraform's files are as in that commit.
        lineage: which state it is; empty before the first apply.
        serial: how often that state was written.
        at: when, with its time zone.
    """

    commit: str
    is_clean: bool
    lineage: str
    serial: int
    at: datetime


def objections(reviewed: Origin, now: Origin) -> tuple[str, ...]:
    """Return why a plan made from `reviewed` is not to be applied as it is; nothing: it may."""
    return tuple(_objections(reviewed, now))


def _objections(reviewed: Origin, now: Origin) -> Iterator[str]:
    if not reviewed.commit or not now.commit:
        yield "it is not known from which commit it was made"
    elif reviewed.commit != now.commit:
        yield f"it was made at commit {reviewed.commit[:12]}, the code is at {now.commit[:12]}"
    if not reviewed.is_clean:
        yield "it was made from code that was not committed"
    if not now.is_clean:
        yield "the code has changes that are not committed"
    if reviewed.lineage != now.lineage:
        yield "it was made for another state than the one that is there now"
    elif reviewed.serial != now.serial:
        yield f"the state was at serial {reviewed.serial} and is at {now.serial} now"
    age = now.at - reviewed.at
    if age > timedelta(hours=MAX_AGE_H):
        yield f"it is {age.total_seconds() / 3600:.0f} h old, more than {MAX_AGE_H} h"
    elif age < -timedelta(minutes=5):
        yield "it was made in the future: one of the two clocks is wrong"
