"""How full a file system on a host is."""

from __future__ import annotations

from restoops.adapters.connection import Connection
from restoops.errors import CommandFailed
from restoops.model import Disk


def disk_under(connection: Connection, directory: str) -> Disk | None:
    """Return size and room of the file system of `directory`; None when it cannot be seen."""
    try:
        size, free = connection.run(["df", "-B1", "--output=size,avail", directory]).split()[-2:]
        return Disk(int(size), int(free))
    except (CommandFailed, ValueError):  # the engine of a laptop is in a machine of its own
        return None
