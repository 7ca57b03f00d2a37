"""Lines of text: progress on standard error, the result on standard output."""

from __future__ import annotations

from typing import assert_never

from restoops.errors import RestoopsError
from restoops.model import Release
from restoops.plan.fleet import Ending, HostResult
from restoops.report.events import (
    AskingAgain,
    Batches,
    BatchStarted,
    Elsewhere,
    Event,
    FleetEnded,
    Output,
    Pausing,
    Planned,
    Preempting,
    Probed,
    Progress,
    PublicChecked,
    PublicChecks,
    PuttingRight,
    Recovering,
    RunEnded,
    RunStarted,
    StepBroken,
    StepEnded,
    StepStarted,
    Stopping,
    Waiting,
)
from restoops.report.lines import print_lines, say_lines
from restoops.report.wording import counted, describe, duration, printable


class PlainReporter:
    """For pipes, logs and CI; no colour, nothing that moves."""

    def tell(self, event: Event) -> None:
        """Print one event."""
        lines = sentence(event).splitlines()
        if isinstance(event, RunEnded | FleetEnded):
            print_lines(lines)
        else:
            say_lines(lines)

    def error(self, error: RestoopsError) -> None:
        """Print the error that ended the command, after what it has to show."""
        say_lines(f"  | {line}" for line in error.details.splitlines())
        say_lines(f"error: {error.message}".splitlines())
        say_lines(f"  {line}" for line in error.hint.splitlines())

    def close(self) -> None:
        """Do nothing: every line is complete."""


def sentence(event: Event) -> str:  # noqa: C901  one sentence for each kind of event
    """Return an event as one line, or nothing when it is not worth one."""
    match event:
        case RunStarted(kind, environment, release, hosts):
            where = f"{environment} ({', '.join(hosts)})"
            return f"{kind} {release.tag} ({release.digest.short}) on {where}"
        case Planned():
            return _plan(event)
        case Batches():
            return _batches(event)
        case PublicChecks() | PublicChecked():
            return _public(event)
        case BatchStarted(number, of, hosts):
            return f"batch {number} of {of}: {', '.join(hosts)}"
        case Pausing(seconds, number, of):
            return f"pausing {duration(seconds)} before batch {number} of {of}"
        case Waiting(host, holder):
            return f"  {host}  waiting for {holder}"
        case Preempting(host, holder):
            return f"  {host}  ending the run of {holder}"
        case AskingAgain(release, previous):
            return f"meanwhile {_tag(previous)} serves, and {release.tag} is what to go back to:"
        case Recovering(host, run, finishes):
            how = "finishing" if finishes else "undoing"
            return (
                f"  {host}  {how} the {run.kind} of {run.release.tag} that {run.who} began at "
                f"{run.started_at} and that was cut off"
            )
        case StepStarted() | Progress():
            return ""
        case StepEnded(host, step, seconds, note):
            return f"  {host}  {describe(step):<46} {duration(seconds):>7}  {note}".rstrip()
        case StepBroken(host, step, reason):
            return f"  {host}  {describe(step):<46} failed: {reason}"
        case Output(source, line):
            return f"  {source}  | {printable(line)}"  # one line, whatever is in it
        case Stopping(silence_s):
            return f"stopping; a host that does not answer within {duration(silence_s)} is given up"
        case PuttingRight(host):
            return f"  {host}  putting things right:"
        case Probed():
            return _probed(event)
        case RunEnded():
            return outcome(event)
        case FleetEnded():
            return fleet_outcome(event)
        case Elsewhere():
            return _elsewhere(event)
        case _:
            assert_never(event)


def _elsewhere(event: Elsewhere) -> str:
    told = [f"{host} serves {_tag(it)}" for host, it in event.hosts.items()]
    told += [f"{host} could not be asked" for host in event.unreached]
    return f"hosts of {event.environment} differ now: {', '.join(told)}"


def _tag(release: Release | None) -> str:
    return release.tag if release else "nothing"


def _plan(event: Planned) -> str:
    serves = f"{event.previous.tag} serves" if event.previous else "nothing serves yet"
    steps = counted(len(event.steps), "step") if event.steps else "no steps"
    head = f"  {event.host}  {serves}; {steps}"
    if not event.dry_run:
        return head
    return "\n".join([head, *(f"  {event.host}  would {describe(step)}" for step in event.steps)])


