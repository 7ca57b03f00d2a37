"""Which images a host may lose."""

from __future__ import annotations

from restoops.model import Digest, HostState, Record


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
    never became live is not kept.
    """
    past = [record.run.release.digest for record in past_releases(state.history)]
    older = [digest for digest in past if digest not in used]
    return state.images - used - frozenset(older[: max(0, keep - len(used))])
