"""The runs of an environment, put together from what each of its hosts remembers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from restoops.model import Record, Release, RunKind
from restoops.plan.ages import seconds_between


@dataclass(frozen=True, slots=True)
class FleetRun:
    """One run, with what each host says of it."""

    id: str
    kind: RunKind
    release: Release
    who: str
    origin: str
    started_at: str
    ended_at: str
    """When it ended on the last host."""
    records: Mapping[str, Record]
    """By host; one that the run did not come to, or that forgot it, is not among them."""
    fleet: tuple[str, ...]
    """All hosts that were asked."""

    @property
    def outcomes(self) -> dict[str, str]:
        """How it ended on each host."""
        return {host: record.outcome for host, record in self.records.items()}

    @property
    def errors(self) -> dict[str, str]:
        """Why it failed, by host, where it did."""
        return {host: record.error for host, record in self.records.items() if record.error}

    @property
    def made_live_on(self) -> tuple[str, ...]:
        """The hosts on which the release served at the end of the run."""
        return tuple(host for host, record in self.records.items() if record.made_live)

    @property
    def seconds(self) -> float:
        """How long it took, pauses and what failed included; by the clocks of its operators."""
        return max(0.0, seconds_between(self.started_at, self.ended_at))


def merge(histories: Mapping[str, tuple[Record, ...]]) -> tuple[FleetRun, ...]:
    """Return the runs in the histories of all hosts of an environment, newest first."""
    found: dict[str, dict[str, Record]] = {}
    for host, history in histories.items():
        for record in reversed(history):
            # Put right more than once, a run has several records: the newest one counts.
            found.setdefault(record.run.id, {}).setdefault(host, record)
    runs = (_run(records, tuple(histories)) for records in found.values())
    return tuple(sorted(runs, key=lambda run: run.started_at, reverse=True))


def _run(records: Mapping[str, Record], fleet: tuple[str, ...]) -> FleetRun:
    run = next(iter(records.values())).run
    return FleetRun(
        id=run.id,
        kind=run.kind,
        release=run.release,
        who=run.who,
        origin=run.origin,
        started_at=min(record.run.started_at for record in records.values()),
        ended_at=max(record.ended_at for record in records.values()),
        records=records,
        fleet=fleet,
    )


def called(name: str, runs: Mapping[str, tuple[FleetRun, ...]]) -> tuple[tuple[str, FleetRun], ...]:
    """Return the runs that `name` can mean, each with its environment.

    It is `last`, a name, or how one begins; a whole name means that run alone.
    """
    every = [(where, run) for where, found in runs.items() for run in found]
    if name == "last":
        return (max(every, key=lambda it: it[1].started_at),) if every else ()
    exact = tuple(it for it in every if it[1].id == name)
    return exact or tuple(it for it in every if it[1].id.startswith(name))
