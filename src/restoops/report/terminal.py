"""A live view for a person at a terminal: one line for each step, with its time."""

from __future__ import annotations

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
    Progress,
    RunEnded,
    StepBroken,
    StepEnded,
    StepStarted,
)
from restoops.report.plain import outcome, sentence
from restoops.report.wording import describe, duration


class TerminalReporter:
    """Draws on standard error; the result goes to standard output."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._result = Console(highlight=False)
        self._live: Live | None = None

    def tell(self, event: Event) -> None:
        """Show one event."""
        match event:
            case StepStarted(_, step):
                self._start(step)
            case Progress(_, step, text):
                self._show(self._spinning(step, text))
            case StepEnded(_, step, seconds, note):
                self._finish(_row("✔", "green", step, f"{duration(seconds):>7}", note))
            case StepBroken(_, step, _reason):
                self._finish(_row("✘", "red", step, "", ""))
            case RunEnded():
                self.close()
                mark = Text("✔ " if not event.dry_run else "", style="green")
                self._result.print(mark + Text(outcome(event), style="bold"), soft_wrap=True)
            case _:
                self._finish(Text(sentence(event)))

    def error(self, error: RestoopsError) -> None:
        """Show the error that ended the command, after what it has to show."""
        self.close()
        for line in error.details.splitlines():
            self._console.print(Text(f"  │ {line}", style="dim"), soft_wrap=True)
        self._console.print(Text("error: ", style="bold red") + Text(error.message), soft_wrap=True)
        if error.hint:
            self._console.print(Padding(Text(error.hint), (0, 0, 0, 2)))

    def close(self) -> None:
        """Stop what moves and leave the cursor on a line of its own."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _start(self, step: Step) -> None:
        self.close()
        self._live = Live(
            self._spinning(step, ""), console=self._console, transient=True, refresh_per_second=10
        )
        self._live.start()

    def _show(self, view: Table) -> None:
        if self._live is not None:
            self._live.update(view)

    def _finish(self, line: Table | Text) -> None:
        self.close()
        self._console.print(line)

    def _spinning(self, step: Step, text: str) -> Table:
        grid = Table.grid(padding=(0, 1))
        grid.add_row("", Spinner("dots"), Text(describe(step)), Text(text[:60], style="dim"))
        return grid


def _row(mark: str, style: str, step: Step, time: str, note: str) -> Text:
    line = Text(f"  {mark} ", style=style)
    line.append(f"{describe(step):<48}", style="default")
    line.append(f"{time}  ", style="cyan")
    line.append(note, style="dim")
    line.rstrip()
    return line
