"""What a run over a fleet is made with, and how what goes wrong in it is told."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field
from typing import Any

from restoops.adapters.clock import Clock
from restoops.errors import Interrupted, NeedsAttention, RestoopsError
from restoops.flows.interrupt import Interrupt
from restoops.flows.outside import Outside
from restoops.plan.fleet import Policy
from restoops.report.events import Tell

_NAMED = 3
"""Failures that an error tells in full, beside the gravest."""


@dataclass(frozen=True, slots=True)
class Rollout:
    """How a fleet moves from one release to the next."""

    policy: Policy = field(default_factory=Policy)
    parallel: int = 100
    """Hosts that are worked on at once."""
    batch: str = "100%"
    """How many hosts switch at once."""
    pause_s: float = 0
    """Seconds between two batches."""
    deadline_s: float = 1800
    """Seconds until the last hosts switch, after which the run is given up and undone; pauses
    between batches do not count."""
    command: tuple[str, ...] = ()
    """Run once in a deploy, on one host, in the new image, before the switch."""
    command_timeout_s: float = 600


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a run is told through, ended by, timed with, and goes without."""

    tell: Tell
    interrupt: Interrupt
    clock: Clock
    absent: Mapping[str, RestoopsError] = field(default_factory=dict)
    """Hosts that could not be reached, which the policy can do without."""
    outside: Outside = field(default_factory=Outside)


def gravest(failed: Mapping[Any, RestoopsError]) -> RestoopsError:
    """Return the error to show: no mere consequence of another, and all hosts that it hit."""
    errors = [error for error in failed.values() if not isinstance(error, Interrupted)]
    if not errors:
        return next(iter(failed.values()))
    worst = max(errors, key=lambda error: (error.status == NeedsAttention.status, error.status))
    others = [error.message for error in errors if error is not worst]
    if not others:
        return worst
    shown = copy(worst)
    more = f"; and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
    shown.message = "; ".join((worst.message, *others[:_NAMED])) + more
    return shown
