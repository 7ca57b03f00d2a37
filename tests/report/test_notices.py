"""What others are told of a run, and that no text in it is more than text to Slack."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from restoops.errors import Interrupted, StepFailed
from restoops.report.notices import Commit, Notice, as_object, for_slack
from restoops.report.page import Page
from tests.report import pages

COMMIT = Commit(
    "4d5e6f7" + "0" * 33, "Peter", "Show the menu", "https://github.com/resto/market/commit/4d5e6f7"
)
FULL = Notice(
    pages.went_well(), COMMIT, "https://github.com/resto/market/actions/runs/4711",
    "https://reports.example.com/20260102T030405-3fa9c1.html",
)  # fmt: skip


def rolled_back() -> Page:
    return replace(pages.went_well(1), kind="rollback", release=pages.OLD, previous=(pages.NEW,))


def shown(message: dict[str, Any]) -> str:
    """Return all that is read in a message."""
    return json.dumps(message["blocks"], ensure_ascii=False)


def test_a_deploy_is_told_with_all_that_is_known() -> None:
    text = shown(for_slack(FULL))

    for part in (
        ":white_check_mark:", "sha-4d5e6f7 serves on production", "*Author*\\nPeter",
        "Show the menu", "<https://github.com/resto/market/commit/4d5e6f7|4d5e6f700000>",
        "*Took*\\n5.6 s", "0 of 150 of the probe", "GitHub Actions run>", "|Report>", "done on 3",
    ):  # fmt: skip
        assert part in text


def test_what_is_not_known_is_left_out() -> None:
    page = replace(pages.went_well(1), probed=None, previous=())
    message, told = for_slack(Notice(page)), as_object(Notice(page))

    assert "None" not in json.dumps(message)
    assert "Author" not in shown(message)
    assert {"commit", "links", "failed_requests", "error", "hint", "previous"} & set(told) == set()
    assert {"urls", "author"} & set(as_object(Notice(page, Commit("abc1234")))["commit"]) == set()


@pytest.mark.parametrize(
    ("page", "sign", "words"),
    [
        (pages.went_well(1), ":white_check_mark:", "sha-4d5e6f7 serves on production"),
        (rolled_back(), ":rewind:", "production was rolled back from sha-4d5e6f7 to sha-0a1b2c3"),
        (pages.failed(), ":x:", "The deploy of sha-4d5e6f7 on production failed"),
        (
            pages.failed(Interrupted("10.20.0.2: interrupted and undone; sha-0a1b2c3 serves")),
            ":warning:", "was interrupted",
        ),
    ],
)  # fmt: skip
def test_success_failure_and_rollback_read_differently(page: Page, sign: str, words: str) -> None:
    message = for_slack(Notice(page))

    assert shown(message).startswith(
        f'[{{"type": "section", "text": {{"type": "mrkdwn", "text": "{sign}'
    )
    assert words in message["text"]


def test_a_failure_says_why_and_what_to_do_but_shows_no_log() -> None:
    text = shown(for_slack(Notice(pages.failed())))

    assert "database: connection refused" in text
    assert "*What to do now:*" in text
    assert "ECONNREFUSED" not in text + json.dumps(as_object(Notice(pages.failed())))


def test_no_text_is_a_link_or_a_mention() -> None:
    evil = "<!channel> <@U123> <https://evil.example|click> & *bold*"
    page = replace(
        pages.failed(StepFailed(evil, hint=evil)), headline=evil, who=evil, environment=evil
    )
    message = for_slack(Notice(page, Commit("abc1234", evil, evil, "https://x.example/<!here>|a")))

    text = shown(message)
    assert "<!" not in text
    assert "<@" not in text
    assert "<https://evil" not in text
    assert "<https://x.example/!herea|abc1234>" in text
    assert "&lt;!channel&gt;" in message["text"]
    assert (message["parse"], message["link_names"]) == ("none", False)
    assert all(it["verbatim"] for it in markdowns(message["blocks"]))


def markdowns(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, list):
        return [found for it in value for found in markdowns(it)]
    if isinstance(value, dict):
        here = [value] if value.get("type") == "mrkdwn" else []
        return here + [found for it in value.values() for found in markdowns(it)]
    return []


def test_a_message_keeps_to_the_limits_of_slack() -> None:
    endless = "<" * 100_000
    page = replace(
        pages.failed(StepFailed(endless, hint=endless)), headline=endless, who=endless,
        hosts=tuple(replace(it, host=endless, ending=endless) for it in pages.went_well(30).hosts),
    )  # fmt: skip
    message = for_slack(Notice(page, Commit(endless, endless, endless), endless, endless))

    sections = [it for it in message["blocks"] if it["type"] == "section"]
    assert all(len(it["text"]["text"]) <= 3000 for it in sections if "text" in it)
    fields = [it for section in sections for it in section.get("fields", ())]
    assert len(fields) <= 10
    assert all(len(it["text"]) <= 2000 for it in fields)


def test_the_object_for_other_services_is_complete() -> None:
    told = as_object(FULL)

    assert told["v"] == 1
    assert (told["event"], told["outcome"], told["exit_status"]) == ("deploy", "success", 0)
    assert told["release"] == {"tag": "sha-4d5e6f7", "digest": str(pages.NEW.digest)}
    assert (told["requests"], told["failed_requests"]) == (150, 0)
    assert told["commit"]["subject"] == "Show the menu"
    assert told["links"]["actions_run"].endswith("/4711")
    assert json.loads(json.dumps(told)) == told
