"""Tell GitHub of a run as a deployment, beside the run: it never fails it and hardly delays it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from restoops.adapters.deployments import Deployment
from restoops.errors import Interrupted, RestoopsError
from restoops.flows.background import in_background
from restoops.flows.interrupt import Interrupt
from restoops.model import Release
from restoops.plan.provenance import fits, sha_in
from restoops.report.events import Event, FleetEnded, RunEnded, RunStarted, StepStarted
from restoops.report.run_summary import is_well

PATIENCE_S, HURRY_S = 5.0, 1.0
"""Seconds that the end of a run waits for GitHub, and that of one that is to end at once."""


class Board(Protocol):
    """Where deployments are written."""

    def create(self, wish: Deployment) -> int:
        """Write a deployment and return its number."""

    def set_state(self, number: int, state: str, description: str = "") -> None:
        """Write what has become of one."""

    def retire_earlier(self, number: int, environment: str) -> None:
        """Write of those before that they are not active any more."""


class Withdrawing(Protocol):
    """Where it is written that a release, once it served, turned out ill."""

    def take_back(self, environment: str, why: str) -> None:
        """Write of what this job called a success that it is a failure."""


def take_back(board: Withdrawing, environment: str, why: str, say: Callable[[str], None]) -> None:
    """Tell GitHub that what this job deployed is ill after all, in a few seconds or not at all."""
    told = in_background(lambda: board.take_back(environment, why))
    try:
        told(_Soon(time.monotonic() + PATIENCE_S))
    except RestoopsError as error:
        say(f"GitHub was not told that this deployment is ill: {error.message}")


class _Soon(Interrupt):
    """Ends what is waited for at a moment."""

    def __init__(self, until: float) -> None:
        super().__init__()
        self._until = until

    def check(self) -> None:
        if time.monotonic() >= self._until:
            raise Interrupted(f"no answer within {PATIENCE_S:g} s")


@dataclass(frozen=True, slots=True)
class _Last:
    state: str
    description: str


class Announcer:
    """Listens to a run; what it has to tell is told by a thread of its own."""

    def __init__(self, board: Board, commit: str, say: Callable[[str], None]) -> None:
        """Know the `commit` that the job is about, and whom to tell what GitHub does not take."""
        self._board = board
        self._commit = commit
        self._say = say
        self._started: RunStarted | None = None
        self._ended: RunEnded | FleetEnded | None = None
        self._last: _Last | None = None
        self._fault = ""
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def tell(self, event: Event) -> None:
        """Take in one event; a run that changes nothing has no steps, and is no deployment."""
        match event:
            case RunStarted():
                self._started = event
            case StepStarted() if self._started and not self._thread:
                self._thread = threading.Thread(
                    target=self._work, args=(self._started,), name="deployment", daemon=True
                )
                self._thread.start()
            case RunEnded() | FleetEnded():
                self._ended = event

    def end(self, error: BaseException | None) -> None:
        """Tell how the run ended, in a few seconds or not at all."""
        if not self._thread:
            return
        self._last = self._outcome(error)
        self._over.set()
        patience_s = HURRY_S if isinstance(error, Interrupted) else PATIENCE_S
        self._thread.join(patience_s)
        if self._thread.is_alive():
            self._fault = f"no answer within {patience_s:g} s"
        if self._fault:
            self._say(f"GitHub was not told of this deployment: {self._fault}")

    def _outcome(self, error: BaseException | None) -> _Last:
        if error is None and self._ended and is_well(self._ended):
            return _Last("success", "It serves.")
        if isinstance(error, Interrupted):
            return _Last("inactive", str(error))
        return _Last("failure", str(error) if isinstance(error, RestoopsError) else "")

    def _work(self, started: RunStarted) -> None:
        try:
            number = self._board.create(_deployment(started, self._commit))
            self._board.set_state(number, "in_progress")
            self._over.wait()
            if self._last:
                self._board.set_state(number, self._last.state, self._last.description)
                if self._last.state == "success":
                    self._board.retire_earlier(number, started.environment)
        except RestoopsError as error:
            self._fault = " ".join(filter(None, (error.message, error.hint)))
        except Exception as error:  # noqa: BLE001  of our own making; the run goes on without
            self._fault = type(error).__name__


def _deployment(started: RunStarted, commit: str) -> Deployment:
    release = started.release
    return Deployment(
        ref=commit_of(release, commit),
        environment=started.environment,
        description=f"{started.kind} of {release.tag}",
        payload={"tag": release.tag, "digest": str(release.digest), "kind": started.kind},
    )


def commit_of(release: Release, commit: str) -> str:
    """Return the commit that a release was built from: in its tag, else the one of the job."""
    sha = sha_in(release.tag)
    return commit if not sha or fits(sha, commit) else sha
