"""A run is taken down, so that a page can be written and others be told of it, however it ends."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from restoops.cli.caller import origin, user
from restoops.cli.signals import interruptible
from restoops.errors import Interrupted, Refused, RestoopsError
from restoops.masking import masked

_REGISTRY_S = 2

if TYPE_CHECKING:
    from restoops.cli.swapping import RunOptions
    from restoops.config.load import Loaded
    from restoops.flows.swap import Swap
    from restoops.model import Release, RunKind
    from restoops.report.chronicle import Chronicle


@dataclass
class Recording:
    """What is taken down of one run."""

    chronicle: Chronicle
    loaded: Loaded | None = None
    """The settings, once a host is about to be contacted."""

    @contextlib.contextmanager
    def following(self, swap: Swap) -> Iterator[None]:
        """Know the number of the run, and at its end what serves on each host."""
        self.chronicle.asked = replace(self.chronicle.asked, run=swap.request.id)
        try:
            yield
        finally:
            self.chronicle.results = swap.fleet.results


@contextlib.contextmanager
def recording(kind: RunKind, options: RunOptions, report: Path | None) -> Iterator[Recording]:
    """Take down what is done in the block; at its end, whatever that is, write the page.

    Raises:
        UsageError: `report` cannot be written; nothing was done.
    """
    from restoops.adapters.clock import SystemClock
    from restoops.adapters.private import demand_writable
    from restoops.report.chronicle import Asked, Chronicle

    if report:
        demand_writable(report)
    began = time.monotonic()
    asked = Asked(kind, options.environment, user(), origin(), SystemClock().now())
    record = Recording(Chronicle(asked, lambda: time.monotonic() - began))
    try:
        yield record
    except BaseException as error:
        record.chronicle.fault = _as_told(error)
        raise
    finally:
        if report:
            with _beside("report"):
                _write(record, report, is_quiet=options.as_json)
        if not options.dry_run:
            with _beside("notify"):
                _notify(record)


@contextlib.contextmanager
def _beside(what: str) -> Iterator[None]:
    """Say that something did not work which is no reason for a run to end otherwise than it did."""
    from restoops.cli.app import our_fault
    from restoops.report.lines import say

    try:
        yield
    except Exception as error:  # noqa: BLE001  whatever it is, the run is over
        told = error if isinstance(error, RestoopsError) else our_fault(error)
        say(f"{what}: {told.message}")


def _as_told(error: BaseException) -> RestoopsError:
    """Return an error as the operator sees it in the end."""
    from restoops.cli.app import our_fault

    if isinstance(error, RestoopsError):
        return error
    if isinstance(error, Exception):
        return our_fault(error)
    return Interrupted("interrupted; nothing was changed")


def _write(record: Recording, path: Path, *, is_quiet: bool) -> None:
    from restoops.adapters.private import write_private
    from restoops.report.html import render
    from restoops.report.lines import say

    try:
        write_private(path, render(masked(record.chronicle.page())))
    except Refused as error:  # the disk is full by now: that changes nothing about the run
        say(f"report: {error.message}")
    else:
        if not is_quiet:
            say(f"report: {path}")


def _notify(record: Recording) -> None:
    """Tell others, if there is anything to tell; a signal meanwhile ends that, and only that."""
    loaded, chronicle = record.loaded, record.chronicle
    settings = loaded.settings.notify if loaded else None
    if not loaded or not settings or not (settings.slack or settings.webhook):
        return
    if not chronicle.is_news:
        return
    from restoops.adapters.clock import SystemClock
    from restoops.config.load import folder_of
    from restoops.flows.notifying import Means, notify
    from restoops.report.lines import say

    page = masked(chronicle.page())
    means = Means(
        settings,
        folder_of(loaded.file),
        os.environ,
        SystemClock(),
        lambda: _revision(loaded, page.release),
    )
    with interruptible() as interrupt:
        for line in notify(page, means, interrupt):
            say(line)


def _revision(loaded: Loaded, release: Release | None) -> str:
    """Return the commit that the image of a release says it was built from."""
    from restoops.adapters.inspection import Inspector
    from restoops.cli.registry import open_registry

    if release is None:
        return ""
    try:
        with contextlib.closing(open_registry(loaded, timeout_s=_REGISTRY_S)) as registry:
            return Inspector(registry).describe(release.digest).labels.get("revision", "")
    except RestoopsError:
        return ""
