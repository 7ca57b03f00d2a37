"""What others are told of a run: a message for Slack, and an object for any other service.

Tags, messages of commits and errors come from elsewhere. In Slack they are texts: `<` is what a
link or a mention begins with there, and `verbatim` keeps it from finding more of them by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from restoops.errors import RestoopsError
from restoops.model import Release
from restoops.report.jsonl import VERSION
from restoops.report.page import Page, Tone
from restoops.report.wording import duration, printable

_SHORT, _LONG, _FIELD = 150, 500, 350
"""Characters that are shown of a text. Escaped they are five times as many at most: Slack takes
3,000 in a section and 2,000 in a field."""
_MOST_OF_AN_ADDRESS = 500
_HOSTS = 20


@dataclass(frozen=True, slots=True)
class Commit:
    """The commit that a release was built from, as far as that is known."""

    sha: str
    author: str = ""
    subject: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """All that is told of a run."""

    page: Page
    commit: Commit | None = None
    run_url: str = ""
    """Of the run of GitHub Actions that it was."""
    report_url: str = ""

    @property
    def outcome(self) -> str:
        """`success`, `failure` or `interrupted`."""
        if self.page.fault is None:
            return "success"
        return "interrupted" if self.page.fault.status == 130 else "failure"


def as_object(notice: Notice) -> dict[str, Any]:
    """Return what a service of any kind is sent; what is not known is not in it."""
    page, probed = notice.page, notice.page.probed
    links = {"actions_run": notice.run_url, "report": notice.report_url}
    return _without_nothing(
        {
            "v": VERSION,
            "event": page.kind,
            "outcome": notice.outcome,
            "text": printable(_headline(notice)),
            "environment": page.environment,
            "release": _release(page.release),
            "previous": [_release(it) for it in page.previous],
            "run": page.run,
            "who": page.who,
            "origin": page.origin,
            "started_at": page.started_at,
            "seconds": page.seconds,
            "requests": probed.requests if probed else None,
            "failed_requests": probed.failed if probed else None,
            "error": page.fault.message if page.fault else None,
            "hint": page.fault.hint if page.fault else None,
            "exit_status": page.fault.status if page.fault else 0,
            "hosts": [
                {"host": it.host, "ending": it.ending, "serves": _release(it.serves)}
                for it in page.hosts
            ],
            "commit": _without_nothing(asdict(notice.commit)) if notice.commit else None,
            "links": _without_nothing(links),
        }
    )


def for_slack(notice: Notice) -> dict[str, Any]:
    """Return what a webhook of Slack is sent."""
    blocks = [_section(f"{_sign(notice)} *{_text(_headline(notice), _LONG)}*")]
    if notice.page.fault:
        blocks.append(_section(_text(notice.page.fault.message, _LONG)))
        if notice.page.fault.hint:
            blocks.append(_section(f"*What to do now:* {_text(notice.page.fault.hint, _LONG)}"))
    fields = [f"*{name}*\n{value}" for name, value in _fields(notice)]
    blocks.append({"type": "section", "fields": [_markdown(field) for field in fields]})
    if links := list(_links(notice)):
        blocks.append({"type": "context", "elements": [_markdown(" · ".join(links))]})
    return {
        "text": _text(_headline(notice), _LONG),
        "parse": "none",
        "link_names": False,
        "unfurl_links": False,
        "unfurl_media": False,
        "blocks": blocks,
    }


def failure_for_slack(what: str, error: RestoopsError, run_url: str) -> dict[str, Any]:
    """Return what a webhook of Slack is sent of a command that failed and is no run on hosts."""
    headline = _text(f"{what} failed", _LONG)
    parts = [_section(f":x: *{headline}*"), _section(_text(error.message, _LONG))]
    if error.hint:
        parts.append(_section(f"*What to do now:* {_text(error.hint, _LONG)}"))
    if link := _link(run_url, "GitHub Actions run"):
        parts.append({"type": "context", "elements": [_markdown(link)]})
    return {"text": headline, "parse": "none", "link_names": False, "blocks": parts}


def _headline(notice: Notice) -> str:
    page = notice.page
    if page.fault or page.kind != "rollback" or not page.release:
        return page.headline
    before = f" from {page.previous[0].tag}" if page.previous else ""
    return f"{page.environment} was rolled back{before} to {page.release.tag}"


def _sign(notice: Notice) -> str:
    if notice.page.fault:
        return ":warning:" if notice.page.tone is Tone.WARNING else ":x:"
    return ":rewind:" if notice.page.kind == "rollback" else ":white_check_mark:"


def _fields(notice: Notice) -> Iterator[tuple[str, str]]:
    """Yield up to ten fields: more Slack does not take."""
    page, commit = notice.page, notice.commit
    yield "Environment", _text(page.environment)
    if page.release:
        yield "Release", f"{_text(page.release.tag)} ({page.release.digest.short})"
    if page.previous:
        yield "Before it", _text(", ".join(it.tag for it in page.previous))
    if commit:
        told = " ".join(filter(None, (_sha(commit), _text(commit.subject))))
        yield "Commit", told
        if commit.author:
            yield "Author", _text(commit.author)
    yield "By", _text(f"{page.who} from {page.origin}")
    yield "Took", duration(page.seconds)
    if page.probed:
        yield "Failed requests", f"{page.probed.failed} of {page.probed.requests} of the probe"
    if page.hosts:
        yield "Hosts", _text(_hosts(page), _FIELD)


def _hosts(page: Page) -> str:
    counts = dict.fromkeys(it.ending for it in page.hosts)
    if len(page.hosts) > _HOSTS or len(counts) == 1:
        each = (f"{ending} on {sum(it.ending == ending for it in page.hosts)}" for ending in counts)
        return ", ".join(each)
    return ", ".join(f"{it.host}: {it.ending}" for it in page.hosts)


def _sha(commit: Commit) -> str:
    short = _text(commit.sha[:12])
    return _link(commit.url, short) or short


def _links(notice: Notice) -> Iterator[str]:
    links = (_link(notice.report_url, "Report"), _link(notice.run_url, "GitHub Actions run"))
    return filter(None, links)


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _markdown(text)}


def _markdown(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _text(text: str, most: int = _SHORT) -> str:
    """Return a text that means nothing to Slack, and that is not too long for it."""
    line = printable(text).strip()
    cut = line if len(line) <= most else f"{line[: most - 1]}…"
    return cut.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _link(url: str, text: str) -> str:
    """Return a link, or nothing where there is none; what could end it early is not in it."""
    safe = "".join(it for it in url if it.isprintable() and it not in "<>|\"' ")
    if not safe or len(safe) > _MOST_OF_AN_ADDRESS:
        return ""
    return f"<{safe.replace('&', '&amp;')}|{text}>"


def _release(release: Release | None) -> dict[str, str] | None:
    return {"tag": release.tag, "digest": str(release.digest)} if release else None


def _without_nothing(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if value not in (None, "", [], {})}
