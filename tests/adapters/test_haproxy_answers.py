"""What HAProxy answers, read without one: its map and its counters."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restoops.adapters.haproxy import Route, live_map, parse_route
from restoops.adapters.runtime import parse_traffic
from restoops.model import Color, Counts
from tests.plan.states import BLUE, GREEN

ROUTES = [Route(None), *(Route(color, covered=on) for color in Color for on in (True, False))]


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_a_map_says_what_was_written(route: Route) -> None:
    assert parse_route(live_map(route)) == route
    assert parse_route(f"0x55d0c0ffee {live_map(route)}\n") == route


@given(st.text(max_size=40))
@settings(max_examples=200)
def test_a_map_that_says_anything_else_says_nobody(text: str) -> None:
    assert parse_route(text) in ROUTES
    assert parse_route("") == parse_route("live blue_blue") == Route(None)


def test_answers_of_5xx_and_broken_connections_are_failures() -> None:
    row = {"pxname": "app_blue", "svname": "blue", "scur": "0", "qcur": "0", "status": "UP"}
    answers = {"hrsp_2xx": "90", "hrsp_4xx": "5", "hrsp_5xx": "3", "hrsp_other": ""}
    broken = {"econ": "1", "eresp": "2"}
    reserve = {**row, "pxname": "app_green_blue", "hrsp_2xx": "10"}

    traffic = parse_traffic(Route(BLUE), [{**row, **answers, **broken}, reserve])

    assert traffic.counts == {BLUE: Counts(111, 6), GREEN: Counts()}


def test_requests_that_wait_count_and_other_rows_do_not() -> None:
    rows = [
        {"pxname": px, "svname": sv, "scur": scur, "qcur": qcur, "status": status}
        for px, sv, scur, qcur, status in (
            ("app_blue", "blue", "2", "1", "UP 1/3"),
            ("app_blue_green", "green", "4", "", "DOWN (agent)"),
            ("app_green", "green", "0", "0", "MAINT"),
            ("app_green", "BACKEND", "9", "9", "UP"),
            ("probe_blue", "blue", "9", "9", "no check"),
        )
    ]

    traffic = parse_traffic(Route(BLUE, covered=True), rows)

    assert traffic.sessions == {BLUE: 3, GREEN: 4}
    assert traffic.up == {BLUE}
    assert not traffic.covering
