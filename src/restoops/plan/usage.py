"""What hosts run and can go back to, and so must not be deleted anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from restoops.model import Digest, HostState
from restoops.plan.retention import past_releases

_NAMED = 2


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A host of an environment."""

    environment: str
    host: str

    def __str__(self) -> str:
        return f"{self.environment}/{self.host}"


@dataclass(frozen=True, slots=True)
class Usage:
    """Where images run, and where they can be rolled back to."""

    running: Mapping[Digest, tuple[Place, ...]] = field(default_factory=dict)
    restorable: Mapping[Digest, tuple[Place, ...]] = field(default_factory=dict)
    names: Mapping[Digest, frozenset[str]] = field(default_factory=dict)
    """The tags that images were deployed by."""

    @property
    def digests(self) -> frozenset[Digest]:
        """All that is used anywhere."""
        return frozenset(self.running) | frozenset(self.restorable)

    def why_kept(self, digest: Digest) -> str:
        """Return who needs an image; nothing when nobody does."""
        if places := self.running.get(digest):
            return f"runs on {_some(places)}"
        if places := self.restorable.get(digest):
            return f"can be rolled back to on {_some(places)}"
        return ""


def usage_of(states: Mapping[Place, HostState]) -> Usage:
    """Return what the hosts need.

    What serves is not among what its host can be rolled back to; what is kept warm is. A container
    that has ended, and both ends of a run that was cut off, count as what can be
    rolled back to; so does every release that `rollback --list` knows.
    """
    running: dict[Digest, list[Place]] = {}
    restorable: dict[Digest, list[Place]] = {}
    names: dict[Digest, set[str]] = {}
    for place, state in sorted(states.items()):
        run = {it.release.digest for it in state.containers.values() if it.is_running}
        serving = {state.serving.release.digest} if state.serving else set()
        releases = list(_releases(state))
        for digest in run:
            running.setdefault(digest, []).append(place)
        for digest in {digest for _, digest in releases} - serving:
            restorable.setdefault(digest, []).append(place)
        for tag, digest in releases:
            names.setdefault(digest, set()).add(tag)
    return Usage(
        {digest: tuple(places) for digest, places in running.items()},
        {digest: tuple(places) for digest, places in restorable.items()},
        {digest: frozenset(tags) for digest, tags in names.items()},
    )


def _releases(state: HostState) -> Iterator[tuple[str, Digest]]:
    found = [it.release for it in state.containers.values()]
    found += [record.run.release for record in past_releases(state.history)]
    if state.open_run:
        found += filter(None, (state.open_run.release, state.open_run.previous))
    for release in found:
        yield release.tag, release.digest


def _some(places: tuple[Place, ...]) -> str:
    more = f" and {len(places) - _NAMED} more" if len(places) > _NAMED else ""
    return ", ".join(map(str, places[:_NAMED])) + more
