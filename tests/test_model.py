"""The values that everything else talks about."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restoops.model import (
    Answer,
    Color,
    Digest,
    ImageName,
    Login,
    Secret,
    tag_of,
)
from restoops.report.jsonl import plain
from tests.plan.states import BLUE, GREEN, V1, V2, host, proxy, runs

HEX = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        pytest.param("abc1234", "sha-abc1234", id="a short SHA"),
        pytest.param("abc1234def", "sha-abc1234", id="a longer SHA is cut to seven digits"),
        pytest.param("0" * 40, "sha-0000000", id="a whole SHA"),
        pytest.param("sha-abc1234", "sha-abc1234", id="a tag"),
        pytest.param("v1.2.3", "v1.2.3", id="a version"),
        pytest.param("abc123", "abc123", id="six digits are a tag"),
        pytest.param("1234567", "sha-1234567", id="a short SHA without a letter"),
        pytest.param("20250131", "20250131", id="a date is a tag"),
        pytest.param("ABC1234", "ABC1234", id="capital letters are a tag"),
        pytest.param("a" * 128, "a" * 128, id="the longest tag"),
    ],
)
def test_a_tag_as_an_operator_types_it(text: str, tag: str) -> None:
    assert tag_of(text) == tag


@pytest.mark.parametrize(
    "text",
    ["", " ", "-v", "--yes", ".x", "a b", "a\n", "a/b", "$(id)", "a;b", "a:b", "a@b", "é",
     "a" * 129, "abc1234\n"],
)  # fmt: skip
def test_what_cannot_be_a_tag_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="neither an image tag nor a Git SHA"):
        tag_of(text)


@given(st.text())
def test_no_tag_reaches_a_shell_or_an_option(text: str) -> None:
    try:
        tag = tag_of(text)
    except ValueError:
        return
    assert tag.isascii()
    assert not set(tag) & set(" \t\n$`\"'\\|&;<>(){}*?[]~#!%=:/@,")
    assert not tag.startswith("-")


@pytest.mark.parametrize(
    "text", ["", HEX, f"sha256:{HEX[:-1]}", f"sha256:{HEX}0", f"sha512:{HEX}", f"sha256:{HEX}\n",
             f"sha256:{HEX.upper()}"],
)  # fmt: skip
def test_what_is_no_digest_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a digest"):
        Digest(text)


def test_a_digest_is_short_as_docker_prints_it() -> None:
    digest = Digest(f"sha256:{HEX}")

    assert (str(digest), digest.short) == (f"sha256:{HEX}", "0123456789ab")
    assert ImageName("ghcr.io", "a/b").at(digest) == f"ghcr.io/a/b@sha256:{HEX}"


def test_a_secret_shows_itself_in_no_form() -> None:
    login = Login("olga", Secret("hunter2"))

    shown = [repr(login), str(login.password), f"{login.password!r:>9}", f"{login}"]
    shown += [f"{login.password}", "%s" % login.password, json.dumps([repr(login)])]  # noqa: UP031  # every form
    assert not any("hunter2" in text for text in shown)
    assert login.password.reveal() == "hunter2"


def test_a_secret_does_not_show_in_json() -> None:
    login = Login("olga", Secret("hunter2"))

    assert "hunter2" not in json.dumps(plain(login))


def test_the_other_color() -> None:
    assert [color.other for color in Color] == [GREEN, BLUE]


@pytest.mark.parametrize(
    ("answer", "is_good", "text"),
    [
        pytest.param(Answer(200, "ok\n"), True, "200: ok", id="good"),
        pytest.param(Answer(204), True, "204", id="without a body"),
        pytest.param(Answer(301), False, "301", id="a redirect is not good"),
        pytest.param(Answer(503, "no\n\n  db"), False, "503: no db", id="on one line"),
        pytest.param(Answer(0, "refused"), False, "no answer: refused", id="no answer"),
        pytest.param(Answer(500, "x" * 999), False, "500: " + "x" * 200, id="not too long"),
    ],
)
def test_an_answer(answer: Answer, is_good: bool, text: str) -> None:
    assert (answer.is_good, str(answer)) == (is_good, text)


def test_the_slot_that_answers_is_the_live_one_or_the_one_that_stands_in() -> None:
    both = host(proxy(BLUE, BLUE, GREEN, covering=True), runs(BLUE, V1), runs(GREEN, V2))
    dead = replace(both, proxy=proxy(BLUE, GREEN, covering=True))
    uncovered = replace(both, proxy=proxy(BLUE, GREEN))

    assert [state.answering for state in (both, dead, uncovered)] == [BLUE, GREEN, BLUE]
    assert dead.serving == runs(GREEN, V2)


def test_only_what_runs_is_running() -> None:
    state = host(None, runs(BLUE, V1, status="exited"), runs(GREEN, V2))

    assert state.running(V1.digest) is None
    assert state.running(V2.digest) == runs(GREEN, V2)
