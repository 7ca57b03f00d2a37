"""A live table for a person at a terminal: every step of the plan, with its state and time.

Of several hosts each has one row, with the step that it is at.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console
from rich.live import Live
from rich.padding import Padding
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from restoops.errors import RestoopsError
from restoops.plan.steps import Step
from restoops.report.events import (
    Event,
    FleetEnded,
    Planned,
    Progress,
    RunEnded,
    RunStarted,
    StepBroken,
    StepEnded,
    StepStarted,
)
from restoops.report.plain import fleet_outcome, outcome, sentence
from restoops.report.wording import describe, duration, printable

_MARKS = {"due": ("·", "dim"), "done": ("✔", "green"), "failed": ("✘", "red")}


@dataclass(slots=True)
class _Row:
    host: str
    step: Step
    state: str = "due"
    time: str = ""
    note: str = ""
    running: _Running | None = None


@dataclass(frozen=True, slots=True)
class _Running:
    """The time since a step began, of the moment in which it is drawn; nothing in the first second.

    It moves as the spinner does: while a host works, nobody tells of anything.
    """

    clock: Callable[[], float]
    began: float

    def __rich__(self) -> Text:
        seconds = int(self.clock() - self.began)
        return Text(duration(seconds) if seconds else "")


class TerminalReporter:
    """Draws on standard error; the result goes to standard output."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._console = Console(stderr=True, highlight=False)
        self._result = Console(highlight=False)
        self._spinner = Spinner("dots")
        self._rows: list[_Row] = []
        self._live: Live | None = None
        self._is_fleet = False

    def tell(self, event: Event) -> None:
        """Show one event."""
        match event:
            case StepStarted(host, step):
                row = self._row(host, step)
                row.state, row.time, row.note = "running", "", ""
                row.running = _Running(self._clock, self._clock())
            case Progress(host, step, text):
                self._row(host, step).note = text[:60]
            case StepEnded(host, step, seconds, note):
                row = self._row(host, step)
                row.state, row.time, row.note = "done", duration(seconds), note
            case StepBroken(host, step):
                row = self._row(host, step)
                row.state, row.note = "failed", ""
                if not self._is_fleet:  # the others will not be done now
                    self._rows = [row for row in self._rows if row.state != "due"]
            case RunEnded():
                self.close()
                mark = Text("" if event.dry_run else "✔ ", style="green")
                self._result.print(
                    mark + _text(outcome(event), style="bold"),
                    soft_wrap=not self._result.is_terminal,
                )
                return
            case FleetEnded():
                self.close()
                self._result.print(
                    _text(fleet_outcome(event)), soft_wrap=not self._result.is_terminal
                )
                return
            case Planned(host, _, steps, dry_run=False) if self._is_fleet:
                self._rows += [_Row(host, step) for step in steps[:1]]
            case _:
                self._say(event)
                return
        self._draw()

    def error(self, error: RestoopsError) -> None:
        """Show the error that ended the command, after what it has to show."""
        self.close()
        for line in error.details.splitlines():
            self._console.print(_text(f"  │ {line}", style="dim"), soft_wrap=True)
        head = Text("error: ", style="bold red")
        self._console.print(head + _text(error.message), soft_wrap=True)
        if error.hint:
            self._console.print(Padding(_text(error.hint), (0, 0, 0, 2)))

    def close(self) -> None:
        """Stop what moves and leave the cursor on a line of its own."""
        if self._live is not None:
            self._live.stop()
            self._live = None
        self._rows.clear()

    def _say(self, event: Event) -> None:
        """Print what is not a step; a plan also becomes the rows of a new table."""
        if self._is_fleet and self._live is not None:
            self._live.console.print(_text(sentence(event)), soft_wrap=True)  # above the table
            return
        self._rows = [row for row in self._rows if row.state != "due"]
        if self._live is not None:
            self._draw()
        self.close()
        self._console.print(_text(sentence(event)), soft_wrap=True)
        if isinstance(event, RunStarted):
            self._is_fleet = len(event.hosts) > 1
        if isinstance(event, Planned) and not event.dry_run:
            self._rows = [_Row(event.host, step) for step in event.steps]

    def _row(self, host: str, step: Step) -> _Row:
        """Return the first row of this step that is not over; what was not planned is added.

        A host of a fleet has one row, which goes from step to step.
        """
        if self._is_fleet:
            row = next((row for row in self._rows if row.host == host), None)
            if row is None:
                row = _Row(host, step)
                self._rows.append(row)
            row.step = step
            return row
        for row in self._rows:
            if (row.host, row.step) == (host, step) and row.state in ("due", "running"):
                return row
        self._rows.append(_Row(host, step))
        return self._rows[-1]

    def _draw(self) -> None:
        if self._live is None:
            self._live = Live(console=self._console, refresh_per_second=10)
            self._live.start()
        self._live.update(self._table(), refresh=True)

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 1))
        table.add_column(width=3, justify="right")
        table.add_column(min_width=44)
        table.add_column(justify="right", style="cyan", min_width=8)
        table.add_column(style="dim", overflow="ellipsis", no_wrap=True)
        for row in self._rows:
            mark, style = _MARKS.get(row.state, ("", ""))
            shown = self._spinner if row.state == "running" else Text(mark, style=style)
            dim = "dim" if row.state == "due" else ""
            where = f"{row.host}  " if self._is_fleet else ""
            step = _text(where + describe(row.step), style=dim)
            took = row.running if row.state == "running" and row.running else row.time
            table.add_row(shown, step, took, _text(row.note))
        return table


def _text(text: str, style: str = "") -> Text:
    """Return what may come from elsewhere: in its lines, without what a terminal would obey."""
    return Text("\n".join(map(printable, text.splitlines())), style=style)
