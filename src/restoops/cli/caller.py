"""Who runs this command, from where, and what: as locks, records and logs name it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from restoops.masking import masked

if TYPE_CHECKING:
    from restoops.adapters.connection import Holder


def user() -> str:
    """Return who runs this command."""
    import getpass

    try:
        return os.environ.get("GITHUB_ACTOR") or getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def origin() -> str:
    """Return from where."""
    run = os.environ.get("GITHUB_RUN_ID")
    return f"GitHub Actions run {run}" if run else os.uname().nodename


def command_line() -> str:
    """Return what was typed, without secrets."""
    return masked(" ".join(["restoops", *sys.argv[1:]]))


def holder() -> Holder:
    """Return what others are told of us while we hold the lock of a host."""
    from restoops.adapters.clock import SystemClock
    from restoops.adapters.connection import Holder

    return Holder(user(), origin(), command_line(), SystemClock().now())
