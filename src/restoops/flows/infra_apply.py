"""Apply what was reviewed, and say what is true afterwards, however it ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from restoops.adapters.private import private_directory
from restoops.adapters.terraform_words import PlanOptions, apply_argv
from restoops.errors import (
    Interrupted,
    NeedsAttention,
    RestoopsError,
    StepFailed,
)
from restoops.flows.infra import Desk
from restoops.flows.infra_plan import Made, as_reviewed, make
from restoops.plan.infra_changes import Change, unconfirmed
from restoops.plan.infra_progress import Done, what_is_done
from restoops.plan.infra_resources import resources_of
from restoops.plan.infra_summary import Summary

_UNKNOWN = "what is done could not be read from the state"


class Operator(Protocol):
    """Who is asked before something is done."""

    def type_names(self, asked: dict[str, Change]) -> None:
        """Let each name be typed; raise `Refused` when one is not."""

    def agree(self, question: str) -> None:
        """Ask for a yes; raise `Refused` when it does not come."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be applied, and what was confirmed already."""

    options: PlanOptions
    file: Path | None = None
    typed: tuple[str, ...] = ()
    dry_run: bool = False


def apply(
    desk: Desk, request: Request, operator: Operator, show: Callable[[Summary], None]
) -> Summary | None:
    """Plan, or take the plan that was reviewed; show it, ask, and apply it.

    Returns what was applied; None when there was nothing to do or it was a dry run.

    Raises:
        Refused: it was not confirmed, or is not what was reviewed; nothing was changed.
        Interrupted: a signal ended it; says what is done and what is not.
        RestoopsError: it failed; says what is done and what is not.
    """
    with private_directory() as folder:
        if request.file:
            made = as_reviewed(desk, request.file, request.options, folder)
        else:
            made = make(desk, request.options, folder)
        summary = desk.summarise(made.content)
        show(summary)
        if summary.is_empty or request.dry_run:
            return None
        operator.type_names(unconfirmed(summary.changes, request.typed))
        operator.agree(f"Apply this to {desk.environment}?")
        _carry_out(desk, made, request.options.wait_s)
        return summary


def _carry_out(desk: Desk, made: Made, wait_s: int) -> None:
    try:
        desk.terraform.stream(apply_argv(made.file, wait_s))
    except Interrupted as error:
        raise Interrupted(f"{error.message}: {_facts(desk, made)}", hint=_next(desk)) from error
    except NeedsAttention:
        raise
    except RestoopsError as error:
        done = _look(desk, made)
        if done and not (done.done or done.broken):
            error.message += "; nothing was changed"
            raise
        facts = str(done) if done else _UNKNOWN
        raise StepFailed(
            f"{error.message}; {facts}", hint=f"{error.hint}\n{_next(desk)}"
        ) from error


def _facts(desk: Desk, made: Made) -> str:
    return str(_look(desk, made) or _UNKNOWN)


def _look(desk: Desk, made: Made) -> Done | None:
    try:
        state = desk.show()
    except RestoopsError:
        return None
    return what_is_done(made.content, resources_of(state.get("values")))


def _next(desk: Desk) -> str:
    return (
        f"The state is saved. `restoops infra plan {desk.environment}` shows what is left, "
        f"`restoops infra apply {desk.environment}` goes on with it."
    )


def normal(wait_s: int) -> PlanOptions:
    """Return how to plan what the code says."""
    return PlanOptions(wait_s)


def destroying(wait_s: int) -> PlanOptions:
    """Return how to plan that nothing is left."""
    return PlanOptions(wait_s, "destroy")
