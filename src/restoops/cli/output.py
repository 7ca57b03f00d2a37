"""Choose how to print: JSON, a live view on a terminal, plain lines everywhere else."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from restoops.errors import RestoopsError
from restoops.masking import masked
from restoops.report.job import in_actions

if TYPE_CHECKING:
    from restoops.report.events import Event, Reporter


class Masking:
    """Hands on without secrets: what a renderer wraps or cuts off could not be found any more."""

    def __init__(self, show: Reporter) -> None:
        self._show = show

    def tell(self, event: Event) -> None:
        """Print one event."""
        self._show.tell(masked(event))

    def error(self, error: RestoopsError) -> None:
        """Print the error that ended the command."""
        texts = masked({"hint": error.hint, "details": error.details})
        safe = RestoopsError(masked(error.message), **texts)
        safe.status = error.status
        self._show.error(safe)

    def close(self) -> None:
        """Leave the terminal tidy."""
        self._show.close()


def reporter(*, as_json: bool, url: str = "") -> Reporter:
    """Return the renderer that fits where the output goes; none of them is shown a secret.

    `url` is where clients reach what a command is about, for those who are handed its outputs.
    """
    show = _renderer(as_json=as_json)
    if in_actions():
        from restoops.report.github import GitHubReporter

        show = GitHubReporter(show, url)
    return Masking(show)


def _renderer(*, as_json: bool) -> Reporter:
    if as_json:
        from restoops.report.jsonl import JsonReporter

        return JsonReporter()
    from restoops.report.lines import may_move

    if may_move(sys.stderr):
        from restoops.report.terminal import TerminalReporter

        return TerminalReporter()
    from restoops.report.plain import PlainReporter

    return PlainReporter()
