"""Failures in GitHub Actions, where nobody looks on: they are told to Slack."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from restoops.errors import Interrupted, RestoopsError
from restoops.report.job import in_actions

if TYPE_CHECKING:
    from restoops.config.load import Loaded


@contextlib.contextmanager
def told_to_slack(what: str, settings: Loaded | None) -> Iterator[None]:
    """In GitHub Actions tell of the error that ends the block, where `settings` say to whom.

    Whoever cancels a job knows of it, and GitHub kills what is left soon after: that is not told.
    """
    try:
        yield
    except Interrupted:
        raise
    except RestoopsError as error:
        if settings and in_actions():
            _tell(what, error, settings)
        raise


def _tell(what: str, error: RestoopsError, loaded: Loaded) -> None:
    from restoops.adapters.clock import SystemClock
    from restoops.config.load import folder_of
    from restoops.flows.notifying import Means, notify_failure
    from restoops.report.lines import say

    folder = folder_of(loaded.file)
    means = Means(loaded.settings.notify, folder, os.environ, SystemClock())
    if line := notify_failure(what, error, means):
        say(line)
