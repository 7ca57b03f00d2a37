"""A deploy or rollback as Markdown, for the page of a run in GitHub Actions."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass, field

from restoops.errors import RestoopsError
from restoops.model import Release
from restoops.plan.fleet import Ending
from restoops.report.events import FleetEnded, Probed, RunEnded, RunStarted, StepEnded
from restoops.report.markdown import as_code, as_text
from restoops.report.wording import describe, duration

_MOST_STEPS = 200
_MOST_CHARACTERS = 20_000
_WELL = (Ending.DONE, Ending.UNCHANGED)


@dataclass(slots=True)
class Run:
    """What is known of a run so far."""

    started: RunStarted | None = None
    previous: Release | None = None
    """What served before; of several hosts, on the first of them that changes."""
    steps: list[StepEnded] = field(default_factory=list)
    ended: RunEnded | FleetEnded | None = None
    probed: Probed | None = None
    """What came of requests that were sent while traffic moved, if any were."""

    @property
    def changed(self) -> bool:
        """Whether this run has moved traffic to the release on a host, where it still is."""
        return self.ended is not None and self.ended.changed


def is_well(ended: RunEnded | FleetEnded) -> bool:
    """Return whether the release serves wherever it was to."""
    return isinstance(ended, RunEnded) or all(it.ending in _WELL for it in ended.hosts)


def run_in_markdown(run: Run, url: str) -> str:
    """Return what a run did: the release, each host of several, each step with its time."""
    if not run.started:
        return ""
    kind, environment = run.started.kind, run.started.environment
    mark = "✅" if run.ended and is_well(run.ended) else "❌"
    dry = ", dry run" if run.ended and run.ended.dry_run else ""
    head = (
        f"### {mark} {kind} of `{as_code(run.started.release.tag)}` on {as_text(environment)}{dry}"
    )
    return "\n".join([head, "", *_facts(run, url), *_hosts(run), *_steps(run)]) + "\n"


def _facts(run: Run, url: str) -> Iterator[str]:
    yield "| | |"
    yield "| --- | --- |"
    if run.started:
        yield f"| digest | `{as_code(str(run.started.release.digest))}` |"
    if run.previous:
        yield f"| before it | `{as_code(run.previous.tag)}` |"
    if url:
        yield f"| address | {as_text(url)} |"
    if run.probed:
        yield f"| failed requests | {run.probed.failed} of {run.probed.requests} |"
    if run.ended:
        yield f"| took | {duration(run.ended.seconds)} |"
        yield f"| requests cut | {run.ended.cut} |"
    yield ""


def _hosts(run: Run) -> Iterator[str]:
    if not isinstance(run.ended, FleetEnded):
        return
    yield "| host | ended | serves | why |"
    yield "| --- | --- | --- | --- |"
    for it in run.ended.hosts:
        serves = f"`{as_code(it.serves.tag)}`" if it.serves else ""
        yield f"| `{as_code(it.host)}` | {it.ending} | {serves} | {as_text(it.error)} |"
    yield ""


def _steps(run: Run) -> Iterator[str]:
    if not run.steps:
        return
    yield f"<details><summary>{len(run.steps)} steps</summary>\n"
    yield "| host | step | took | |"
    yield "| --- | --- | ---: | --- |"
    for it in run.steps[:_MOST_STEPS]:
        what, took = as_text(describe(it.step)), duration(it.seconds)
        yield f"| `{as_code(it.host)}` | {what} | {took} | {as_text(it.note)} |"
    yield "\n</details>"


def error_in_markdown(error: RestoopsError) -> str:
    """Return the error that ended a command, with the lines that it has to show."""
    lines = [f"> [!CAUTION]\n> {as_text(error.message)}"]
    lines += [f"> {as_text(line)}" for line in error.hint.splitlines()]
    if error.details:
        shown = html.escape(error.details[-_MOST_CHARACTERS:])
        lines += ["", "<details><summary>What there is to show</summary>", ""]
        # No line is left empty: it would end the block for Markdown.
        lines += ["<pre>", *(line or " " for line in shown.splitlines()), "</pre>", "</details>"]
    return "\n".join(lines) + "\n"
