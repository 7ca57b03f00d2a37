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
    never became live is not kept. An image that no run here was about is not ours to remove:
    another application on the host may be made from the same repository.
    """
    past = [record.run.release.digest for record in past_releases(state.history)]
    older = [digest for digest in past if digest not in used]
    runs = [record.run for record in state.history]
    ours = {run.release.digest for run in (*runs, *([state.open_run] if state.open_run else ()))}
    return (state.images & ours) - used - frozenset(older[: max(0, keep - len(used))])
