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


def images_to_remove(state: HostState, keep: int) -> frozenset[Digest]:
    """Return the images that neither run nor belong to the `keep` newest releases.

    The release that serves counts as one of them. What never became live is not kept.
    """
    in_use = {container.release.digest for container in state.containers.values()}
    serving = [state.serving.release.digest] if state.serving else []
    newest = [record.run.release.digest for record in past_releases(state.history)]
    kept = tuple(dict.fromkeys(serving + newest))[:keep]
    return state.images - in_use - frozenset(kept)
