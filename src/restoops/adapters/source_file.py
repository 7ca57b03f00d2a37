"""Secrets from a `.env` file that only its owner can read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from restoops.adapters.env_text import changed, read_env
from restoops.adapters.private import refuse_if_others_read, write_private
from restoops.model import Secret


@dataclass(frozen=True, slots=True)
class FileSource:
    """A `.env` file; all that is in it is meant for the application."""

    path: Path
    is_exclusive: bool = True

    @property
    def shown(self) -> str:
        """How to name it."""
        return str(self.path)

    def read(self) -> Mapping[str, Secret]:
        """Return its values by name; of a name that stands there twice the last one counts.

        Raises:
            UsageError: it cannot be read, or others can read it.
        """
        entries = read_env(
            self.path,
            hint="Copy the template there and fill it in, or set `secrets.file` in restoops.yaml.",
        )
        refuse_if_others_read(self.path)
        return {it.name: it.value for it in entries}

    def write(self, values: Mapping[str, Secret]) -> None:
        """Store these values; the rest of the file stays as it is.

        Raises:
            UsageError: it cannot be read, or others can read it.
            Refused: it cannot be written.
        """
        self.read()
        text = self.path.read_text("utf-8-sig")
        write_private(self.path.resolve(), changed(text, values, self.shown))
