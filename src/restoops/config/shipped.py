"""Where the files are that come with restoops: inside the package, or beside it in a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent.parent


def shipped_files() -> Path:
    """Return the directory with `terraform/`, `ansible/` and the rest that comes with restoops."""
    inside = _PACKAGE / "assets"
    return inside if inside.is_dir() else _PACKAGE.parent.parent


def is_checkout() -> bool:
    """Return whether that is somebody's working copy, with whatever else lies around there."""
    return not (_PACKAGE / "assets").is_dir()
