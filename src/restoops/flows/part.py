"""What a fleet does with one of its hosts, whichever process leads that."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from restoops.errors import RestoopsError
from restoops.flows.interrupt import Interrupt
from restoops.model import HostState, Release
from restoops.plan.bake import Figures
from restoops.plan.bluegreen import SwapPlan
from restoops.plan.fleet import HostResult


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a run has come on one host."""

    result: HostResult
    """What serves there, as far as is known."""
    previous: Release | None = None
    """What served when the run began."""
    held_by: str = ""
    """Who was found to hold the lock of the host."""
    cut: int = 0
    """Requests that were still running when the drain came to its deadline."""
    is_open: bool = False
    """Whether the run has begun there and has neither ended nor been undone."""


class Part(ABC):
    """A run on one host, between taking its lock and giving it back; see `session.Session`."""

    plan: SwapPlan | None = None
    """What is to be done there, once it is being prepared."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The host."""

    @property
    @abstractmethod
    def standing(self) -> Standing:
        """How far the run has come."""

    @property
    def result(self) -> HostResult:
        """What serves there, as far as is known."""
        return self.standing.result

    @property
    def previous(self) -> Release | None:
        """What served when the run began."""
        return self.standing.previous

    @property
    def is_open(self) -> bool:
        """Whether the run has begun there and has neither ended nor been undone."""
        return self.standing.is_open

    @abstractmethod
    def take_lock(self, *, wait_s: int) -> None:
        """Take the lock of the host."""

    @abstractmethod
    def give_lock_back(self) -> None:
        """Let others have the host; without a lock this does nothing."""

    @abstractmethod
    def observe(self) -> HostState:
        """Return what is there, and remember what serves."""

    @abstractmethod
    def recover(self, state: HostState, *, may_finish: bool) -> HostState:
        """Put right a run that was cut off."""

    @abstractmethod
    def prepare(self, plan: SwapPlan, state: HostState, interrupt: Interrupt) -> None:
        """Do all that clients do not notice."""

    @abstractmethod
    def run_command(self, command: tuple[str, ...], timeout_s: float, interrupt: Interrupt) -> None:
        """Run a command once in the image of the new release."""

    @abstractmethod
    def make_sure(self) -> None:
        """Ask the host for a sign of life."""

    @abstractmethod
    def switch(self, interrupt: Interrupt) -> None:
        """Send traffic to the new release and see it answer."""

    @abstractmethod
    def bake(self, interrupt: Interrupt, for_s: float | None = None) -> Figures | None:
        """Watch the new release under traffic."""

    @abstractmethod
    def settle(self, interrupt: Interrupt) -> None:
        """Retire the release before, and write the run into the history."""

    @abstractmethod
    def serves_new(self) -> bool:
        """Return whether traffic goes to the release of the run that is open here."""

    @abstractmethod
    def leave_interrupted(self, *, finish: bool) -> None:
        """Undo the run, or finish it when traffic has moved everywhere."""

    @abstractmethod
    def undo(self, error: RestoopsError) -> RestoopsError:
        """Leave the release before serving; return the error that the operator is to see."""
