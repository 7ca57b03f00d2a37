"""Our files on this machine, written and read by the scripts that do it on a host."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from restoops.adapters.connection import LocalConnection
from restoops.adapters.files import Files
from restoops.adapters.shell import Shell


@contextlib.contextmanager
def local_files(directory: Path) -> Iterator[Files]:
    """Files below `directory`."""
    with contextlib.closing(Shell(LocalConnection())) as shell:
        yield Files("local", shell, str(directory))
