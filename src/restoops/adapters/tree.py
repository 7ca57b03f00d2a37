"""Files below one directory; nothing outside of it is read or written, whatever links say."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from restoops.adapters.private import write_whole
from restoops.errors import Refused

_NEW_FILE, _NEW_PROGRAM = 0o666, 0o777


def place_of(root: Path, path: str) -> Path:
    """Return where `path` really is below `root`: links are followed as long as they stay inside.

    Raises:
        Refused: a link leads out of `root`, or something that is no file has the name.
    """
    top, named = root.resolve(), root / path
    try:
        place = named.resolve()
    except (OSError, RuntimeError) as error:
        raise Refused(f"{named} cannot be read: {error}") from error
    if not place.is_relative_to(top):
        raise Refused(
            f"{named} leads out of {root}, to {place}",
            hint="Nothing was changed. Remove that link, or choose other parts with `--only`.",
        )
    if named.is_symlink() and not place.exists():
        raise Refused(f"{named} is a link that leads nowhere", hint="Nothing was changed.")
    _check_way(top, place, named)
    return place


def _check_way(top: Path, place: Path, named: Path) -> None:
    if place.exists() and not place.is_file():
        raise Refused(f"{named} is not a file and is in the way", hint="Nothing was changed.")
    for parent in place.parents:
        if parent == top:
            return
        if parent.exists() and not parent.is_dir():
            raise Refused(
                f"{named} cannot be made: {parent} is not a directory", hint="Nothing was changed."
            )


def read(place: Path) -> bytes | None:
    """Return what is in a file, or None when it is not there.

    Raises:
        Refused: it cannot be read.
    """
    try:
        return place.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Refused(f"{place} cannot be read: {error.strerror}") from error


def replace(place: Path, content: bytes) -> None:
    """Replace a file whole, with the mode it has; directories on the way to it are made.

    A text that begins with `#!` is executable when it is new.

    Raises:
        Refused: it cannot be written.
    """
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        write_whole(place, content, _mode(place, content))
    except OSError as error:
        raise Refused(f"{place} cannot be written: {error.strerror}") from error


def _mode(place: Path, content: bytes) -> int:
    with contextlib.suppress(FileNotFoundError):
        return place.stat().st_mode & 0o7777
    mask = os.umask(0)
    os.umask(mask)
    return (_NEW_PROGRAM if content.startswith(b"#!") else _NEW_FILE) & ~mask


def remove(place: Path, root: Path) -> None:
    """Delete a file, and the directories below `root` that are empty without it.

    Raises:
        Refused: it cannot be deleted.
    """
    try:
        place.unlink(missing_ok=True)
    except OSError as error:
        raise Refused(f"{place} cannot be deleted: {error.strerror}") from error
    top = root.resolve()
    with contextlib.suppress(OSError):  # the first one that is not empty
        for parent in place.parents:
            if parent == top:
                return
            parent.rmdir()
