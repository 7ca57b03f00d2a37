"""What flows tell while they work; each renderer makes its own of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from restoops.errors import RestoopsError
from restoops.model import OpenRun, Release, RunKind
from restoops.plan.fleet import Ending, HostResult
from restoops.plan.probe import Sample
from restoops.plan.smoke import Result
from restoops.plan.steps import Step


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run knows what it is to make live."""

    kind: RunKind
    environment: str
    release: Release
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Planned:
    """What will be done on a host; no steps when the release serves there already."""

    host: str
    previous: Release | None
    steps: tuple[Step, ...]
    dry_run: bool


@dataclass(frozen=True, slots=True)
class Batches:
    """Hosts switch, or in a dry run would switch, in these batches and not all at once."""

    hosts: tuple[tuple[str, ...], ...]
    """The hosts of each batch."""
    pause_s: float
    """Seconds between two batches."""
    dry_run: bool


@dataclass(frozen=True, slots=True)
class PublicChecks:
    """The public address is asked once after the switch, or in a dry run would be."""

    url: str
    checks: tuple[str, ...]
    """Names of the smoke checks."""
    dry_run: bool


@dataclass(frozen=True, slots=True)
class PublicChecked:
    """What came of a smoke check at the public address."""

    url: str
    result: Result
    excuse: str = ""
    """Why it is not held against the new release; empty when it passed or is."""


@dataclass(frozen=True, slots=True)
class BatchStarted:
    """The switch of a batch begins."""

    number: int
    """From 1."""
    of: int
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pausing:
    """The pause before a batch begins."""

    seconds: float
    number: int
    """The batch that comes next."""
    of: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """Another run holds the lock of a host, and this one waits for it."""

    host: str
    holder: str


@dataclass(frozen=True, slots=True)
class Preempting:
    """Another run holds the lock of a host, and is ended so that this one goes first."""

    host: str
    holder: str


@dataclass(frozen=True, slots=True)
class AskingAgain:
    """What the operator agreed to is not what would be done any more: the question comes again."""

    release: Release
    previous: Release | None


@dataclass(frozen=True, slots=True)
class Recovering:
    """An earlier run was cut off on a host and is put right first."""

    host: str
    run: OpenRun
    finishes: bool


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A step has begun."""

    host: str
    step: Step


@dataclass(frozen=True, slots=True)
class Progress:
    """A long step has something to say."""

    host: str
    step: Step
    text: str


@dataclass(frozen=True, slots=True)
class StepEnded:
    """A step is done; `note` says what is worth knowing about it."""

    host: str
    step: Step
    seconds: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class StepBroken:
    """A step did not succeed; what follows puts the host right."""

    host: str
    step: Step
    reason: str


@dataclass(frozen=True, slots=True)
class Output:
    """A line of the release command or of a hook."""

    source: str
    """The host, or the name of the hook."""
    line: str


@dataclass(frozen=True, slots=True)
class Stopping:
    """A signal or a deadline ends the run; hosts that are silent for so long are given up."""

    silence_s: float


@dataclass(frozen=True, slots=True)
class PuttingRight:
    """A run failed or was interrupted: the steps that follow undo it, or finish it."""

    host: str


@dataclass(frozen=True, slots=True)
class Probed:
    """What a probe met with that asked hosts as a client would, from the switch until now."""

    started_at: str
    path: str
    hosts: tuple[str, ...]
    """Those that were asked."""
    requests: int
    failed: int
    """Requests without an answer, or with one of 5xx."""
    p50_ms: float | None
    """Milliseconds within which half of the answers came; nothing when none came."""
    p99_ms: float | None
    slowest_ms: float | None
    samples: tuple[Sample, ...]
    """Each request; of more than 2,000, the failed ones and every so many others."""


@dataclass(frozen=True, slots=True)
class RunEnded:
    """The release serves on the host, since now or already before."""

    kind: RunKind
    environment: str
    host: str
    release: Release
    previous: Release | None
    seconds: float
    changed: bool
    dry_run: bool
    cut: int
    """Requests that were still running when the drain came to its deadline."""
    warm_s: int
    """Seconds that the previous release stays warm; 0 when it does not."""
    undone: Release | None = None
    """The release of a deploy that had been cut off and was undone first."""
    requests: int = 0
    """Requests of the probe; 0 when none was sent."""
    failed: int = 0
    """How many of them failed."""


@dataclass(frozen=True, slots=True)
class FleetEnded:
    """A run on several hosts is over, for better or worse: what each of them serves now."""

    kind: RunKind
    environment: str
    release: Release
    hosts: tuple[HostResult, ...]
    seconds: float
    dry_run: bool
    cut: int
    """Requests that were still running when drains came to their deadline."""
    undone: Release | None = None
    """The release of a deploy that had been cut off and was undone first."""
    requests: int = 0
    """Requests of the probe; 0 when none was sent."""
    failed: int = 0
    """How many of them failed."""

    @property
    def changed(self) -> bool:
        """Whether this run has moved traffic to the release on a host, where it still is."""
        moved = (Ending.DONE, Ending.FINISHED)
        return not self.dry_run and any(it.ending in moved for it in self.hosts)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A run on some hosts of an environment went well, and others of it serve something else."""

    environment: str
    hosts: Mapping[str, Release | None]
    """What those that differ serve."""
    unreached: tuple[str, ...]
    """Those that could not be asked."""


Event = (
    RunStarted
    | Planned
    | Batches
    | PublicChecks
    | PublicChecked
    | BatchStarted
    | Pausing
    | Waiting
    | Preempting
    | AskingAgain
    | Recovering
    | StepStarted
    | Progress
    | StepEnded
    | StepBroken
    | Output
    | Stopping
    | PuttingRight
    | Probed
    | RunEnded
    | FleetEnded
    | Elsewhere
)
Tell = Callable[[Event], None]


class Reporter(Protocol):
    """Prints what a command has to say."""

    def tell(self, event: Event) -> None:
        """Print one event."""

    def error(self, error: RestoopsError) -> None:
        """Print the error that ended the command."""

    def close(self) -> None:
        """Leave the terminal tidy."""
