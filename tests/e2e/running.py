"""A command that runs while a test does something about it."""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from typing import Any

from tests.lab.operator import Outcome
from tests.lab.patience import PATIENCE_S

Event = dict[str, Any]


class Running:
    """A command with `--json`; its events are followed as it prints them.

    `on_event` is called for each at once, on a thread of its own: it can send a signal. Use it
    as a context manager: a command that still runs at the end is killed.
    """

    def __init__(
        self,
        process: subprocess.Popen[str],
        on_event: Callable[["Running", Event], None] = lambda *_: None,
    ) -> None:
        self.process = process
        self.events: list[Event] = []
        self._on_event = on_event
        self._lines: list[str] = []
        self._told: list[str] = []
        self._changed = threading.Condition()
        self._threads = [
            threading.Thread(target=self._follow_events, daemon=True),
            threading.Thread(target=self._follow_errors, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> "Running":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.finish()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the command."""
        os.kill(self.process.pid, number)

    def await_event(
        self, matches: Callable[[Event], bool], what: str, timeout_s: float = PATIENCE_S
    ) -> Event:
        """Return the first event that matches, waiting for it if need be."""
        with self._changed:
            found = self._changed.wait_for(
                lambda: next(filter(matches, self.events), None), timeout_s
            )
        assert found, f"no {what} within {timeout_s:g} s: {self._lines} {self._told}"
        return found

    def await_step(self, step: str, event: str = "step_started") -> Event:
        """Return the first event of a step, waiting for it if need be."""
        return self.await_event(lambda e: is_step(e, event, step), f"{event} of {step}")

    def finish(self, timeout_s: float = 2 * PATIENCE_S) -> Outcome:
        """Wait for the end and return the outcome."""
        deadline = time.monotonic() + timeout_s
        status = self.process.wait(timeout_s)
        for thread in self._threads:
            thread.join(max(0.1, deadline - time.monotonic()))
        return Outcome(status, "".join(self._lines), "".join(self._told))

    def _follow_events(self) -> None:
        assert self.process.stdout
        with self.process.stdout as stream:
            for line in stream:
                event = json.loads(line)
                self._on_event(self, event)
                with self._changed:
                    self._lines.append(line)
                    self.events.append(event)
                    self._changed.notify_all()

    def _follow_errors(self) -> None:
        assert self.process.stderr
        with self.process.stderr as stream:
            self._told.extend(stream)


def is_step(event: Event, kind: str, step: str) -> bool:
    """Return whether an event is the one of this kind of this step."""
    return bool(event["event"] == kind and event["step"]["step"] == step)


def planned(outcome: Outcome) -> list[str]:
    """Return the steps of a run that printed its plan."""
    plan = next(event for event in outcome.events if event["event"] == "planned")
    return [step["step"] for step in plan["steps"]]


def result(outcome: Outcome) -> Event:
    """Return the event that a run without a fault ends with."""
    return next(event for event in outcome.events if event["event"] == "run_ended")
