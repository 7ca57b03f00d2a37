"""Run a playbook of Ansible on the hosts of an environment, and say what came of it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from restoops.adapters import ansible
from restoops.adapters.private import private_directory
from restoops.errors import Interrupted, RestoopsError, StepFailed, Unreachable
from restoops.flows.interrupt import Interrupt
from restoops.flows.playbook_files import Job, prepared
from restoops.masking import learn, masked
from restoops.model import Secret
from restoops.plan.playbook import PlaybookEvent, Remark, Result, TaskEnded, read_event
from restoops.plan.playbook_board import Board
from restoops.plan.playbook_faults import hint_for
from restoops.report.wording import counted

_SECRET_FILES = ("ANSIBLE_BECOME_PASSWORD_FILE", "ANSIBLE_VAULT_PASSWORD_FILE")
_REMARKS = 20


Show = Callable[[PlaybookEvent], None]


def run_playbook(job: Job, show: Show, interrupt: Interrupt, progress: Path | None = None) -> Board:
    """Run it to the end, with each event shown as it comes; return what came of the hosts.

    Lines that a module adds to the file `progress` are shown as remarks.

    Raises:
        StepFailed: a task failed; says which, on which host, why, and what to do.
        Unreachable: no host that failed could be reached, and nothing was changed.
        Interrupted: somebody asked for an end.
    """
    learn(*passwords(os.environ))
    watched = _Watched(show, progress)
    watch = ansible.Watch(watched.hear, lambda: interrupt.is_asked, watched.follow)
    with private_directory() as folder:
        playbook = prepared(job, folder)
        try:
            status = ansible.run(playbook, watch)
        except Interrupted as error:
            raise _interrupted(error, job, watched.board) from error
    if status:
        raise why(watched.board, job, status)
    return watched.board


class _Watched:
    """Keeps the board of a run, and shows each event with the board after it."""

    def __init__(self, show: Show, progress: Path | None) -> None:
        self.board = Board()
        self._progress = progress
        self._read = 0
        self._show = show

    def hear(self, line: str) -> None:
        """Take in a line that Ansible wrote, without secrets."""
        self.follow()
        if event := read_event(line):
            self._take(event)

    def follow(self) -> None:
        """Show what a module has written since; it writes whole lines."""
        if self._progress and self._progress.is_file():
            with self._progress.open("rb") as file:
                file.seek(self._read)
                told = file.read()
            self._read += len(told)
            for line in told.decode(errors="replace").splitlines():
                self._take(Remark(masked(line)))

    def _take(self, event: PlaybookEvent) -> None:
        self.board = self.board.after(event)
        with contextlib.suppress(OSError):  # a closed pipe must not end a run half way
            self._show(event)


def passwords(environ: Mapping[str, str]) -> Iterator[Secret]:
    """Yield the passwords in the files that Ansible is told to read them from."""
    for name in filter(None, map(environ.get, _SECRET_FILES)):
        with contextlib.suppress(OSError, ValueError):
            path = Path(name).expanduser()
            if not os.access(path, os.X_OK):  # Ansible runs it, and takes what it prints
                yield Secret(path.read_text("utf-8"))


def why(board: Board, job: Job, status: int) -> RestoopsError:
    """Return the error that a run which failed ends with."""
    environment = job.loaded.environment
    failures = board.fatal
    if not failures:
        said = "\n".join(board.remarks[-_REMARKS:])
        return StepFailed(
            f"{ansible.PROGRAM} ended with status {status} before any task failed",
            hint=hint_for(said, environment),
            details=said,
        )
    first = failures[0]
    others = "".join(f"; {_in_short(it)}" for it in failures[1:4])
    more = f"; and {len(failures) - 4} more hosts" if len(failures) > 4 else ""
    message = f"{_in_short(first)}{others}{more}"
    hint = hint_for(f"{first.message}\n{first.details}", environment)
    if not job.check:
        message += f"; {_changes(board)}" if board.changed else ""
        hint += f" {job.afterwards}" if job.afterwards else ""
    away = all(it.result is Result.UNREACHABLE for it in failures) and not board.changed
    kind = Unreachable if away else StepFailed
    return kind(message, hint=hint, details=first.details)


def _in_short(failure: TaskEnded) -> str:
    what = "cannot be reached" if failure.result is Result.UNREACHABLE else "failed"
    reason = failure.message or "it gives no reason"
    return f"{failure.host}: task `{failure.task}` {what}: {reason}"


def _interrupted(error: Interrupted, job: Job, board: Board) -> Interrupted:
    where = f" in task `{board.task}`" if board.task else ""
    done = _changes(board) if board.changed else "nothing was changed yet"
    return Interrupted(
        f"{error.message}{where}; {done}",
        hint=f"What had begun on a host may still end there. {job.afterwards}".rstrip(),
    )


def _changes(board: Board) -> str:
    was = "was" if board.changed == 1 else "were"
    return f"{counted(board.changed, 'change')} {was} made"
