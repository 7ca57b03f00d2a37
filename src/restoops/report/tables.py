"""Results as tables: rich draws them, and leaves colour and frames out where they do not fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from rich import box
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from restoops.model import OpenRun, Record
from restoops.plan.doctor import Check
from restoops.plan.rollback import Candidate
from restoops.plan.runs import FleetRun
from restoops.plan.status import Slot, Status, difference
from restoops.report.jsonl import plain, snake, write
from restoops.report.lines import print_lines
from restoops.report.wording import duration, moment, printable

_TYPED_AGAIN = ("RELEASE", "HOST", "ID")
_FEW = 2
"""Hosts that are named; more are counted."""


def show_statuses(environment: str, statuses: Sequence[Status], *, as_json: bool) -> None:
    """Print the status of each host of an environment."""
    if as_json:
        for status in statuses:
            write({"environment": environment, **plain(status)})
    elif len(statuses) == 1:
        show_table((), _status_lines(environment, statuses[0]))
    else:
        rows = [_status_row(status) for status in statuses]
        heads = ("HOST", "SERVES", "DIGEST", "SINCE", "WARM", "PROXY")
        show_table(heads, rows, title=environment)
        if notes := list(_status_notes(statuses)):
            show_table((), notes)


def show_candidates(
    environment: str, host: str, found: Sequence[Candidate], *, as_json: bool
) -> None:
    """Print what can be rolled back to, newest first."""
    if as_json:
        for candidate in found:
            write({"environment": environment, "host": host, **plain(candidate)})
        return
    rows = [
        (
            candidate.release.tag,
            candidate.release.digest.short,
            moment(candidate.made_live_at),
            candidate.who,
            candidate.whereabouts.value,
            _takes(candidate),
        )
        for candidate in found
    ]
    title = f"{environment} ({host})"
    if not rows:
        print_lines([f"{title}: nothing was deployed here yet"])
        return
    show_table(("RELEASE", "DIGEST", "LIVE SINCE", "BY", "IS", "ROLLBACK"), rows, title=title)


def show_runs(environment: str, runs: Iterable[FleetRun], *, as_json: bool) -> None:
    """Print the runs of an environment, newest first; as JSON what each host says of each run."""
    if as_json:
        for run in runs:
            for host, record in run.records.items():
                write({"environment": environment, "host": host, **plain(_as_events_name(record))})
        return
    rows = [
        (
            moment(run.started_at),
            run.kind,
            run.release.tag,
            _hosts(run),
            _outcome(run),
            duration(run.seconds),
            f"{run.who} from {run.origin}",
            run.id,
            _why(run),
        )
        for run in runs
    ]
    if not rows:
        print_lines([f"{environment}: nothing was deployed here yet"])
        return
    show_table(("STARTED", "RUN", "RELEASE", "HOSTS", "OUTCOME", "TOOK", "BY", "ID", "WHY"), rows)


def show_checks(environment: str, checks: Sequence[Check], *, as_json: bool) -> None:
    """Print what `doctor` found, and below it what to do about what is not well."""
    if as_json:
        for check in checks:
            write({"environment": environment, **plain(check)})
        return
    rows = [(check.result.value, check.where, check.what, check.found) for check in checks]
    show_table(("", "WHERE", "CHECK", "FOUND"), rows, title=environment)
    for it in (check for check in checks if check.fix):
        # Below the table and never wrapped: it is there to be copied.
        print_lines(f"{it.result.value}: {it.where}, {it.what}: {it.fix}".splitlines())


def show_table(
    heads: Sequence[str], rows: Iterable[Sequence[str]], *, title: str | None = None
) -> None:
    """Print rows below their heads; in a pipe nothing is cut off."""
    cells = [tuple(printable(cell) for cell in row) for row in rows]
    table = Table(
        *_columns(heads, cells),
        box=box.SIMPLE_HEAD if heads else None,
        show_header=bool(heads),
        title=title,
        title_justify="left",
        pad_edge=False,
    )
    console = Console(highlight=False)
    if not console.is_terminal:
        # A pipe has no width: a table cut to 80 columns would lose what scripts look for.
        console = Console(highlight=False, width=10_000)
        table.box = None
    for row in cells:
        table.add_row(*map(Text, row))
    with console.capture() as drawn:
        console.print(table)
    console.file.writelines(line.rstrip() + "\n" for line in drawn.get().splitlines())


def _columns(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[Column]:
    """Return columns that lose nothing on a narrow terminal; what is typed again is not split."""
    for number, head in enumerate(heads):
        if head in _TYPED_AGAIN:
            widest = max(len(row[number]) for row in rows) if rows else 0
            yield Column(head, no_wrap=True, min_width=max(widest, len(head)))
        else:
            yield Column(head, overflow="fold")


def _status_lines(environment: str, status: Status) -> list[tuple[str, str]]:
    serving, warm = status.serving, status.warm
    rows = [
        ("environment", f"{environment} ({status.host})"),
        ("serves", _slot(serving) if serving else "nothing"),
        ("warm", f"{_slot(warm)}{', in reserve' if status.covers else ''}" if warm else "nothing"),
        ("proxy", status.proxy),
    ]
    if status.open_run:
        rows.append(("open run", _open_run(status.open_run)))
    return rows + [("look at", fault) for fault in status.faults]


def _status_row(status: Status) -> tuple[str, ...]:
    serving, warm = status.serving, status.warm
    return (
        status.host,
        f"{serving.release.tag} in {serving.color}" if serving else "nothing",
        serving.release.digest.short if serving else "",
        moment(serving.since) if serving else "",
        f"{warm.release.tag}{', in reserve' if status.covers else ''}" if warm else "nothing",
        status.proxy,
    )


def _status_notes(statuses: Sequence[Status]) -> Iterator[tuple[str, str]]:
    """Yield what does not fit into a row."""
    for status in statuses:
        if status.open_run:
            yield "open run", f"{status.host}: {_open_run(status.open_run)}"
    for status in statuses:
        yield from (("look at", f"{status.host}: {fault}") for fault in status.faults)
    if unlike := difference(statuses):
        yield "look at", unlike


def _open_run(run: OpenRun) -> str:
    what = f"{run.kind} of {run.release.tag} by {run.who} from {run.origin}"
    return f"{what}, since {moment(run.started_at)}: still running, or cut off"


def _as_events_name(record: Record) -> Record:
    """Return `record` with its steps called as in events: `await_healthy`."""
    log = tuple(replace(timing, step=snake(timing.step)) for timing in record.log)
    return replace(record, log=log)


def _hosts(run: FleetRun) -> str:
    if len(run.fleet) > 1 and len(run.records) == len(run.fleet):
        return f"all {len(run.fleet)}"
    if len(run.records) <= _FEW:
        return ", ".join(run.records)
    return f"{len(run.records)} of {len(run.fleet)}"


def _outcome(run: FleetRun) -> str:
    counts = Counter(run.outcomes.values())
    if len(counts) == 1:
        return next(iter(counts))
    return ", ".join(f"{outcome} on {count}" for outcome, count in counts.most_common())


def _why(run: FleetRun) -> str:
    """Return each error once; of several, one that does not name its host is given it."""
    if len(set(run.errors.values())) <= 1:
        return next(iter(run.errors.values()), "")
    named = (
        error if error.startswith(f"{host}: ") else f"{host}: {error}"
        for host, error in run.errors.items()
    )
    return "; ".join(named)


def _slot(slot: Slot) -> str:
    since = f", since {moment(slot.since)}, by {slot.who}" if slot.since else ""
    return f"{slot.release.tag} ({slot.release.digest.short}) in {slot.color}{since}"


def _takes(candidate: Candidate) -> str:
    if candidate.takes_s is None:
        return "not possible" if candidate.whereabouts.value == "gone" else "-"
    return f"{duration(candidate.takes_s)}{'' if candidate.is_measured else ', a guess'}"
