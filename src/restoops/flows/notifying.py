"""Tell others how a run ended. Whatever goes wrong with that, the run has ended as it did."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from restoops.adapters.clock import Clock
from restoops.adapters.git import authored, origin_of
from restoops.adapters.webhook import find_url, post
from restoops.config.notify import Notify
from restoops.errors import Interrupted, RestoopsError
from restoops.flows.background import in_background
from restoops.flows.interrupt import Interrupt, TimeLimit
from restoops.masking import masked
from restoops.plan.provenance import fits, repository_url, run_url, sha_in
from restoops.report.notices import Commit, Notice, as_object, failure_for_slack, for_slack
from restoops.report.page import Page

_HASTE_S = 3.0
"""For all messages of a run that a signal has ended: CI kills what is still there soon after."""


@dataclass(frozen=True, slots=True)
class Means:
    """What messages are made and sent with, beside the run itself."""

    settings: Notify
    directory: Path
    """Of `restoops.yaml`."""
    environ: Mapping[str, str]
    clock: Clock
    revision: Callable[[], str] = lambda: ""
    """Asks the image of the release for the commit that it was built from."""


def notify(page: Page, means: Means, interrupt: Interrupt) -> tuple[str, ...]:
    """Send all messages side by side; return in a line each which was not delivered, and why."""
    settings = means.settings
    places = {"slack": settings.slack, "webhook": settings.webhook}
    wanted = {name: place for name, place in places.items() if place}
    if not wanted:
        return ()
    is_hasty = page.fault is not None and page.fault.status == Interrupted.status
    limit_s = min(settings.timeout_s, _HASTE_S) if is_hasty else settings.timeout_s
    until = means.clock.monotonic() + limit_s
    notice = in_background(partial(_notice, page, means))
    limit = TimeLimit(limit_s, means.clock, interrupt)
    sent = {
        name: in_background(partial(_send, name, place, notice, means, until))
        for name, place in wanted.items()
    }
    lines = (_outcome(name, wait, limit) for name, wait in sent.items())
    return tuple(line for line in lines if line)


def notify_failure(what: str, error: RestoopsError, means: Means) -> str:
    """Tell Slack that a command failed; return a line when that was not delivered, and why."""
    settings = means.settings
    if not settings.slack:
        return ""
    try:
        url = find_url(settings.slack, means.environ, means.directory)
        body = masked(failure_for_slack(what, error, run_url(means.environ)))
        until = means.clock.monotonic() + settings.timeout_s
        post(url, body, until=until, clock=means.clock)
    except RestoopsError as fault:
        return f"notify.slack: not delivered: {fault.message}"
    return ""


def _outcome(name: str, wait: Callable[[Interrupt], None], limit: Interrupt) -> str:
    try:
        wait(limit)
    except Interrupted:
        return (
            f"notify.{name}: not delivered: cut off by a signal, which does not change the result"
        )
    except RestoopsError as error:
        return f"notify.{name}: not delivered: {error.message}"
    except Exception as error:  # noqa: BLE001  a fault of our own, after the run: only its kind
        return f"notify.{name}: not delivered: {type(error).__name__}"
    return ""


def _send(name: str, place: str, notice: Callable[[], Notice], means: Means, until: float) -> None:
    url = find_url(place, means.environ, means.directory)
    body: dict[str, Any] = for_slack(notice()) if name == "slack" else as_object(notice())
    post(url, masked(body), until=until, clock=means.clock)


def _notice(page: Page, means: Means) -> Notice:
    report = (means.settings.report_url or "").replace("{run}", page.run)
    return Notice(page, _commit(page, means), run_url(means.environ), report)


def _commit(page: Page, means: Means) -> Commit | None:
    """Return the commit of the release: by its tag or its image, from git or from CI."""
    if page.release is None:
        return None
    sha = sha_in(page.release.tag) or means.revision()
    if not sha_in(sha):
        return None
    repository = repository_url(means.environ, origin_of(means.directory))
    whole, author, subject = (
        authored(means.directory, sha) or _of_actions(sha, means.environ) or (sha, "", "")
    )
    return Commit(whole, author, subject, f"{repository}/commit/{whole}" if repository else "")


def _of_actions(sha: str, environ: Mapping[str, str]) -> tuple[str, str, str] | None:
    """Return what GitHub Actions says of the commit that it runs for, if it is this one."""
    whole = environ.get("GITHUB_SHA", "")
    if not fits(sha, whole):
        return None
    try:
        event = json.loads(Path(environ["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
        head = event["head_commit"]
        if head["id"] == whole:
            subject = str(head["message"]).partition("\n")[0]
            return whole, str(head["author"]["name"]), subject
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return whole, "", ""
