"""Decisions over all hosts of an environment: who goes on, who goes back, in which order."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeVar

from restoops.model import Digest, HostState, OpenRun, Record, Release
from restoops.plan.recovery import has_switched
from restoops.plan.rollback import last_good

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Policy:
    """What becomes of a fleet when some of its hosts fail."""

    kind: Literal["all-or-nothing", "stop", "quorum"] = "all-or-nothing"
    quorum: int = 0
    """Hosts that must succeed, with `quorum`."""

    def may_switch(self, hosts: int, failed: int) -> bool:
        """Return whether traffic may move when `failed` of `hosts` could not be prepared."""
        return hosts - failed >= self.quorum if self.kind == "quorum" else not failed

    def goes_back(self, hosts: int, failed: int) -> bool:
        """Return whether hosts that have switched go back when `failed` of `hosts` could not."""
        match self.kind:
            case "all-or-nothing":
                return failed > 0
            case "stop":
                return False
            case "quorum":
                return hosts - failed < self.quorum

    def halts(self, failed: int) -> bool:
        """Return whether hosts that have not switched yet are left as they are."""
        return self.kind == "stop" and failed > 0


class Ending(StrEnum):
    """How a run ended on one host."""

    DONE = "done"
    UNCHANGED = "unchanged"
    """The release served there already."""
    UNDONE = "undone"
    """What served before serves again, or still."""
    FINISHED = "finished"
    """The run was interrupted when traffic had moved: it was brought to its end."""
    UNCLEAR = "unclear"
    """It cannot be told what serves."""
    UNREACHED = "not reached"
    """The host could not be reached and was not touched."""


@dataclass(frozen=True, slots=True)
class HostResult:
    """What serves on a host at the end of a run."""

    host: str
    ending: Ending
    serves: Release | None
    error: str = ""


def elsewhere(
    results: Iterable[HostResult], others: Iterable[HostState]
) -> dict[str, Release | None]:
    """Return what those of `others` serve that serve none of what a run has left on its hosts."""
    here = {it.serves.digest for it in results if it.serves}
    serves = {it.host: it.serving.release if it.serving else None for it in others}
    return {host: it for host, it in serves.items() if it is None or it.digest not in here}


def differ(results: Iterable[HostResult]) -> bool:
    """Return whether hosts serve different releases, or nobody can say what one serves."""
    results = tuple(results)
    endings = {result.ending for result in results}
    left_behind = Ending.UNREACHED in endings and Ending.DONE in endings
    known = [result for result in results if result.ending is not Ending.UNREACHED]
    return (
        left_behind
        or Ending.UNCLEAR in endings
        or len({result.serves.digest if result.serves else None for result in known}) > 1
    )


def finishes(run: OpenRun, states: Iterable[HostState]) -> bool:
    """Return whether a run that was cut off may be finished where its release serves.

    It is undone on every host as long as one of them has not switched: what was cut off in the
    midst of the switch must not leave two releases. Once it has been closed on a host, all had.
    """
    all_switched = True
    for state in states:
        if any(record.run.id == run.id and record.made_live for record in state.history):
            return True
        there = state.open_run
        if there and there.id == run.id:
            all_switched &= has_switched(there, state) and not there.going_back
    return all_switched


@dataclass(frozen=True, slots=True)
class Undone:
    """A deploy that was cut off and is undone before anything else is done."""

    deploy: Release
    serves: Release | None
    """What serves again on all hosts; None when nothing does, or not the same everywhere."""


def undoing(states: Iterable[HostState]) -> Undone | None:
    """Return the deploy that putting right will undo; the newest one, should there be several."""
    states = tuple(states)
    runs = [state.open_run for state in states if state.open_run]
    undone = [run for run in runs if run.kind == "deploy" and not finishes(run, states)]
    if not undone:
        return None
    serve = {release.digest: release for release in map(_serves_then, states) if release}
    is_clear = len(undone) == len(runs) and len(serve) == 1
    newest = max(undone, key=lambda run: run.started_at)
    return Undone(newest.release, next(iter(serve.values())) if is_clear else None)


def _serves_then(state: HostState) -> Release | None:
    """Return what serves on a host once its open run is undone."""
    if state.open_run:
        return state.open_run.previous
    return state.serving.release if state.serving else None


def in_batches(hosts: Sequence[_T], size: str) -> tuple[tuple[_T, ...], ...]:
    """Cut `hosts` into batches of `size`: a number of hosts, or a share such as `25%`.

    Raises:
        ValueError: `size` is neither.
    """
    number = size.removesuffix("%")
    if not number.isascii() or not number.isdigit() or not int(number):
        raise ValueError(f"{size!r} is neither a number of hosts nor a share such as 25%")
    count = int(number)
    if size.endswith("%"):
        if count > 100:
            raise ValueError(f"{size!r} is more than all hosts")
        count = math.ceil(len(hosts) * count / 100)
    return tuple(tuple(hosts[n : n + count]) for n in range(0, len(hosts), max(1, count)))


def common_history(states: Sequence[HostState]) -> tuple[Record, ...]:
    """Return the runs of all hosts, oldest first; one that made its release live anywhere did.

    The order is the one in which each host wrote them down. Clocks of operators, which may be
    wrong, only decide between runs that have no host in common.
    """
    if len(states) == 1:
        return states[0].history
    runs: dict[str, Record] = {}
    for record in (record for state in states for record in state.history):
        known = runs.get(record.run.id)
        if known is None or (record.made_live and not known.made_live):
            runs[record.run.id] = record
    lines = [dict.fromkeys(record.run.id for record in state.history) for state in states]
    return tuple(runs[it] for it in _in_common_order(lines, lambda it: runs[it].run.started_at))


def _in_common_order(
    lines: Iterable[Iterable[str]], started_at: Callable[[str], str]
) -> Iterator[str]:
    """Yield what is in `lines` once, none before what comes before it in any of them."""
    queues = [deque(line) for line in lines]
    left = Counter(one for queue in queues for one in queue)
    while queues := [queue for queue in queues if queue]:
        heads = Counter(queue[0] for queue in queues)
        # Two hosts that contradict each other, as after a history was altered, leave none free.
        free = [one for one, count in heads.items() if count == left[one]] or list(heads)
        first = min(free, key=lambda one: (started_at(one), one))
        for queue in queues:
            if first in queue:
                queue.remove(first)
        yield first


def release_before(states: Sequence[HostState]) -> Release | None:
    """Return the release that a whole fleet goes back to when none is named.

    The one to leave is the newest that serves anywhere, also on a part of the hosts only.
    """
    history = common_history(states)
    serving = {state.serving.release.digest for state in states if state.serving}
    return last_good(history, _newest(history, serving))


def _newest(history: tuple[Record, ...], serving: set[Digest]) -> Digest | None:
    live = (record.run.release.digest for record in reversed(history) if record.made_live)
    return next(
        (digest for digest in live if digest in serving), next(iter(sorted(serving, key=str)), None)
    )
