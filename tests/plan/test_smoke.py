"""What an answer has to be for a smoke check to pass, and what is said when it is not."""

from __future__ import annotations

import pytest

from restoops.model import Answer, Question
from restoops.plan.smoke import Check, Result, is_excused, judge, matches

MENU = Question("/v1/menu")
BODY = '{"status": "ok", "items": [{"name": "Soup", "price": 4.5}], "open": true, "note": null}'


def check(**expected: object) -> Check:
    return Check("menu", MENU, **expected)  # type: ignore[arg-type]  # as written below


@pytest.mark.parametrize(
    "expected",
    [
        pytest.param(check(), id="status alone"),
        pytest.param(check(json_values={"status": "ok"}), id="a text"),
        pytest.param(check(json_values={"items[0].name": "S*p"}), id="a part of a text"),
        pytest.param(check(json_values={"items[0].price": "4.5"}), id="a number"),
        pytest.param(check(json_values={"open": "true"}), id="a truth"),
        pytest.param(check(json_values={"length(items)": "1"}), id="how many"),
        pytest.param(check(json_values={"note": "null", "nowhere": "null"}), id="nothing"),
        pytest.param(check(json_values={"items": "*"}), id="anything that is there"),
        pytest.param(check(headers={"Content-Type": "application/json*"}), id="a header"),
        pytest.param(check(latency_ms=50), id="just in time"),
    ],
)
def test_a_good_answer_passes(expected: Check) -> None:
    answer = Answer(200, BODY, {"content-type": "application/json; charset=utf-8"}, seconds=0.05)

    assert judge(expected, answer) == Result("menu", True, 200, 0.05)


@pytest.mark.parametrize(
    ("expected", "answer", "why"),
    [
        (check(), Answer(503, "db down"), "expected status 200, got 503: db down"),
        (check(), Answer(0, "Connection refused"), ("expected status 200, got no answer: Connection"
         " refused")),
        (check(status=301), Answer(200), "expected status 301, got 200"),
        (check(json_values={"a": "1"}), Answer(200, "<html>"), "expected JSON, got <html>"),
        (check(json_values={"a": "1"}), Answer(200), "expected JSON, got nothing"),
        (check(json_values={"a": "1"}), Answer(200, '{"a": 2}'), "expected a to be 1, got 2"),
        (check(json_values={"a.b": "1"}), Answer(200, "[]"), ("expected a.b to be 1, got nothing "
         "there")),
        (check(json_values={"a": "*"}), Answer(200, '{"a": null}'), ("expected a to be *, got "
         "nothing there")),
        (check(json_values={"length(a)": "*"}), Answer(200, '{"a": 1}'), ("expected length(a) to be"
         " *, got nothing there")),
        (check(json_values={"a": "1"}), Answer(200, "[" * 100_000), ("expected JSON, got "
         f"{'[' * 199}…")),
        (check(json_values={"a[::0]": "*"}), Answer(200, '{"a": [1]}'), ("expected a[::0] to be *, "
         "got nothing there")),
        (check(json_values={"contains(a, `1`)": "true"}), Answer(200, '{"a": "b"}'), ("expected "
         "contains(a, `1`) to be true, got nothing there")),
        (check(headers={"X-A": "b"}), Answer(200), "expected header X-A: b, got none"),
        (check(headers={"X-A": "b"}), Answer(200, "", {"x-a": "c\x1b[2J"}), ("expected header X-A: "
         "b, got c [2J")),
        (check(latency_ms=500), Answer(200, "", seconds=0.9), ("expected an answer within 500 ms, "
         "got it after 900 ms")),
        (check(headers={"a": "b"}, latency_ms=1), Answer(200, "", seconds=0.1), ("expected header "
         "a: b, got none; expected an answer within 1 ms, got it after 100 ms")),
    ],
)  # fmt: skip
def test_a_bad_answer_is_told_with_what_was_expected(
    expected: Check, answer: Answer, why: str
) -> None:
    assert judge(expected, answer).why == f"GET /v1/menu: {why}"
    assert not judge(expected, answer).passed


def test_only_a_star_stands_for_other_text() -> None:
    assert matches("a.c*", "a.c\nd")
    assert not matches("a.c", "abc")
    assert not matches("[ab]", "a")


def result(status: int) -> Result:
    return Result("menu", False, status, 0, "why")


@pytest.mark.parametrize(
    ("before", "now", "served", "excused"),
    [
        pytest.param(0, 0, True, True, id="not reached before either"),
        pytest.param(0, 0, False, True, id="not reached, before the first deploy"),
        pytest.param(502, 503, True, True, id="as broken before"),
        pytest.param(503, 503, False, False, id="nothing served: a 5xx was to be expected"),
        pytest.param(200, 0, True, False, id="it could be reached before"),
        pytest.param(0, 500, True, False, id="it can be reached now"),
        pytest.param(503, 0, True, False, id="it answered at all"),
        pytest.param(503, 404, True, False, id="the release itself answers now"),
        pytest.param(404, 404, True, False, id="a path that only the new one has"),
    ],
)
def test_the_new_release_is_not_blamed_for_what_was_so_before(
    before: int, now: int, served: bool, excused: bool
) -> None:
    assert is_excused(Answer(before), result(now), served=served) is excused
