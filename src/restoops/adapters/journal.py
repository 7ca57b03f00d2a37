"""The log of what was deleted: one JSON object a line, written before the next deletion begins."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from restoops.errors import NeedsAttention, UsageError
from restoops.masking import masked


class Journal:
    """A file that lines are appended to; several threads may write."""

    def __init__(self, path: Path) -> None:
        """Open the file, so that a fault is known before anything is deleted.

        Raises:
            UsageError: it cannot be written.
        """
        self.path = path
        self._one_at_a_time = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a", encoding="utf-8")
        except OSError as error:
            raise UsageError(
                f"the log {path} cannot be written: {error.strerror}; nothing was deleted",
                hint="`--log FILE` names another file.",
            ) from error

    def write(self, entry: Mapping[str, Any]) -> None:
        """Append one entry; it is on the disk when this returns.

        Raises:
            NeedsAttention: it cannot be written; the message has what was deleted.
        """
        line = json.dumps({"v": 1, **masked(entry)})
        try:
            with self._one_at_a_time:
                self._file.write(line + "\n")
                self._file.flush()
                os.fsync(self._file.fileno())
        except OSError as error:
            raise NeedsAttention(
                f"the log {self.path} cannot be written: {error.strerror}; it lacks {line}",
                hint="Make room, or name another file with `--log FILE`; then do the same again: "
                "it goes on with what is left.",
            ) from error

    def close(self) -> None:
        """Close the file; what it lacks was told when it was to be written."""
        with contextlib.suppress(OSError):
            self._file.close()


def usual_place(environ: Mapping[str, str]) -> Path:
    """Return where the log is when nobody names a file."""
    state = environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(state).expanduser() / "restoops" / "images.jsonl"
