"""Files and directories on this machine that only their owner can read."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from restoops.errors import Refused, UsageError

_HINT = "Is the directory there and yours, and has its disk room?"


def write_private(path: Path, content: str | bytes) -> None:
    """Replace `path` whole, readable by its owner only: the old content or the new, never a part.

    Raises:
        Refused: it cannot be written.
    """
    try:
        write_whole(path, content.encode() if isinstance(content, str) else content, 0o600)
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}", hint=_HINT) from error


def write_whole(path: Path, data: bytes, mode: int) -> None:
    """Replace a file whole; what it is written to first is 0600 until all is there.

    Raises:
        OSError: it cannot be written.
    """
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".restoops-", delete=False) as file:
        try:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


def refuse_if_others_read(path: Path) -> None:
    """Make sure that only its owner can read a file.

    Raises:
        UsageError: others can.
    """
    if path.stat().st_mode & 0o077:
        raise UsageError(
            f"{path} can be read by other users of this machine", hint=f"chmod 600 {path}"
        )


def demand_writable(path: Path) -> None:
    """Make sure that `write_private` can replace `path`, without touching what is there.

    Raises:
        UsageError: it cannot.
    """
    hint = "A file in a directory that is there and that you may write to."
    if path.is_dir() or (path.exists() and not path.is_file()):
        raise UsageError(f"{path} cannot be written: it is no file", hint=hint)
    try:
        tempfile.NamedTemporaryFile(dir=path.parent, prefix=".").close()
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}", hint=hint) from error


def make_private_directory(path: Path) -> None:
    """Make a directory that only we can enter; one that is there stays as it is.

    Raises:
        Refused: it cannot be made.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(f"{path} cannot be made: {error.strerror}", hint=_HINT) from error


@contextlib.contextmanager
def private_directory() -> Iterator[Path]:
    """Lend a directory that only we can enter, and remove it with all that is in it."""
    with tempfile.TemporaryDirectory(prefix="restoops-") as folder:
        yield Path(folder)
