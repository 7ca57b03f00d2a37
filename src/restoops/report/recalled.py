"""A run as the histories of its hosts remember it, put together for a report."""

from __future__ import annotations

from collections.abc import Iterator

from restoops.model import Record, Timing
from restoops.plan.ages import seconds_between
from restoops.plan.runs import FleetRun
from restoops.report.chronicle import phase_of
from restoops.report.jsonl import snake
from restoops.report.page import Bar, Fault, HostPart, Output, Page, Phase, Tone

_WORDS = {
    "SetUp": "make directories and network",
    "RunProxy": "run the proxy",
    "Uncover": "take the other slot out of reserve",
    "Remove": "remove what was in the slot",
    "Pull": "pull the image",
    "Start": "start the release",
    "AwaitHealthy": "wait until it is healthy",
    "Smoke": "put smoke checks to it",
    "Switch": "switch traffic",
    "Verify": "check through the proxy that it answers",
    "Bake": "watch it under traffic",
    "Drain": "wait until no request runs on the other",
    "KeepWarm": "keep the other warm",
    "Stop": "stop the other",
    "Trim": "remove images that no rollback needs",
    "Forget": "remove secrets that no release needs",
}
"""Steps without what the history does not keep, such as their slots."""


def page_of(run: FleetRun, environment: str) -> Page:
    """Return what a report shows of an earlier run."""
    before = [record.run.previous for record in run.records.values()]
    return Page(
        run=run.id,
        kind=run.kind,
        environment=environment,
        tone=_tone(run),
        headline=_headline(run, environment),
        release=run.release,
        previous=tuple(dict.fromkeys(it for it in before if it and it != run.release)),
        who=run.who,
        origin=run.origin,
        started_at=run.started_at,
        seconds=run.seconds,
        hosts=tuple(_hosts(run)),
        fault=_fault(run, environment),
        cut=sum(record.cut for record in run.records.values()),
        output=tuple(_output(run)),
        missing=tuple(_missing(run)),
    )


def _tone(run: FleetRun) -> Tone:
    if _is_live_everywhere(run):
        return Tone.GOOD
    if run.made_live_on or set(run.outcomes.values()) <= {"interrupted", "undone"}:
        return Tone.WARNING
    return Tone.BAD


def _headline(run: FleetRun, environment: str) -> str:
    outcomes = dict.fromkeys(run.outcomes.values())
    what = f"The {run.kind} of {run.release.tag} on {environment}"
    if _is_live_everywhere(run):
        return f"{run.release.tag} was made live on {environment}"
    if len(outcomes) > 1:
        return f"{what} left hosts that differ"
    how = {"failed": "failed", "interrupted": "was interrupted", "undone": "was undone"}
    return f"{what} {how.get(next(iter(outcomes)), 'ended')}"


def _is_live_everywhere(run: FleetRun) -> bool:
    return len(run.made_live_on) == len(run.records)


def _hosts(run: FleetRun) -> Iterator[HostPart]:
    for host in run.fleet:
        record = run.records.get(host)
        if record is None:
            yield HostPart(host, "no record", is_good=False, serves=None)
            continue
        yield HostPart(
            host=host,
            ending=record.outcome,
            is_good=record.made_live,
            serves=record.run.release if record.made_live else record.run.previous,
            error=record.error,
            bars=tuple(_bars(record, run.started_at)),
        )


def _bars(record: Record, started_at: str) -> Iterator[Bar]:
    """Yield the steps; those that follow one that broke put the host right."""
    is_restoring = record.outcome == "undone"
    before: set[str] = set()
    for timing in record.log:
        phase = Phase.RESTORE if is_restoring else phase_of(timing.step, before)
        before.add(timing.step)
        yield _bar(timing, phase, started_at)
        is_restoring = is_restoring or timing.broken


def _bar(timing: Timing, phase: Phase, started_at: str) -> Bar:
    return Bar(
        step=_WORDS.get(timing.step, timing.step),
        kind=snake(timing.step),
        phase=phase,
        at_s=round(max(0.0, seconds_between(started_at, timing.at)), 3),
        seconds=timing.seconds,
        broken=timing.broken,
    )


def _fault(run: FleetRun, environment: str) -> Fault | None:
    if not run.errors:
        return None
    message = "; ".join(dict.fromkeys(run.errors.values()))
    return Fault(
        message,
        hint=f"`restoops status {environment}` shows what serves now, "
        f"`restoops logs {environment}` what it writes, and `restoops doctor {environment}` what "
        "is in the way of a deploy.",
    )


def _output(run: FleetRun) -> Iterator[Output]:
    for host, record in run.records.items():
        if record.output:
            yield Output(host, record.output)


def _missing(run: FleetRun) -> Iterator[str]:
    yield (
        "Requests of the probe are not kept: `--report FILE` on the deploy or rollback itself "
        "writes them down."
    )
    if run.errors:
        yield "Nor are the log lines that were shown with the failure."
    if away := [host for host in run.fleet if host not in run.records]:
        yield f"No record of this run on: {', '.join(away)}."
