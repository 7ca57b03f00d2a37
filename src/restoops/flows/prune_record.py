"""What was deleted: told, counted, and written into the log."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from restoops.adapters.clock import Clock
from restoops.errors import NeedsAttention
from restoops.model import Digest
from restoops.report.image_events import Deleted, ImageEvent, PruneEnded, Survived, TellImages


class Recorder:
    """Takes down what happens, also from several threads."""

    def __init__(
        self, tell: TellImages, log: Callable[[Mapping[str, Any]], None], clock: Clock, who: str
    ) -> None:
        self._tell = tell
        self._log = log
        self._clock = clock
        self._who = who
        self._one_at_a_time = threading.Lock()
        self.images = 0
        """How many were deleted, parts included."""
        self.size_bytes = 0
        self.survivors = 0
        self.is_log_lost = False
        """Whether something was deleted that the log does not have: nothing more is to be."""

    def tell(self, event: ImageEvent) -> None:
        """Tell what happened."""
        with self._one_at_a_time:
            self.survivors += isinstance(event, Survived)
            self._tell(event)

    def deleted(
        self, where: str, digest: Digest, tags: tuple[str, ...], size_bytes: int, reason: str
    ) -> None:
        """Write down that something was deleted, then tell it.

        Raises:
            NeedsAttention: it cannot be written down.
        """
        event = Deleted(self._clock.now(), where, digest, tags, size_bytes, reason)
        entry = {
            "at": event.at,
            "who": self._who,
            "where": where,
            "digest": str(digest),
            "tags": list(tags),
            "size_bytes": size_bytes,
            "reason": reason,
        }
        try:
            self._log(entry)
        except NeedsAttention:
            self.is_log_lost = True
            raise
        with self._one_at_a_time:
            self.images += 1
            self.size_bytes += size_bytes
            self._tell(event)

    def end(self, *, dry_run: bool, log: str) -> None:
        """Tell what was done in all."""
        self.tell(PruneEnded(self.images, self.size_bytes, self.survivors, dry_run, log))
