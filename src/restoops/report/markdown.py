"""A plan as a comment for a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from restoops.plan.infra_changes import Change
from restoops.plan.infra_summary import Summary
from restoops.report.infra import costs, reason, unpriced
from restoops.report.wording import printable

MOST_CHARACTERS = 60_000
"""GitHub takes 65,536 in a comment."""
_OPEN_UP_TO = 20
"""Rows up to which the table is shown unfolded."""


def summary_in_markdown(summary: Summary, today: date) -> str:
    """Return a plan as Markdown, cut so that it fits into one comment."""
    head = [f"### `{as_code(summary.environment)}`: {summary.counted}", "", *_lost(summary)]
    foot = [f"- {as_text(costs(summary))}", *(f"- {as_text(it)}" for it in _notes(summary, today))]
    left = MOST_CHARACTERS - sum(len(line) + 1 for line in [*head, *foot]) - 300
    table = list(_table(summary.changes, left))
    return "\n".join([*head, *table, *_cut("\n".join(foot))]) + "\n"


def _cut(text: str) -> list[str]:
    limit = MOST_CHARACTERS // 4
    return [text if len(text) <= limit else text[: limit - 1] + "…"]


def _lost(summary: Summary) -> Iterator[str]:
    losing = [it for it in summary.changes if it.loses]
    if losing:
        yield "> [!CAUTION]"
        yield "> Lost for good, the names have to be typed:"
        for it in losing[:50]:
            yield f"> - {it.kind} {it.precious} `{as_code(it.name)}`"
        if len(losing) > 50:
            yield f"> - and {len(losing) - 50} more"
        yield ""


def _notes(summary: Summary, today: date) -> Iterator[str]:
    if summary.outputs:
        yield f"outputs that change: {', '.join(summary.outputs)}"
    if summary.drift:
        names = ", ".join(it.address for it in summary.drift[:50])
        yield f"changed outside of Terraform: {names}"
    yield from unpriced(summary.after, today)


def _table(changes: tuple[Change, ...], room: int) -> Iterator[str]:
    if not changes:
        return
    folded = len(changes) > _OPEN_UP_TO
    if folded:
        yield f"<details><summary>{len(changes)} changes</summary>\n"
    yield "| action | resource | name | why |"
    yield "| --- | --- | --- | --- |"
    for number, change in enumerate(changes):
        row = _row(change)
        room -= len(row) + 1
        if room < 0:
            yield f"\n{len(changes) - number} more do not fit into a comment."
            break
        yield row
    yield "\n</details>\n" if folded else ""


def _row(change: Change) -> str:
    action = f"**{change.kind}**" if change.loses else str(change.kind)
    address, why = as_code(change.address), as_text(reason(change))
    return f"| {action} | `{address}` | {as_text(change.name)} | {why} |"


def as_code(text: str) -> str:
    """Return text for between backticks."""
    return printable(text).replace("`", "'").replace("|", "\\|")


def as_text(text: str) -> str:
    """Return text that Markdown and HTML take for nothing but text, nor mention anybody."""
    escaped = re.sub(r"([\\`*_{}\[\]()#+!|<>~&])", r"\\\1", printable(text))
    return escaped.replace("@", "@\u200b")
