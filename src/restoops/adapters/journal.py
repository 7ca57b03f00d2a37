"""The log of what was deleted: one JSON object a line, written before the next deletion begins."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from restoops.errors import UsageError
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
        """Append one entry; it is on the disk when this returns."""
        with self._one_at_a_time:
            self._file.write(json.dumps({"v": 1, **masked(entry)}) + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def usual_place(environ: Mapping[str, str]) -> Path:
    """Return where the log is when nobody names a file."""
    state = environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(state).expanduser() / "restoops" / "images.jsonl"
