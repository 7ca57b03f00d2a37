"""What it takes that a place has the current values of an environment's secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from restoops.model import Placed, Value


class Act(Enum):
    """What is done with a secret in a place."""

    ADD = "add"
    REPLACE = "replace"
    KEEP = "keep"
    """It has the current value."""
    LATER = "with the next deploy"
    """What is there now has no room for a name that it does not know."""


@dataclass(frozen=True, slots=True)
class Move:
    """One secret in one place."""

    name: str
    act: Act
    since: str = ""
    """When the value that was found there was put there; empty when nobody knows."""


@dataclass(frozen=True, slots=True)
class SinkPush:
    """What was done, or in a dry run would be, in one place."""

    sink: str
    moves: tuple[Move, ...]
    error: str = ""
    """Why it was not."""
    note: str = ""
    """What to know of a new value there, such as when it is seen."""

    @property
    def changes(self) -> tuple[str, ...]:
        """The names whose value has to be put there."""
        return tuple(it.name for it in self.moves if it.act in (Act.ADD, Act.REPLACE))


@dataclass(frozen=True, slots=True)
class SecretsPushed:
    """The result of `secrets push`."""

    environment: str
    source: str
    dry_run: bool
    sinks: tuple[SinkPush, ...]


def plan_push(
    sink: str, wanted: Mapping[str, Value], placed: Mapping[str, Placed], *, takes_new: bool
) -> SinkPush:
    """Return what has to be done in `sink`, in the order of the names.

    A value of which the sink has no fingerprint is replaced: nobody knows whether it is current.
    """

    def move(name: str) -> Move:
        there = placed.get(name)
        if there is None:
            return Move(name, Act.ADD if takes_new else Act.LATER)
        is_same = there.fingerprint == wanted[name].fingerprint
        return Move(name, Act.KEEP if is_same else Act.REPLACE, there.since)

    return SinkPush(sink, tuple(move(name) for name in sorted(wanted)))
