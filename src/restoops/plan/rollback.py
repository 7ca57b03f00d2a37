"""Which earlier release to go back to, and how fast that can be."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from restoops.model import Container, Digest, HostState, Record, Release, is_git_sha, tag_of
from restoops.plan.retention import past_releases
from restoops.plan.status import warm_of


class Whereabouts(StrEnum):
    """Where a release is now; the order is the order of speed."""

    LIVE = "live"
    WARM = "warm"
    ON_HOST = "on the host"
    IN_REGISTRY = "only in the registry"
    GONE = "gone"
    UNKNOWN = "not on the host; the registry could not be asked"


# Seconds, used until the host's own history knows better.
_GUESSES = {Whereabouts.WARM: 1.0, Whereabouts.ON_HOST: 5.0, Whereabouts.IN_REGISTRY: 60.0}
_BEFORE_S = 0.6
"""Seconds before the first step, which no history holds: start, connect, lock, observe."""
_NEVER_IN_A_ROLLBACK = {"Bake", "SetUp", "Smoke"}
"""Steps of a deploy whose time says nothing about a rollback."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A release that was live once, and what going back to it takes."""

    release: Release
    made_live_at: str
    who: str
    whereabouts: Whereabouts
    takes_s: float | None
    """Seconds, the median of earlier runs of the same sort; None when it cannot be done."""
    is_measured: bool


def candidates(
    state: HostState, in_registry: Callable[[Digest], bool | None]
) -> tuple[Candidate, ...]:
    """Return every release of the history once, newest first.

    `in_registry` is asked only for what is not on the host; None means that it cannot tell.
    """
    return tuple(_candidate(record, state, in_registry) for record in past_releases(state.history))


def last_good(history: tuple[Record, ...], live: Digest | None) -> Release | None:
    """Return the release to go back to from `live` when none is named.

    That is the newest release that served before the one that serves now and that nobody has
    rolled back from since.
    """
    abandoned: set[Digest] = set()
    for record in history:
        if not record.made_live:
            continue
        abandoned.discard(record.run.release.digest)
        if record.run.kind == "rollback" and record.run.previous:
            abandoned.add(record.run.previous.digest)
    found = (record.run.release for record in past_releases(history))
    return next((r for r in found if r.digest != live and r.digest not in abandoned), None)


def find(history: tuple[Record, ...], name: str) -> Release | None:
    """Return the newest release that was made live under `name`.

    That is a tag, a Git SHA, or a digest: whole, or its first twelve digits or more. Twelve digits
    can be either of two things; a Git SHA goes first.
    """
    names = (name, tag_of(name)) if is_git_sha(name) else (name,)
    past = [record.run.release for record in past_releases(history)]
    ever = [record.run.release for record in reversed(history) if record.made_live]
    by_tag = (release for release in (*past, *ever) if release.tag in names)
    by_digest = (release for release in past if release.digest.begins_with(name))
    return next(by_tag, None) or next(by_digest, None)


def _candidate(
    record: Record, state: HostState, in_registry: Callable[[Digest], bool | None]
) -> Candidate:
    release = record.run.release
    where = _whereabouts(release.digest, state, in_registry)
    takes_s, is_measured = _estimate(where, state.history)
    return Candidate(release, record.ended_at, record.run.who, where, takes_s, is_measured)


def _whereabouts(
    digest: Digest, state: HostState, in_registry: Callable[[Digest], bool | None]
) -> Whereabouts:
    if _runs(state.serving, digest):
        return Whereabouts.LIVE
    if _runs(warm_of(state), digest):
        return Whereabouts.WARM
    if digest in state.images:
        return Whereabouts.ON_HOST
    match in_registry(digest):
        case None:
            return Whereabouts.UNKNOWN
        case found:
            return Whereabouts.IN_REGISTRY if found else Whereabouts.GONE


def _runs(container: Container | None, digest: Digest) -> bool:
    return bool(container and container.is_running and container.release.digest == digest)


def _estimate(where: Whereabouts, history: tuple[Record, ...]) -> tuple[float | None, bool]:
    if where not in _GUESSES:
        return None, False
    durations = _durations(history, where)
    return (median(durations), True) if durations else (_GUESSES[where], False)


def _durations(history: tuple[Record, ...], where: Whereabouts) -> list[float]:
    """Return what runs of this sort took; one that had to pull tells of one that has not to."""
    left_out = _NEVER_IN_A_ROLLBACK | ({"Pull"} if where is Whereabouts.ON_HOST else set())
    logs = [
        [timing for timing in record.log if timing.step not in left_out and not timing.broken]
        for record in history
        if record.outcome == "done"
    ]
    return [
        _BEFORE_S + sum(timing.seconds for timing in log)
        for log in logs
        if _sort(timing.step for timing in log) is where
    ]


def _sort(steps: Iterable[str]) -> Whereabouts:
    names = set(steps)
    if "Pull" in names:
        return Whereabouts.IN_REGISTRY
    return Whereabouts.ON_HOST if "Start" in names else Whereabouts.WARM
