"""Which images a host may lose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from restoops.model import Digest, HostState, OpenRun, Record
from restoops.plan.ages import seconds_between
from restoops.plan.fate import Fate, Retention


def past_releases(history: tuple[Record, ...]) -> tuple[Record, ...]:
    """Return the newest run that made each digest live, newest first."""
    newest: dict[Digest, Record] = {}
    for record in reversed(history):
        if record.made_live:
            newest.setdefault(record.run.release.digest, record)
    return tuple(newest.values())


def images_to_remove(state: HostState, keep: int, *, used: frozenset[Digest]) -> frozenset[Digest]:
    """Return the images that a host may lose when the containers of `used` are all that it has.

    Kept are those, and of the past releases as many as make `keep` together with them. What
    never became live is not kept. An image that no run here was about is not ours to remove:
    another application on the host may be made from the same repository.
    """
    past = [record.run.release.digest for record in past_releases(state.history)]
    older = [digest for digest in past if digest not in used]
    return (state.images & _ours(state)) - used - frozenset(older[: max(0, keep - len(used))])


def plan_host(
    where: str,
    state: HostState,
    sizes: Mapping[Digest, int],
    wish: Retention,
    in_registry: Callable[[Digest], bool | None],
) -> tuple[Fate, ...]:
    """Return what becomes of each image of the application on a host, the newest first.

    What can be rolled back to is removed only where the registry still has it: `in_registry` is
    asked for what would go, and None means that it cannot tell.
    """
    shelf = _Shelf.of(state, wish)

    def fate(digest: Digest) -> Fate:
        reason = shelf.why_kept(digest, in_registry)
        action: Literal["keep", "delete"] = "keep" if reason else "delete"
        names, since = shelf.names.get(digest, ()), shelf.since.get(digest, "")
        reason = reason or shelf.why_removed(digest)
        return Fate(where, digest, names, action, reason, since, sizes.get(digest, 0))

    newest = sorted(state.images, key=lambda it: (shelf.since.get(it, ""), str(it)), reverse=True)
    return tuple(map(fate, newest))


@dataclass(frozen=True, slots=True)
class _Shelf:
    """What a host knows of its images."""

    wish: Retention
    names: Mapping[Digest, tuple[str, ...]]
    since: Mapping[Digest, str]
    """When the last run about an image began."""
    used: frozenset[Digest]
    goes: frozenset[Digest]
    past: frozenset[Digest]

    @classmethod
    def of(cls, state: HostState, wish: Retention) -> _Shelf:
        runs = _runs(state)
        releases = {run.release for run in runs}
        names = {
            it.digest: tuple(sorted(r.tag for r in releases if r.digest == it.digest))
            for it in releases
        }
        used = {container.release.digest for container in state.containers.values()}
        if state.open_run:
            used |= {it.digest for it in (state.open_run.release, state.open_run.previous) if it}
        return cls(
            wish,
            names,
            {run.release.digest: run.started_at for run in runs},
            frozenset(used),
            images_to_remove(state, wish.keep, used=frozenset(used)),
            frozenset(record.run.release.digest for record in past_releases(state.history)),
        )

    def why_kept(self, digest: Digest, in_registry: Callable[[Digest], bool | None]) -> str:
        if digest in self.used:
            return "a container or an unfinished run uses it"
        if digest not in self.names:
            return "no run here was about it"
        if digest not in self.goes:
            return f"one of the {self.wish.keep} newest releases here"
        if reason := self.wish.tags.why_protected(self.names[digest]):
            return reason
        young_s = self.wish.older_than_s
        if young_s and seconds_between(self.since[digest], self.wish.now) < young_s:
            return "younger than --older-than"
        if digest not in self.past:
            return ""
        match in_registry(digest):
            case None:
                return "the registry could not be asked whether it still has it"
            case found:
                return "" if found else "rollbacks can have it from nowhere else"

    def why_removed(self, digest: Digest) -> str:
        if digest in self.past:
            return f"older than the {self.wish.keep} newest releases here"
        return "it never became live here"


def _ours(state: HostState) -> frozenset[Digest]:
    return frozenset(run.release.digest for run in _runs(state))


def _runs(state: HostState) -> list[OpenRun]:
    return [*(it.run for it in state.history), *filter(None, [state.open_run])]
