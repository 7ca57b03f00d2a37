"""The moments at which a swap can be cut off, generated from what the planner plans."""

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from typing import Literal

from restoops.handover import SecretSet
from restoops.model import Color, Container, Digest, HostState, OpenRun, Proxy, Record, Release
from restoops.plan.bake import Limits
from restoops.plan.bluegreen import SwapPlan, Wishes, plan_deploy, plan_rollback
from restoops.report.jsonl import snake

SIGNALS = (signal.SIGKILL, signal.SIGINT, signal.SIGTERM)
KEEP = 3
BAKE_S = 1
Which = Literal[
    "first deploy", "deploy", "deploy that stops", "deploy that is watched",
    "deploy with new proxy", "deploy with secrets", "warm rollback", "cold rollback",
]  # fmt: skip
CHECK = "front"
"""The smoke check of a deploy with secrets."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A signal at the begin or the end of one step of a run."""

    which: Which
    index: int
    step: str
    number: signal.Signals
    event: Literal["step_started", "step_ended"] = "step_started"

    @property
    def plan(self) -> list[str]:
        """All steps of the run."""
        return steps_of(self.which)

    def __str__(self) -> str:
        when = "at the start of" if self.event == "step_started" else "at the end of"
        return f"{self.which}: {self.number.name} {when} {self.index + 1}, {self.step}"


def steps_of(which: Which) -> list[str]:
    """Return the kinds of the steps of a run."""
    return [snake(type(step).__name__) for step in _plan(which).steps]


def moments() -> Iterator[Moment]:
    """Yield all of the table."""
    whole: tuple[Which, ...] = (
        "first deploy", "deploy", "deploy that stops", "deploy that is watched", "warm rollback",
        "cold rollback", "deploy with secrets",
    )  # fmt: skip
    for which in whole:
        for index, step in enumerate(steps_of(which)):
            for number in SIGNALS:
                yield Moment(which, index, step, number)
            yield Moment(which, index, step, signal.SIGKILL, "step_ended")
    # What comes after the proxy is a deploy as any other.
    index = steps_of("deploy with new proxy").index("run_proxy")
    for number in SIGNALS:
        yield Moment("deploy with new proxy", index, "run_proxy", number)


def sample() -> set[Moment]:
    """Return some of `moments`: one for each kind of step, signals in turn, all at a switch."""
    turn = cycle(SIGNALS)
    chosen: dict[str, Moment] = {}
    # The first deploy comes last: it has no release that could go on serving.
    for moment in sorted(moments(), key=lambda moment: moment.which == "first deploy"):
        if moment.step not in chosen:
            chosen[moment.step] = Moment(moment.which, moment.index, moment.step, next(turn))
    at_a_switch = {
        moment
        for moment in moments()
        if moment.step == "switch"
        and moment.which in ("deploy", "warm rollback")
        and moment.event == "step_started"
    }
    return {*chosen.values(), *at_a_switch}


def _plan(which: Which) -> SwapPlan:
    state = HostState("host") if which == "first deploy" else _state(which)
    warm_s = 0 if which == "deploy that stops" else 600
    bake = Limits(BAKE_S, 0.02, 50) if which == "deploy that is watched" else None
    checks = (CHECK,) if which == "deploy with secrets" else ()
    wishes = Wishes(
        "spec", 5, successes=3, drain_s=30, warm_s=warm_s, keep=KEEP, bake=bake,
        smoke=checks, smoke_live=checks,
    )  # fmt: skip
    match which:
        case "warm rollback":
            return plan_rollback(state, _release(2), wishes)
        case "cold rollback":
            return plan_rollback(state, _release(1), wishes)
        case _:
            return plan_deploy(state, _release(4), wishes)


def _state(which: Which) -> HostState:
    """Return a host on which 3 serves, 2 is warm and of 1 the image is left."""
    green_status = "exited" if which == "deploy that stops" else "running"
    is_current = which != "deploy with new proxy"
    proxy = Proxy(True, is_current, Color.BLUE, Color.BLUE, frozenset(Color), covering=True)
    return HostState(
        host="host",
        ready=True,
        proxy=proxy,
        containers={
            Color.BLUE: Container("b", Color.BLUE, _release(3), "spec", "running"),
            Color.GREEN: Container("g", Color.GREEN, _release(2), "spec", green_status),
        },
        images=frozenset(_release(number).digest for number in (1, 2, 3)),
        history=tuple(_record(number) for number in (1, 2, 3)),
        secrets=_secrets(which),
    )


def _secrets(which: Which) -> tuple[SecretSet, ...]:
    if which != "deploy with secrets":
        return ()
    return tuple(
        SecretSet(f"{number}", _release(number).digest, f"{number}", "", "", is_complete=True)
        for number in (1, 2, 3)
    )


def _release(number: int) -> Release:
    return Release(f"r{number}", Digest(f"sha256:{number:064}"))


def _record(number: int) -> Record:
    run = OpenRun(f"{number}", "deploy", _release(number), "olga", "desk", "", None, Color.BLUE)
    return Record(run, "done", "")
