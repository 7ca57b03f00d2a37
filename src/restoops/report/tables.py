"""Results as tables: rich draws them, and leaves colour and frames out where they do not fit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from restoops.model import Record
from restoops.plan.doctor import Check
from restoops.plan.rollback import Candidate
from restoops.plan.status import Slot, Status
from restoops.report.jsonl import plain, write
from restoops.report.wording import duration


def show_status(environment: str, status: Status, *, as_json: bool) -> None:
    """Print the status of one host."""
    if as_json:
        write({"environment": environment, **plain(status)})
        return
    serving, warm = status.serving, status.warm
    rows = [
        ("environment", f"{environment} ({status.host})"),
        ("serves", _slot(serving) if serving else "nothing"),
        ("warm", f"{_slot(warm)}{', in reserve' if status.covers else ''}" if warm else "nothing"),
        ("proxy", status.proxy),
    ]
    if run := status.open_run:
        what = f"{run.kind} of {run.release.tag} by {run.who} from {run.origin}"
        since = _time(run.started_at)
        rows.append(("open run", f"{what}, since {since}: still running, or cut off"))
    rows += [("look at", fault) for fault in status.faults]
    _print((), rows)


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
            _time(candidate.made_live_at),
            candidate.who,
            candidate.whereabouts.value,
            _takes(candidate),
        )
        for candidate in found
    ]
    title = f"{environment} ({host})"
    if not rows:
        Console(highlight=False).print(f"{title}: nothing was deployed here yet", markup=False)
        return
    _print(("RELEASE", "DIGEST", "LIVE SINCE", "BY", "IS", "ROLLBACK"), rows, title=title)


def show_history(environment: str, host: str, records: Iterable[Record], *, as_json: bool) -> None:
    """Print the runs of a host, newest first."""
    if as_json:
        for record in records:
            write({"environment": environment, "host": host, **plain(record)})
        return
    rows = [
        (
            _time(record.run.started_at),
            record.run.kind,
            record.run.release.tag,
            record.outcome,
            duration(sum(timing.seconds for timing in record.log)),
            f"{record.run.who} from {record.run.origin}",
            record.error,
        )
        for record in records
    ]
    _print(("STARTED", "RUN", "RELEASE", "OUTCOME", "TOOK", "BY", "WHY"), rows)


def show_checks(environment: str, checks: Sequence[Check], *, as_json: bool) -> None:
    """Print what `doctor` found, and below it what to do about what is not well."""
    if as_json:
        for check in checks:
            write({"environment": environment, **plain(check)})
        return
    rows = [(check.result.value, check.where, check.what, check.found) for check in checks]
    _print(("", "WHERE", "CHECK", "FOUND"), rows, title=environment)
    console = Console(highlight=False, soft_wrap=True)
    for check in checks:
        # Below the table and never wrapped: it is there to be copied.
        if check.fix:
            text = f"{check.result.value}: {check.where}, {check.what}: {check.fix}"
            console.print(text, markup=False)


def _print(
    heads: Sequence[str], rows: Iterable[Sequence[str]], *, title: str | None = None
) -> None:
    table = Table(
        *heads,
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
    for row in rows:
        table.add_row(*(Text(_harmless(cell)) for cell in row))
    with console.capture() as drawn:
        console.print(table)
    console.file.writelines(line.rstrip() + "\n" for line in drawn.get().splitlines())


def _harmless(text: str) -> str:
    """Return `text` without what a terminal would obey: names and reasons are other people's."""
    return "".join(char if char.isprintable() else " " for char in text)


def _slot(slot: Slot) -> str:
    since = f", since {_time(slot.since)}, by {slot.who}" if slot.since else ""
    return f"{slot.release.tag} ({slot.release.digest.short}) in {slot.color}{since}"


def _takes(candidate: Candidate) -> str:
    if candidate.takes_s is None:
        return "not possible" if candidate.whereabouts.value == "gone" else "-"
    return f"{duration(candidate.takes_s)}{'' if candidate.is_measured else ', a guess'}"


def _time(iso: str) -> str:
    return f"{iso[:10]} {iso[11:19]} UTC" if iso else "?"
