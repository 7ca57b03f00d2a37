"""A saved plan is applied as it is only while it is still what was reviewed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from restoops.plan.review import Origin, objections

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
MADE = Origin(commit="a" * 40, is_clean=True, lineage="l", serial=4, at=AT)


@pytest.mark.parametrize(
    "now",
    [
        pytest.param(MADE, id="at once"),
        pytest.param(replace(MADE, at=AT + timedelta(hours=24)), id="a day later, to the second"),
        pytest.param(replace(MADE, at=AT - timedelta(minutes=5)), id="clocks that differ a little"),
    ],
)
def test_a_plan_that_is_what_was_reviewed_may_be_applied(now: Origin) -> None:
    assert objections(MADE, now) == ()


@pytest.mark.parametrize(
    ("made", "now", "reason"),
    [
        pytest.param(MADE, replace(MADE, commit="b" * 40), "at commit aaaaaaaaaaaa", id="commit"),
        pytest.param(MADE, replace(MADE, commit=""), "not known from", id="no git now"),
        pytest.param(replace(MADE, commit=""), MADE, "not known from", id="no git then"),
        pytest.param(replace(MADE, commit=""), replace(MADE, commit=""), "not known", id="no git"),
        pytest.param(replace(MADE, is_clean=False), MADE, "was not committed", id="dirty"),
        pytest.param(MADE, replace(MADE, is_clean=False), "has changes that are not", id="edited"),
        pytest.param(MADE, replace(MADE, serial=5), "serial 4 and is at 5", id="state written"),
        pytest.param(MADE, replace(MADE, serial=3), "serial 4 and is at 3", id="state restored"),
        pytest.param(MADE, replace(MADE, lineage="m"), "another state", id="another state"),
        pytest.param(MADE, replace(MADE, at=AT + timedelta(hours=24, seconds=1)), "24 h old",
                     id="older than a day"),
        pytest.param(MADE, replace(MADE, at=AT - timedelta(hours=1)), "in the future", id="clocks"),
    ],
)  # fmt: skip
def test_anything_else_is_objected_to(made: Origin, now: Origin, reason: str) -> None:
    (found,) = objections(made, now)

    assert reason in found


def test_all_objections_are_told_at_once() -> None:
    now = Origin(commit="b", is_clean=False, lineage="l", serial=9, at=AT + timedelta(days=3))

    assert len(objections(MADE, now)) == 4
