"""Images are removed from a host under its lock, as a deploy would hold it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from restoops.adapters.connection import Holder
from restoops.errors import Locked
from restoops.flows.background import in_background
from restoops.flows.estate import ImageHost
from restoops.flows.interrupt import Interrupt
from restoops.flows.prune_record import Recorder
from restoops.model import HostState
from restoops.plan.fate import Fate
from restoops.report.image_events import HostPruned, Note, Survived


@dataclass(frozen=True, slots=True)
class HostWork:
    """What was shown of one host, and how to decide anew once nobody else is at work there."""

    where: str
    host: ImageHost
    shown: tuple[Fate, ...]
    decide: Callable[[HostState], tuple[Fate, ...]]


def prune_host(
    work: HostWork, holder: Holder, recorder: Recorder, interrupt: Interrupt, wait_s: int
) -> None:
    """Remove from a host what was shown and may still go.

    Raises:
        Interrupted: somebody asked for an end of the wait for the lock.
        Locked: a deploy or another run is at work there.
    """
    going = {fate.digest: fate for fate in work.shown if fate.goes}
    if not going:
        return
    on_wait = _waiting(work, recorder, wait_s)
    take = in_background(lambda: work.host.lock(holder, wait_s=wait_s, on_wait=on_wait))
    try:
        lock = take(interrupt)  # one that comes after the end goes with the connection
    except Locked as error:
        error.hint += " Nothing was removed from this host."
        raise
    try:
        reasons = {it.digest: it for it in work.decide(work.host.observe())}
        before = work.host.disk()
        removed = sum(
            _remove(work, fate, reasons.get(digest), recorder)
            for digest, fate in going.items()
            if not interrupt.is_asked and not recorder.is_log_lost
        )
        recorder.tell(HostPruned(work.where, removed, before, work.host.disk()))
    finally:
        lock.release()


def _remove(work: HostWork, fate: Fate, now: Fate | None, recorder: Recorder) -> bool:
    if now is None:
        return False
    if not now.goes:
        recorder.tell(Survived(work.where, fate.digest, fate.tags, now.reason))
        return False
    work.host.remove_images(frozenset({fate.digest}))
    if fate.digest in work.host.image_sizes():
        reason = "a container of somebody else uses it"
        recorder.tell(Survived(work.where, fate.digest, fate.tags, reason))
        return False
    recorder.deleted(work.where, fate.digest, fate.tags, fate.size_bytes, fate.reason)
    return True


def _waiting(work: HostWork, recorder: Recorder, wait_s: int) -> Callable[[str], None]:
    def tell(other: str) -> None:
        if wait_s:
            recorder.tell(Note(f"{work.where}: waiting for {other}"))

    return tell
