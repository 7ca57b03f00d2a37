"""What the two processes that lead a large fleet say to each other; see `deputy` and `deputing`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from restoops.errors import RestoopsError
from restoops.flows.part import Standing
from restoops.flows.session import Request
from restoops.handover import Handed
from restoops.plan.bluegreen import Wishes
from restoops.report.events import Event

THE_RUN = 0
"""Stands for the whole run where a call is named."""


@dataclass(frozen=True, slots=True)
class Beat:
    """The first process is there."""


@dataclass(frozen=True, slots=True)
class End:
    """Somebody asked for an end of a call, or of `THE_RUN`."""

    call: int


@dataclass(frozen=True, slots=True)
class Begin:
    """What the run is."""

    request: Request
    wishes: Wishes


@dataclass(frozen=True, slots=True)
class Call:
    """What is to be done with a host."""

    number: int
    host: str
    method: str
    arguments: Mapping[str, Any]
    ends: bool
    """Whether it takes an `Interrupt`."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What releases are given, or why it cannot be read."""

    handed: Handed | RestoopsError


@dataclass(frozen=True, slots=True)
class Leave:
    """The run is over."""


@dataclass(frozen=True, slots=True)
class Reached:
    """The hosts that were reached, and why the others were not."""

    hosts: tuple[str, ...]
    absent: Mapping[str, RestoopsError]


@dataclass(frozen=True, slots=True)
class Told:
    """Something happened."""

    event: Event


@dataclass(frozen=True, slots=True)
class Noted:
    """What has been changed so far; see `Interrupt.note`."""

    so_far: str


@dataclass(frozen=True, slots=True)
class SecretsWanted:
    """A release is to be given secrets."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of restoops itself, with its traceback."""

    text: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of a call."""

    call: int
    standing: Standing
    value: Any = None
    error: RestoopsError | Fault | None = None
