"""What a run tells while Ansible's module carries it out."""

from __future__ import annotations

import os
import select
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from restoops.masking import masked
from restoops.report.events import Event, FleetEnded, Planned, Recovering, RunEnded, RunStarted
from restoops.report.jsonl import plain, snake
from restoops.report.plain import sentence
from restoops.report.wording import describe

if TYPE_CHECKING:
    from restoops.flows.interrupt import Interrupt

_WATCH_MS = 500


class Told:
    """Keeps what a run tells, and ends it when nobody is there any more to be told."""

    def __init__(self, progress: str) -> None:
        self.lines: list[str] = []
        self.has_recovered = False
        self._progress = Path(progress) if progress else None
        self._started: RunStarted | None = None
        self._planned: dict[str, Planned] = {}
        self._ended: RunEnded | FleetEnded | None = None

    def tell(self, event: Event) -> None:
        """Take in one event."""
        event = masked(event)
        match event:
            case RunStarted():
                self._started = event
            case Planned():
                self._planned[event.host] = event
            case Recovering():
                self.has_recovered = True
            case RunEnded() | FleetEnded():
                self._ended = event
        if line := sentence(event):
            self.lines += line.splitlines()
            if self._progress:
                with self._progress.open("a") as file:
                    file.write(f"{line}\n")

    def watch(self, interrupt: Interrupt) -> None:
        """Ask for an end when Ansible has gone: killed, it passes nothing on."""
        threading.Thread(target=_ask_when_alone, args=(interrupt,), daemon=True).start()

    def result(self, names: Mapping[str, str]) -> dict[str, Any]:
        """Return what became of the hosts, by their names in the inventory."""
        assert self._started  # noqa: S101  a run that does not fail tells these
        assert self._ended  # noqa: S101
        ended, release = self._ended, self._started.release
        moving = [it for it in self._planned.values() if it.steps]
        dry_run = ended.dry_run
        return {
            "changed": bool(moving) or self.has_recovered,
            "release": plain(release),
            "hosts": {
                names.get(host, host): {
                    "previous": plain(planned.previous),
                    "release": plain(planned.previous if dry_run else release),
                    "steps": [describe(step) for step in planned.steps],
                }
                for host, planned in self._planned.items()
            },
            "seconds": ended.seconds,
            "summary": sentence(ended),
            "ended": {"event": snake(type(ended).__name__), **plain(ended)},
            "log": self.lines,
        }


def _ask_when_alone(interrupt: Interrupt) -> None:
    """Ask for an end when nobody reads our standard output any more, or Ansible itself has gone.

    A worker of Ansible that is left behind goes on reading.
    """
    from restoops.adapters.process import is_alive

    pipe, ansible = select.poll(), _ansible()
    pipe.register(sys.__stdout__ or 1, 0)  # errors and hang-ups are always told
    while not pipe.poll(_WATCH_MS) and (ansible is None or is_alive(ansible)):
        pass
    interrupt.ask()


def _ansible() -> int | None:
    """Return the process of Ansible: it has made a session for the worker that started us."""
    from restoops.adapters.process import parent_of

    found = parent_of(os.getsid(0))
    return found[0] if found and "ansible" in found[1] else None
