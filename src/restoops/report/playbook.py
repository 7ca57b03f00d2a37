"""A run of Ansible as it goes: live on a terminal, lines elsewhere, or JSON; then a summary."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from restoops.plan.playbook import (
    THIS_MACHINE,
    PlaybookEnded,
    PlaybookEvent,
    PlayStarted,
    Remark,
    Result,
    TaskEnded,
    TaskStarted,
)
from restoops.plan.playbook_board import Board, table_of
from restoops.report.jsonl import plain, snake, write
from restoops.report.lines import aligned, may_move, print_lines, say
from restoops.report.wording import counted, printable

if TYPE_CHECKING:
    from rich.table import Table

_STYLES = {Result.CHANGED: "yellow", Result.FAILED: "red", Result.UNREACHABLE: "red"}
_QUIET = (Result.OK, Result.SKIPPED)


class View:
    """Shows a run, and knows how far it is."""

    def __init__(self) -> None:
        self.board = Board()

    def show(self, event: PlaybookEvent) -> None:
        """Show one event."""
        self.board = self.board.after(event)
        self._show(event)

    def close(self) -> None:
        """Leave the terminal tidy; nothing to do where every line is complete."""

    def _show(self, event: PlaybookEvent) -> None:
        raise NotImplementedError


def view(*, as_json: bool) -> View:
    """Return the view that fits where the output goes."""
    if as_json:
        return JsonView()
    return LiveView() if may_move(sys.stderr) else PlainView()


class JsonView(View):
    """One object for each event, on standard output; what is no event goes to standard error."""

    def _show(self, event: PlaybookEvent) -> None:
        match event:
            case Remark(line):
                say(line)
            case TaskEnded():
                told = plain(event)
                del told["answer"]  # its message says what is worth knowing
                write({"event": "task_ended", **told})
            case _:
                write({"event": snake(type(event).__name__), **plain(event)})


class PlainView(View):
    """A line for each task of a host, but for those that were skipped; on standard error."""

    def _show(self, event: PlaybookEvent) -> None:
        if line := sentence(event):
            say(line)


def sentence(event: PlaybookEvent) -> str:
    """Return an event as one line, or nothing when it is not worth one."""
    match event:
        case PlayStarted(play):
            return f"play: {play}"
        case TaskEnded(result=Result.SKIPPED):
            return ""
        case TaskEnded(host, task, result, message):
            why = f": {message.splitlines()[0]}" if message else ""
            return f"  {host}  {result.value:<11}  {task}{why}"
        case Remark(line):
            return f"  {line}"
        case TaskStarted() | PlaybookEnded():
            return ""


class LiveView(View):
    """A row for each host that moves; above it what was changed or failed stays."""

    def __init__(self) -> None:
        super().__init__()
        from rich.console import Console
        from rich.live import Live
        from rich.spinner import Spinner

        self._console = Console(stderr=True, highlight=False)
        self._spinner = Spinner("dots")
        self._live: Live | None = None

    def _show(self, event: PlaybookEvent) -> None:
        from rich.live import Live
        from rich.text import Text

        if self._live is None:
            self._live = Live(console=self._console, refresh_per_second=10, transient=True)
            self._live.start()
        is_quiet = isinstance(event, TaskEnded) and event.result in _QUIET
        line = "" if is_quiet else sentence(event)
        if line:
            style = _STYLES.get(event.result, "") if isinstance(event, TaskEnded) else "dim"
            self._live.console.print(Text(printable(line), style=style), soft_wrap=True)
        self._live.update(self._table(), refresh=True)

    def close(self) -> None:
        """Stop what moves."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _table(self) -> Table:
        from rich.table import Table
        from rich.text import Text

        board = self.board
        table = Table.grid(padding=(0, 1))
        for _ in ("mark", "host", "counts", "failed"):
            table.add_column(no_wrap=True)
        table.add_column(no_wrap=True, overflow="ellipsis")
        rows = [row for host, row in board.rows.items() if host != THIS_MACHINE]
        for row in rows:
            counts = f"{row.ok} ok, {row.changed} changed"
            failed = Text(f"{row.failed} failed", style="red") if row.failed else Text("")
            task = board.task if not row.result.is_bad else row.task
            mark = Text("✘", style="red") if row.result.is_bad else self._spinner
            table.add_row(mark, Text(row.host, style="bold"), counts, failed, Text(printable(task)))
        if not rows:
            begun = board.task or "Ansible starts"
            table.add_row(self._spinner, "", "", "", Text(printable(begun)))
        return table


def show_recap(environment: str, board: Board, *, check: bool) -> None:
    """Print a row for each host and what it comes to."""
    print_lines(aligned(list(table_of(board.recap))))
    bad = sum(not it.is_good for it in board.recap)
    changed = f"{counted(board.changed, 'task')} {'would change' if check else 'changed'} something"
    head = "check: nothing was changed; " if check else ""
    hosts = counted(len(board.recap), "host")
    failed = f", {bad} failed" if bad else ""
    print_lines([f"{environment}: {head}{hosts}{failed}, {changed}"])
