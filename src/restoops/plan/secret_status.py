"""Where each secret of an environment is, since when, and what is to be done about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum

from restoops.model import Placed, Value
from restoops.plan.env_template import Variable


class Standing(Enum):
    """What a place has of a secret."""

    CURRENT = "current"
    BEHIND = "behind"
    """It has another value than the source."""
    UNKNOWN = "unknown"
    """Somebody else put it there, or releases there differ."""
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Copy:
    """A secret in one place."""

    place: str
    standing: Standing
    since: str
    """When the value that is there was put there; empty when nobody knows."""


@dataclass(frozen=True, slots=True)
class SecretState:
    """One secret in all places."""

    name: str
    since: str
    """When the value of today was first put anywhere; empty when it is nowhere yet."""
    rotate_by: str
    """The day it is due; empty without a schedule, or as long as it is nowhere."""
    is_due: bool
    copies: tuple[Copy, ...]

    @property
    def is_everywhere(self) -> bool:
        """Whether each place that was asked has the value of the source."""
        return all(it.standing is Standing.CURRENT for it in self.copies)


@dataclass(frozen=True, slots=True)
class SecretsStatus:
    """The secrets of an environment, in all places that were asked."""

    environment: str
    source: str
    secrets: tuple[SecretState, ...]
    failed: Mapping[str, str]
    """Places that could not be asked, and why."""

    @property
    def behind(self) -> tuple[str, ...]:
        """The places that do not have all that is current, in the order of their names."""
        copies = (copy for it in self.secrets for copy in it.copies)
        return tuple(sorted({it.place for it in copies if it.standing is not Standing.CURRENT}))

    @property
    def due(self) -> tuple[str, ...]:
        """The names that are to be rotated."""
        return tuple(it.name for it in self.secrets if it.is_due)


def state_of(
    variable: Variable, value: Value, places: Mapping[str, Mapping[str, Placed]], now: str
) -> SecretState:
    """Return what is known of a secret; `now` is UTC, as ISO 8601."""
    copies = tuple(_copy(place, value, has.get(variable.name)) for place, has in places.items())
    ages = [it.since for it in copies if it.standing is Standing.CURRENT and it.since]
    since = min(ages, default="")
    by = _day(since, variable.rotate_d)
    return SecretState(variable.name, since, by, bool(by) and by <= now[:10], copies)


def states_of(
    variables: Sequence[Variable],
    values: Mapping[str, Value],
    places: Mapping[str, Mapping[str, Placed]],
    now: str,
) -> tuple[SecretState, ...]:
    """Return what is known of all secrets that have a value, in the order of the template."""
    named = [it for it in variables if it.name in values]
    return tuple(state_of(it, values[it.name], places, now) for it in named)


def _copy(place: str, value: Value, there: Placed | None) -> Copy:
    if there is None:
        return Copy(place, Standing.MISSING, "")
    if not there.fingerprint:
        return Copy(place, Standing.UNKNOWN, there.since)
    is_same = there.fingerprint == value.fingerprint
    return Copy(place, Standing.CURRENT if is_same else Standing.BEHIND, there.since)


def _day(since: str, days: int) -> str:
    if not days:
        return ""
    try:
        end = datetime.fromisoformat(since).astimezone(UTC) + timedelta(days)
        return end.date().isoformat()
    except (ValueError, OverflowError):  # nobody knows since when
        return ""
