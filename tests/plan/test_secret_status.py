"""Where a secret is, since when, and when a new value is due."""

import pytest

from restoops.model import Placed, Secret, Value
from restoops.plan.env_template import Variable
from restoops.plan.secret_status import SecretsStatus, Standing, state_of, states_of

NOW = "2026-03-01T12:00:00.000Z"
VALUE = Value(Secret("x"), "f1")
DAILY = Variable("A", rotate_d=30)


@pytest.mark.parametrize(
    ("placed", "standing"),
    [
        ({"A": Placed("f1", "2026-02-20T00:00:00.000Z")}, Standing.CURRENT),
        ({"A": Placed("f0", "2026-02-20T00:00:00.000Z")}, Standing.BEHIND),
        ({"A": Placed("")}, Standing.UNKNOWN),
        ({}, Standing.MISSING),
    ],
)
def test_the_standing_of_a_place(placed: dict[str, Placed], standing: Standing) -> None:
    state = state_of(DAILY, VALUE, {"web-1": placed}, NOW)

    assert [(it.place, it.standing) for it in state.copies] == [("web-1", standing)]
    assert bool(state.rotate_by) is (standing is Standing.CURRENT)


@pytest.mark.parametrize(
    ("since", "days", "by", "is_due"),
    [
        pytest.param("2026-01-30T23:00:00.000Z", 30, "2026-03-01", True, id="due today"),
        pytest.param("2026-01-31T00:00:00.000Z", 30, "2026-03-02", False, id="due tomorrow"),
        pytest.param("2020-01-31T00:00:00.000Z", 0, "", False, id="without a schedule"),
        pytest.param("", 30, "", False, id="nobody knows since when"),
        pytest.param("yesterday", 30, "", False, id="written by hand"),
    ],
)
def test_when_it_is_due(since: str, days: int, by: str, *, is_due: bool) -> None:
    state = state_of(Variable("A", rotate_d=days), VALUE, {"w": {"A": Placed("f1", since)}}, NOW)

    assert (state.rotate_by, state.is_due) == (by, is_due)


def test_its_age_is_that_of_the_oldest_copy_of_the_value_of_today() -> None:
    places = {
        "web-1": {"A": Placed("f1", "2026-02-03")},
        "web-2": {"A": Placed("f1", "2026-02-02")},
        "web-3": {"A": Placed("f0", "2026-02-01")},
    }

    assert state_of(DAILY, VALUE, places, NOW).since == "2026-02-02"


def test_places_that_are_behind_and_names_that_are_due() -> None:
    places = {"b": {"A": Placed("f1", "2025-01-01")}, "a": {"A": Placed("f0")}}
    states = states_of([DAILY, Variable("B")], {"A": VALUE}, places, NOW)

    status = SecretsStatus("staging", "a file", states, {})

    assert (status.behind, status.due) == (("a",), ("A",))
