"""Which secrets a host keeps for its releases."""

from __future__ import annotations

from collections.abc import Iterable

from restoops.handover import SecretSet
from restoops.model import Color, Digest, HostState, Placed


def own_set(state: HostState, digest: Digest) -> SecretSet | None:
    """Return the newest secrets that a release was given; None when they are gone."""
    found = [it for it in state.secrets if it.is_complete and it.digest == digest]
    return found[-1] if found else None


def unneeded(
    state: HostState, kept: Iterable[Digest], *, without: Color | None, undone: str = ""
) -> frozenset[str]:
    """Return the secrets that a host may lose, once the slot `without` has been emptied.

    Kept is what a container was given, and the newest of each release in `kept`. What was made in
    the run `undone` never served.
    """
    left = [it for it in state.secrets if it.run != undone or not undone]
    used = {it.secrets for it in state.containers.values() if it.color is not without}
    served = {it.digest: it.id for it in left if it.is_complete}  # the newest comes last
    needed = used | {served[digest] for digest in kept if digest in served}
    return frozenset(it.id for it in state.secrets if it.id not in needed)


def placed_in(sets: Iterable[SecretSet]) -> dict[str, Placed]:
    """Return what is in all of `sets` together; a fingerprint is empty where they differ."""
    found: dict[str, Placed] = {}
    for it in sets:
        for name, one in it.placed.items() if it.is_complete else ():
            before = found.get(name, one)
            is_same = before.fingerprint == one.fingerprint
            since = max(before.since, one.since)
            found[name] = Placed(one.fingerprint if is_same else "", since)
    return found
