"""A message is delivered, sent again while that can help, and its URL is shown nowhere."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from restoops.adapters.clock import SystemClock
from restoops.adapters.webhook import find_url, post
from restoops.errors import Refused
from restoops.masking import masked
from restoops.model import Secret
from tests.flows.clock import FakeClock
from tests.lab.inbox import SECRET, Inbox, inbox

BODY = {"text": "hello \udce9"}


@pytest.fixture
def box() -> Iterator[Inbox]:
    with inbox() as made:
        yield made


def send(url: str, limit_s: float = 10) -> FakeClock:
    clock = FakeClock()
    post(Secret(url), BODY, until=limit_s, clock=clock)
    return clock


def refused(url: str, limit_s: float = 10) -> str:
    with pytest.raises(Refused) as caught:
        send(url, limit_s)
    assert "SECRET" not in caught.value.message + caught.value.hint
    return caught.value.message


def test_a_message_is_delivered_once(box: Inbox) -> None:
    send(box.url)

    assert box.bodies == [BODY]
    assert box.paths == [f"/services/{SECRET}"]


@pytest.mark.parametrize("statuses", [[500], [502, 503], [429, 500, 504]])
def test_what_may_pass_is_tried_again_after_longer_and_longer_pauses(
    box: Inbox, statuses: list[int]
) -> None:
    box.statuses = list(statuses)

    clock = send(box.url)

    assert len(box.bodies) == len(statuses) + 1
    assert clock.passed == pytest.approx(sum(0.5 * 2**n for n in range(len(statuses))))


def test_a_service_that_asks_for_a_pause_has_it(box: Inbox) -> None:
    box.statuses, box.headers = [429], {"retry-after": "4"}

    assert send(box.url).passed == 4
    assert len(box.bodies) == 2


def test_a_pause_beyond_the_limit_is_not_waited_for(box: Inbox) -> None:
    box.statuses, box.headers = [429], {"retry-after": "3600"}

    assert refused(box.url) == "answered 429, and there is no time to try again"
    assert len(box.bodies) == 1


def test_a_service_that_always_fails_is_given_up_within_the_limit(box: Inbox) -> None:
    box.statuses = [503] * 100

    assert "answered 503" in refused(box.url)
    assert 3 <= len(box.bodies) <= 6


@pytest.mark.parametrize("status", [400, 403, 404, 410])
def test_a_refusal_is_not_tried_again(box: Inbox, status: int) -> None:
    box.statuses = [status]

    assert refused(box.url) == f"answered {status}"
    assert len(box.bodies) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(box: Inbox, status: int) -> None:
    with inbox() as other:
        box.statuses, box.headers = [status], {"location": other.url}

        assert "a redirect, which is not followed" in refused(box.url)

        assert other.bodies == []
    assert len(box.bodies) == 1


def test_nobody_who_listens_is_told_without_the_url() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/{SECRET}"

        assert "no answer (ConnectError)" in refused(url)


def test_a_service_that_hangs_is_given_up(box: Inbox) -> None:
    box.hangs = True
    clock = SystemClock()

    with pytest.raises(Refused, match="no answer"):
        post(Secret(box.url), BODY, until=clock.monotonic() + 0.5, clock=clock)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is not set"),
        (f"ftp://example.com/{SECRET}", "holds no https:// URL"),
        (f"http://example.com/{SECRET}", "holds no https:// URL"),
        (f"https:///{SECRET}", "holds no https:// URL"),
        (f"https://[::1/{SECRET}", "holds no https:// URL"),
        (f"https://example.com/{SECRET} x", "holds no https:// URL"),
    ],
)
def test_what_is_no_url_is_refused_and_not_shown(text: str, why: str) -> None:
    with pytest.raises(Refused) as caught:
        find_url("HOOK", {"HOOK": text}, Path())
    assert caught.value.message == f"$HOOK {why}"


def test_the_url_may_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "hook").write_text("https://example.com/x\n")

    found = find_url("./hook", {}, tmp_path)

    assert found.reveal() == "https://example.com/x"
    assert "example" not in repr(found)
    with pytest.raises(Refused, match="cannot be read"):
        find_url("./missing", {}, tmp_path)


def test_a_url_that_was_read_is_in_nothing_that_is_told(tmp_path: Path) -> None:
    (tmp_path / "url").write_text(f"https://hooks.example.com/{SECRET}/of-a-file\n")

    url = find_url("./url", {}, tmp_path)

    assert masked(f"sent to {url.reveal()}") == "sent to ***"
