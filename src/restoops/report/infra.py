"""What `restoops infra` found or did, as a table, as lines or as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from restoops.plan.cost import Estimate
from restoops.plan.infra_changes import Change, Kind
from restoops.plan.infra_summary import Summary
from restoops.report.jsonl import plain, write
from restoops.report.lines import aligned, print_lines, say
from restoops.report.wording import printable

_SHOWN_DIFFERENCES = 4
_OLD_PRICES_D = 365
COLOURS = {
    Kind.DESTROY: "red",
    Kind.REPLACE: "red",
    Kind.FORGET: "yellow",
    Kind.CHANGE: "yellow",
    Kind.CREATE: "green",
}


def show_summary(summary: Summary, today: date, *, as_json: bool) -> None:
    """Print what a plan does: a row for each change, then what is lost, then what it costs."""
    if as_json:
        write(plain(summary))
        return
    print_lines([f"{summary.environment}: {summary.counted}"])
    if summary.changes:
        show_changes(summary.changes)
    print_lines(footnotes(summary, today))


def show_changes(changes: Sequence[Change]) -> None:
    """Print a row for each change, in colour on a terminal."""
    heads = ("ACTION", "RESOURCE", "NAME", "WHY")
    rows = [(it.kind.value, it.address, _name(it), reason(it)) for it in changes]
    if not sys.stdout.isatty():
        print_lines(aligned([heads, *rows]))
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*heads, box=box.SIMPLE_HEAD, pad_edge=False)
    for change, row in zip(changes, rows, strict=True):
        style = COLOURS.get(change.kind, "")
        first = Text(row[0], style=f"bold {style}" if change.loses else style)
        table.add_row(first, *(Text(printable(cell)) for cell in row[1:]))
    Console(highlight=False).print(table)


def footnotes(summary: Summary, today: date) -> Iterator[str]:
    """Yield what stands below the changes."""
    losing = [it for it in summary.changes if it.loses]
    if losing:
        yield "lost for good: " + ", ".join(f"{it.precious} {it.name} ({it.kind})" for it in losing)
    if summary.outputs:
        yield f"outputs that change: {', '.join(summary.outputs)}"
    if summary.drift:
        yield "changed outside of Terraform: " + ", ".join(it.address for it in summary.drift)
    yield costs(summary)
    yield from unpriced(summary.after, today)


def costs(summary: Summary) -> str:
    """Return what a month costs before and after."""
    before, after = summary.before.monthly, summary.after.monthly
    change = f" ({after - before:+,.2f})" if before != after else ", unchanged"
    return f"a month: {before:,.2f} -> {after:,.2f} {summary.after.currency}{change}"


def unpriced(found: Estimate, today: date) -> Iterator[str]:
    """Yield what is not in a sum, and how old the prices are when they are old."""
    if found.unknown:
        yield "not in the sum: " + "; ".join(f"{it.address}, {it.what}" for it in found.unknown)
    age = today - date.fromisoformat(found.as_of)
    old = ", a year or more ago" if age.days >= _OLD_PRICES_D else ""
    yield f"prices of {found.as_of}{old}; without traffic, taxes and what depends on use"


def reason(change: Change) -> str:
    """Return why a change is made, or what it changes."""
    parts = [change.because] if change.because else []
    first = change.differences[:_SHOWN_DIFFERENCES]
    parts += [f"{it.attribute}: {it.before} -> {it.after}" for it in first]
    more = len(change.differences) - _SHOWN_DIFFERENCES
    parts += [f"and {more} more"] if more > 0 else []
    parts += [change.note] if change.note else []
    return "; ".join(parts)


def _name(change: Change) -> str:
    return "" if change.name == change.address else change.name


def show_estimate(environment: str, found: Estimate, today: date, *, as_json: bool) -> None:
    """Print what an environment costs, line by line."""
    if as_json:
        write({"environment": environment, **plain(found)})
        return
    rows = [(it.address, it.what, _money(it.monthly)) for it in found.lines]
    if rows:
        print_lines(aligned([("RESOURCE", "WHAT", f"{found.currency} A MONTH"), *rows]))
    print_lines([f"{environment}: {found.monthly:,.2f} {found.currency} a month"])
    print_lines(unpriced(found, today))


def _money(price: Decimal | None) -> str:
    return "unknown" if price is None else f"{price:,.2f}"


def show_outputs(environment: str, outputs: Sequence[Any], *, as_json: bool) -> None:
    """Print outputs: texts as they are, all else as JSON."""
    if not outputs:
        say(f"{environment} gives nothing out: was it applied?")
    for it in outputs:
        if as_json:
            write({"environment": environment, **plain(it)})
        else:
            value = it.value if isinstance(it.value, str) else json.dumps(it.value, sort_keys=True)
            print_lines([f"{it.name}: {value}"])
