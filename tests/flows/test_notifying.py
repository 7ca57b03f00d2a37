"""Messages about a run: who gets which, with what is known of the commit, and within which time."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from restoops.adapters.clock import SystemClock
from restoops.config.notify import Notify
from restoops.errors import Interrupted
from restoops.flows.interrupt import Interrupt
from restoops.flows.notifying import Means, notify
from restoops.model import Release
from restoops.report.page import Page
from tests.lab.inbox import SECRET, Inbox, inbox
from tests.report import pages

ORIGIN = "https://x:token@github.com/resto/market.git"
SLACK = Notify(slack="SLACK_URL")


@pytest.fixture
def boxes() -> Iterator[tuple[Inbox, Inbox]]:
    with ExitStack() as stack:
        yield stack.enter_context(inbox()), stack.enter_context(inbox())


def outside(directory: Path, settings: Notify = SLACK, **environ: str) -> Means:
    return Means(settings, directory, environ, SystemClock())


def tell(page: Page, around: Means) -> tuple[str, ...]:
    lines = notify(page, around, Interrupt())
    assert "SECRET" not in "".join(lines)
    return lines


def commit_to(directory: Path, subject: str) -> str:
    """Make a repository with one commit and return its SHA."""
    git = ["git", "-C", str(directory), "-c", "user.name=Peter", "-c", "user.email=p@example.com"]
    for words in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", subject],
                  ["remote", "add", "origin", ORIGIN]):  # fmt: skip
        subprocess.run([*git, *words], check=True, capture_output=True)
    found = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    return found.stdout.strip()


def of_release(tag: str) -> Page:
    return replace(pages.went_well(1), release=Release(tag, pages.NEW.digest))


def test_each_is_sent_its_own_message(boxes: tuple[Inbox, Inbox], tmp_path: Path) -> None:
    slack, other = boxes
    (tmp_path / "url").write_text(other.url)
    settings = Notify(slack="SLACK_URL", webhook="./url", report_url="https://r.example/{run}")

    assert tell(pages.went_well(1), outside(tmp_path, settings, SLACK_URL=slack.url)) == ()

    assert "blocks" in slack.bodies[0]
    assert other.bodies[0]["outcome"] == "success"
    assert other.bodies[0]["links"]["report"] == "https://r.example/20260102T030405-3fa9c1"


def test_nobody_is_told_where_nobody_is_named(tmp_path: Path) -> None:
    assert tell(pages.went_well(1), outside(tmp_path, Notify())) == ()


def test_what_one_does_not_take_the_other_still_gets(
    boxes: tuple[Inbox, Inbox], tmp_path: Path
) -> None:
    slack, other = boxes
    slack.statuses = [404]
    settings = Notify(slack="SLACK_URL", webhook="HOOK")
    around = outside(tmp_path, settings, SLACK_URL=slack.url, HOOK=other.url)

    assert tell(pages.went_well(1), around) == ("notify.slack: not delivered: answered 404",)
    assert len(other.bodies) == 1


def test_a_variable_that_is_missing_is_named(tmp_path: Path) -> None:
    lines = tell(pages.went_well(1), outside(tmp_path))

    assert lines == ("notify.slack: not delivered: $SLACK_URL is not set",)


def test_who_hangs_is_left_when_the_time_is_over(
    boxes: tuple[Inbox, Inbox], tmp_path: Path
) -> None:
    boxes[0].hangs = True
    settings = Notify(slack="SLACK_URL", timeout_s=0.3)

    lines = tell(pages.went_well(1), outside(tmp_path, settings, SLACK_URL=boxes[0].url))

    assert len(lines) == 1
    assert "no answer" in lines[0]


def test_a_signal_ends_the_waiting_at_once(boxes: tuple[Inbox, Inbox], tmp_path: Path) -> None:
    boxes[0].hangs = True
    interrupt = Interrupt()
    interrupt.ask()
    settings = Notify(slack="SLACK_URL", timeout_s=60)

    lines = notify(
        pages.failed(Interrupted("interrupted")),
        outside(tmp_path, settings, SLACK_URL=boxes[0].url),
        interrupt,
    )

    assert "cut off by a signal" in lines[0]


def test_the_commit_is_found_in_git(boxes: tuple[Inbox, Inbox], tmp_path: Path) -> None:
    sha = commit_to(tmp_path, "Show <the> menu")
    around = outside(tmp_path, Notify(webhook="HOOK"), HOOK=boxes[0].url)

    tell(of_release(f"sha-{sha[:7]}"), around)

    assert boxes[0].bodies[0]["commit"] == {
        "sha": sha, "author": "Peter", "subject": "Show <the> menu",
        "url": f"https://github.com/resto/market/commit/{sha}",
    }  # fmt: skip


def test_the_commit_is_found_in_github_actions(boxes: tuple[Inbox, Inbox], tmp_path: Path) -> None:
    sha = "4d5e6f7" + "0" * 33
    event = {"head_commit": {"id": sha, "message": "One\n\nTwo", "author": {"name": "Petra"}}}
    (tmp_path / "event.json").write_text(json.dumps(event))
    actions = {
        "GITHUB_SHA": sha, "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
        "GITHUB_REPOSITORY": "resto/market", "GITHUB_SERVER_URL": "https://git.example.com",
        "GITHUB_RUN_ID": "4711",
    }  # fmt: skip
    around = outside(tmp_path, Notify(webhook="HOOK"), HOOK=boxes[0].url, **actions)

    tell(of_release("main-4d5e6f7"), around)
    tell(of_release("sha-abcdef0"), around)

    first, second = boxes[0].bodies
    assert (first["commit"]["author"], first["commit"]["subject"]) == ("Petra", "One")
    assert first["links"]["actions_run"] == "https://git.example.com/resto/market/actions/runs/4711"
    assert second["commit"]["sha"] == "abcdef0"  # an earlier release is not of this commit
    assert "author" not in second["commit"]


def test_a_tag_that_names_no_commit_asks_the_image(
    boxes: tuple[Inbox, Inbox], tmp_path: Path
) -> None:
    around = outside(tmp_path, Notify(webhook="HOOK"), HOOK=boxes[0].url)

    tell(of_release("v1.2.3"), replace(around, revision=lambda: "0123456789abcdef"))
    tell(of_release("v1.2.4"), replace(around, revision=lambda: "; rm -rf /"))

    assert boxes[0].bodies[0]["commit"]["sha"] == "0123456789abcdef"
    assert "commit" not in boxes[0].bodies[1]


def test_a_url_in_the_settings_is_refused_and_not_repeated() -> None:
    for value in (f"https://hooks.slack.com/{SECRET}", "A B", "", "$HOME"):
        with pytest.raises(ValueError, match="name of an environment variable") as caught:
            Notify(slack=value)
        assert SECRET not in caught.value.errors()[0]["msg"]  # type: ignore[attr-defined]
