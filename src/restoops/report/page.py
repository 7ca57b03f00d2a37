"""What a report shows of a run, whether it was watched or comes out of the history."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from restoops.model import Release
from restoops.report.events import Probed


class Tone(StrEnum):
    """How good the news is; a page never says it by colour alone."""

    GOOD = "done"
    NEUTRAL = "nothing changed"
    WARNING = "look at it"
    BAD = "failed"


class Phase(StrEnum):
    """Which part of a run a step belongs to."""

    PREPARE = "prepare"
    SWITCH = "switch"
    SETTLE = "settle"
    RESTORE = "put right"


@dataclass(frozen=True, slots=True)
class Bar:
    """A step on one host."""

    step: str
    """In words."""
    kind: str
    """As in events: `await_healthy`."""
    phase: Phase
    at_s: float
    """When it began: seconds since the run did."""
    seconds: float
    broken: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class HostPart:
    """What a run did on one host, and how that is left."""

    host: str
    ending: str
    is_good: bool
    serves: Release | None
    error: str = ""
    bars: tuple[Bar, ...] = ()

    @property
    def seconds(self) -> float:
        """From its first step to the end of its last one."""
        return max((it.at_s + it.seconds for it in self.bars), default=0.0)

    @property
    def is_broken(self) -> bool:
        """Whether a step did not succeed."""
        return any(it.broken for it in self.bars)


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a run failed, and what to do now."""

    message: str
    hint: str = ""
    details: str = ""
    """Such as the last lines of a container's log."""
    status: int = 1


@dataclass(frozen=True, slots=True)
class Output:
    """What the release command or a hook printed."""

    source: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A run as a report shows it."""

    run: str
    kind: str
    environment: str
    tone: Tone
    headline: str
    release: Release | None
    previous: tuple[Release, ...]
    """What served before; several where hosts differed."""
    who: str
    origin: str
    started_at: str
    seconds: float
    hosts: tuple[HostPart, ...]
    fault: Fault | None = None
    probed: Probed | None = None
    cut: int = 0
    """Requests that were still running when a drain came to its deadline."""
    output: tuple[Output, ...] = ()
    missing: tuple[str, ...] = ()
    """What is not shown, and why."""
