"""Inside GitHub Actions: groups and annotations, and at the end step outputs and a summary.

It goes with another renderer, which prints what it prints everywhere.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

from restoops.errors import RestoopsError
from restoops.model import Release
from restoops.report.events import (
    Elsewhere,
    Event,
    FleetEnded,
    Planned,
    Preempting,
    Probed,
    Recovering,
    Reporter,
    RunEnded,
    RunStarted,
    StepEnded,
)
from restoops.report.job import write_outputs, write_summary
from restoops.report.orders import give, order
from restoops.report.plain import fleet_outcome, outcome, sentence
from restoops.report.run_summary import Run, error_in_markdown, is_well, run_in_markdown
from restoops.report.wording import printable

_TITLE = "restoops"


@dataclass(slots=True)
class GitHubReporter:
    """Tells the runner what `inner` prints."""

    inner: Reporter
    url: str = ""
    """Where clients reach what is deployed to."""
    _run: Run = field(default_factory=Run)
    _in_group: bool = False

    def tell(self, event: Event) -> None:
        """Tell one event."""
        match event:
            case RunStarted():
                self._open_group(sentence(event))
                self._run.started = event
            case Planned(_, previous, steps) if not self._run.previous and steps:
                self._run.previous = previous
            case StepEnded():
                self._run.steps.append(event)
            case Probed():
                self._run.probed = event
            case RunEnded() | FleetEnded():
                self._close_group()
                self._run.ended = event
        self.inner.tell(event)
        for line in _annotations(event):
            give(line)

    def error(self, error: RestoopsError) -> None:
        """Tell the error that ended the command."""
        self._close_group()
        if error.details:
            self._open_group("What there is to show")
        self.inner.error(error)
        self._close_group()
        hint = f"\n{error.hint}" if error.hint else ""
        give(order("error", f"{error.message}{hint}", title=_TITLE))
        write_summary(error_in_markdown(error))

    def close(self) -> None:
        """Write what later steps and people want to know of the run, if there was one."""
        self._close_group()
        self.inner.close()
        if self._run.started:
            write_outputs(outputs(self._run, self.url))
            write_summary(run_in_markdown(self._run, self.url))

    def _open_group(self, title: str) -> None:
        give(order("group", printable(title)))
        self._in_group = True

    def _close_group(self) -> None:
        if self._in_group:
            sys.stdout.flush()
            give(order("endgroup"))
        self._in_group = False


def _annotations(event: Event) -> list[str]:
    match event:
        case Recovering() | Preempting() | Elsewhere():
            return [order("warning", sentence(event).strip(), title=_TITLE)]
        case RunEnded():
            kind = "warning" if event.cut or event.failed else "notice"
            return [order(kind, outcome(event), title=_TITLE)]
        case FleetEnded():
            kind = "warning" if event.cut or event.failed or not is_well(event) else "notice"
            return [order(kind, fleet_outcome(event), title=_TITLE)]
        case _:
            return []


def outputs(run: Run, url: str) -> dict[str, str]:
    """Return the outputs of the step; what is not known is empty."""
    release = run.started.release if run.started else None
    previous = run.previous if _differs(run.previous, release) else None
    return {
        "release": release.tag if release else "",
        "digest": str(release.digest) if release else "",
        "previous": previous.tag if previous else "",
        "previous_digest": str(previous.digest) if previous else "",
        "url": url,
        "failed_requests": str(run.probed.failed) if run.probed else "",
        "duration": f"{run.ended.seconds:.2f}" if run.ended else "",
        "changed": "true" if run.changed else "false",
    }


def _differs(previous: Release | None, release: Release | None) -> bool:
    return bool(previous and release and previous.digest != release.digest)
