"""The table that a run of Ansible comes to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from restoops.plan.playbook import (
    HostRecap,
    PlaybookEnded,
    PlaybookEvent,
    PlayStarted,
    Remark,
    Result,
    TaskEnded,
    TaskStarted,
)


@dataclass(frozen=True, slots=True)
class Row:
    """Where a host is: the task that ended last there, how, and what was counted until then."""

    host: str
    task: str = ""
    result: Result = Result.OK
    ok: int = 0
    changed: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Board:
    """A run so far: a row for each host, and what went wrong."""

    play: str = ""
    task: str = ""
    rows: Mapping[str, Row] = field(default_factory=dict)
    failures: tuple[TaskEnded, ...] = ()
    remarks: tuple[str, ...] = ()
    recap: tuple[HostRecap, ...] = ()

    def after(self, event: PlaybookEvent) -> Board:
        """Return the run with one more event."""
        match event:
            case PlayStarted(play):
                return replace(self, play=play, task="")
            case TaskStarted(task):
                return replace(self, task=task)
            case Remark(line):
                return replace(self, remarks=(*self.remarks, line))
            case PlaybookEnded(hosts):
                return replace(self, recap=hosts, task="")
            case TaskEnded():
                row = _row_after(self.rows.get(event.host, Row(event.host)), event)
                bad = (event,) if event.result.is_bad else ()
                rows = {**self.rows, event.host: row}
                return replace(self, rows=rows, failures=self.failures + bad)

    @property
    def is_over(self) -> bool:
        """Whether Ansible told what came of each host."""
        return bool(self.recap)

    @property
    def changed(self) -> int:
        """Changes on all hosts."""
        return sum(row.changed for row in self.rows.values())

    @property
    def fatal(self) -> tuple[TaskEnded, ...]:
        """The last failure of each host that did not go on after it."""
        bad = {it.host for it in self.recap if not it.is_good} if self.recap else set(self.rows)
        last = {it.host: it for it in self.failures if it.host in bad}
        return tuple(last.values())


def _row_after(row: Row, event: TaskEnded) -> Row:
    result = event.result
    return replace(
        row,
        task=event.task,
        result=result,
        ok=row.ok + (result in (Result.OK, Result.CHANGED)),
        changed=row.changed + (result is Result.CHANGED),
        failed=row.failed + result.is_bad,
    )


def table_of(recap: Sequence[HostRecap]) -> Iterator[tuple[str, ...]]:
    """Yield the rows of a summary, its heads first."""
    yield ("HOST", "OK", "CHANGED", "FAILED", "UNREACHABLE", "SKIPPED")
    for it in recap:
        counts = (it.ok, it.changed, it.failed, it.unreachable, it.skipped)
        yield (it.host, *map(str, counts))
