"""A run as it was watched, put together for a report."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from restoops.errors import Interrupted, NeedsAttention, Refused, RestoopsError, UsageError
from restoops.model import Release
from restoops.plan.fleet import Ending, HostResult
from restoops.plan.steps import Step
from restoops.report.events import (
    Event,
    FleetEnded,
    Output,
    Planned,
    Probed,
    PuttingRight,
    Recovering,
    RunEnded,
    RunStarted,
    StepBroken,
    StepEnded,
    StepStarted,
)
from restoops.report.jsonl import snake
from restoops.report.page import Bar, Fault, HostPart, Page, Phase, Tone
from restoops.report.page import Output as Printed
from restoops.report.wording import describe

_LINES = 200
"""Lines of a release command or a hook that are kept."""
_GOOD = (Ending.DONE, Ending.UNCHANGED, Ending.FINISHED)
_SWITCHING = ("Switch", "Verify", "Bake")
_SETTLING = ("Drain", "KeepWarm", "Stop", "Trim", "Forget")


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for, by whom."""

    kind: str
    environment: str
    who: str
    origin: str
    started_at: str
    run: str = ""


@dataclass
class Chronicle:
    """Takes down what a run tells, with the time of each event."""

    asked: Asked
    seconds: Callable[[], float]
    """Seconds since `asked.started_at`."""
    results: tuple[HostResult, ...] = ()
    """What serves on each host; to be set when the run is over."""
    probed: Probed | None = None
    ended: RunEnded | FleetEnded | None = None
    fault: RestoopsError | None = None
    _started: RunStarted | None = None
    _previous: dict[str, Release | None] = field(default_factory=dict)
    _bars: dict[str, list[Bar]] = field(default_factory=dict)
    _names: dict[str, set[str]] = field(default_factory=dict)
    """Kinds of steps that each host has behind it in this run."""
    _began: dict[str, tuple[Step, float]] = field(default_factory=dict)
    _restoring: set[str] = field(default_factory=set)
    _output: dict[str, list[str]] = field(default_factory=dict)

    def tell(self, event: Event) -> None:
        """Take down one event."""
        match event:
            case RunStarted():
                self._started = event
                self._restoring.clear()  # what had to be put right first is in order now
                self._names.clear()
            case Planned(host, previous):
                self._previous[host] = previous
            case PuttingRight(host) | Recovering(host):
                self._restoring.add(host)
            case StepStarted(host, step):
                self._began[host] = step, self.seconds()
            case StepEnded(host, step, seconds, note):
                self._add(host, step, seconds, note)
            case StepBroken(host, step, reason):
                self._add(host, step, None, reason)
            case Output(source, line):
                self._output.setdefault(source, []).append(line)
                del self._output[source][:-_LINES]
            case Probed():
                self.probed = event
            case RunEnded() | FleetEnded():
                self.ended = event
            case _:
                pass

    def page(self) -> Page:
        """Return what a report shows; it can be asked for at any moment."""
        release = self._started.release if self._started else None
        before = [it for it in self._previous.values() if it and it != release]
        return Page(
            run=self.asked.run,
            kind=self.asked.kind,
            environment=self.asked.environment,
            tone=self._tone(),
            headline=self._headline(),
            release=release,
            previous=tuple(dict.fromkeys(before)),
            who=self.asked.who,
            origin=self.asked.origin,
            started_at=self.asked.started_at,
            seconds=round(self.ended.seconds if self.ended else self.seconds(), 2),
            hosts=tuple(self._hosts()),
            fault=_fault(self.fault) if self.fault else None,
            probed=self.probed,
            cut=self.ended.cut if self.ended else 0,
            output=tuple(Printed(name, tuple(lines)) for name, lines in self._output.items()),
            missing=() if self.probed else (self._why_unprobed(),),
        )

    @property
    def is_dry_run(self) -> bool:
        """Whether nothing was to be changed."""
        return self.ended is not None and self.ended.dry_run

    @property
    def is_news(self) -> bool:
        """Whether others want to know: something has changed, or was to change and did not."""
        if isinstance(self.fault, UsageError):
            return False
        if self.fault:
            return self._started is not None or not isinstance(self.fault, Refused)
        return self._has_changed

    def _add(self, host: str, step: Step, seconds: float | None, note: str) -> None:
        begun, at_s = self._began.pop(host, (step, self.seconds()))
        took = self.seconds() - at_s if seconds is None or begun != step else seconds
        name, before = type(step).__name__, self._names.setdefault(host, set())
        bar = Bar(
            step=describe(step),
            kind=snake(name),
            phase=Phase.RESTORE if host in self._restoring else phase_of(name, before),
            at_s=round(at_s, 3),
            seconds=round(took, 3),
            broken=seconds is None,
            note=note,
        )
        before.add(name)
        self._bars.setdefault(host, []).append(bar)

    def _hosts(self) -> Iterable[HostPart]:
        if not self._started and not self._bars:
            return
        for result in self.results:
            yield HostPart(
                host=result.host,
                ending=result.ending.value,
                is_good=result.ending in _GOOD and not result.error,
                serves=result.serves,
                error=result.error,
                bars=tuple(self._bars.get(result.host, ())),
            )

    def _tone(self) -> Tone:
        if self.fault:
            graver = isinstance(self.fault, NeedsAttention | Interrupted)
            return Tone.WARNING if graver else Tone.BAD
        return Tone.GOOD if self._has_changed else Tone.NEUTRAL

    @property
    def _has_changed(self) -> bool:
        return bool(self.ended and self.ended.changed)

    def _headline(self) -> str:
        where = self.asked.environment
        tag = self._started.release.tag if self._started else ""
        if self.fault:
            return _failed(self.asked.kind, tag, where, self.fault)
        if self.is_dry_run:
            return f"Dry run: {tag} would serve on {where}"
        if self._has_changed:
            return f"{tag} serves on {where}"
        return f"{tag} serves on {where} already; nothing moved"

    def _why_unprobed(self) -> str:
        if self.is_dry_run or not self._bars:
            return "No probe was sent: no traffic was moved."
        return (
            "No probe was sent, or none of its requests came to an end in time. `probe.rate: 0` "
            "turns it off, and a deploy that is watched (`swap.bake_s`) has none."
        )


def phase_of(step: str, before: Collection[str]) -> Phase:
    """Return the phase that a step belongs to, by its kind and the kinds of those before it.

    The new release is smoke-checked ahead of the switch and, live, after it; and its slot may have
    to be drained and emptied first.
    """
    has_switched = "Switch" in before
    if step in _SWITCHING or (step == "Smoke" and has_switched):
        return Phase.SWITCH
    return Phase.SETTLE if step in _SETTLING and has_switched else Phase.PREPARE


def _failed(kind: str, tag: str, where: str, fault: RestoopsError) -> str:
    what = f"The {kind} of {tag}" if tag else f"The {kind}"
    how = {
        2: "was refused", 3: "needs a look", 4: "had to give way to another run",
        5: "could not reach what it needs", 6: "was refused by a check", 130: "was interrupted",
    }.get(fault.status, "failed")  # fmt: skip
    return f"{what} on {where} {how}"


def _fault(error: RestoopsError) -> Fault:
    return Fault(error.message, error.hint, error.details, error.status)