def _batches(event: Batches) -> str:
    pauses = f", {duration(event.pause_s)} apart" if event.pause_s else ""
    would = "would switch" if event.dry_run else "hosts switch"
    each = (f"  batch {n}: {', '.join(hosts)}" for n, hosts in enumerate(event.hosts, 1))
    return "\n".join([f"{would} in {len(event.hosts)} batches{pauses}:", *each])


def _probed(event: Probed) -> str:
    figures = (("p50", event.p50_ms), ("p99", event.p99_ms), ("slowest", event.slowest_ms))
    told = ", ".join(f"{name} {ms:.1f} ms" for name, ms in figures if ms is not None)
    head = f"  probe of {event.path}: {_failed(event)}"
    return f"{head}; {told}" if told else head


def _failed(event: Probed | RunEnded | FleetEnded) -> str:
    return f"{event.failed} of {event.requests} requests failed"


def _public(event: PublicChecks | PublicChecked) -> str:
    if isinstance(event, PublicChecks):
        ask = "would ask" if event.dry_run else "to be asked"
        return f"  {event.url}  {ask} after the switch: {', '.join(event.checks)}"
    result = event.result
    what = f"  {event.url}  {result.check}  {duration(result.seconds)}"
    if result.passed:
        return f"{what}  {result.status}"
    if event.excuse:
        return f"{what}  WARNING: {event.excuse}: {result.why}"
    return f"{what}  failed: {result.why}"


def outcome(event: RunEnded) -> str:
    """Return the result of a run in one line."""
    release = f"{event.release.tag} ({event.release.digest.short})"
    where = f"{event.environment} ({event.host})"
    if event.dry_run:
        return f"dry run: nothing was changed; {release} would serve on {where}{_undone(event)}"
    if not event.changed and event.undone:
        return f"{release} serves on {where} again{_undone(event)}"
    if not event.changed:
        return f"{release} serves on {where} already; nothing moved"
    before = f", before it {event.previous.tag}" if event.previous else ""
    warm = (
        f"; {event.previous.tag} stays warm for {duration(event.warm_s)}"
        if (event.previous and event.warm_s)
        else ""
    )
    probed = f"; {_failed(event)}" if event.requests else ""
    took = duration(event.seconds)
    return f"{release} serves on {where}{before}, after {took}{warm}{_cut(event)}{probed}"


def fleet_outcome(event: FleetEnded) -> str:
    """Return the result of a run on several hosts: one line for all, then one for each."""
    release = f"{event.release.tag} ({event.release.digest.short})"
    serving = sum(
        result.serves is not None and result.serves.digest == event.release.digest
        for result in event.hosts
    )
    share = f"{serving} of {len(event.hosts)} hosts of {event.environment}"
    if event.dry_run:
        head = f"dry run: nothing was changed; {release} serves on {share} now"
    else:
        head = f"{release} serves on {share}, after {duration(event.seconds)}"
    head += _cut(event)
    if event.requests:
        head += f"; {_failed(event)}"
    head += _undone(event)
    width = max(len(result.host) for result in event.hosts)
    return "\n".join([head, *(_host_line(result, width) for result in event.hosts)])


def _cut(event: RunEnded | FleetEnded) -> str:
    if not event.cut:
        return ""
    was = "was" if event.cut == 1 else "were"
    return f"; {counted(event.cut, 'request')} {was} cut at the end of the drain"


def _undone(event: RunEnded | FleetEnded) -> str:
    if not event.undone:
        return ""
    return f"; the deploy of {event.undone.tag} {'would be' if event.dry_run else 'was'} undone"


def _host_line(result: HostResult, width: int) -> str:
    serves = f"{result.serves.tag} ({result.serves.digest.short})" if result.serves else "nothing"
    if result.ending is Ending.UNCLEAR:
        serves = "nobody can say what"
    why = f"  {result.error}" if result.error else ""
    return f"  {result.host:<{width}}  {result.ending:<11}  {serves}{why}"
