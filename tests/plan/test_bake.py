"""Figures to verdict, as tables."""

from __future__ import annotations

import pytest

from restoops.model import Counts
from restoops.plan.bake import Figures, Limits, Verdict, baseline, judge, total

LIMITS = Limits(for_s=30, max_error_rate=0.02, min_requests=50)
NONE = Counts()


@pytest.mark.parametrize(
    ("new", "old", "expected"),
    [
        pytest.param(Counts(1000, 0), Counts(1000, 0), Verdict.GOOD, id="nobody fails"),
        pytest.param(Counts(1000, 20), NONE, Verdict.GOOD, id="at the limit"),
        pytest.param(Counts(1000, 21), NONE, Verdict.ERRS, id="beyond the limit"),
        pytest.param(Counts(100, 51), Counts(100, 50), Verdict.GOOD, id="as bad as before"),
        pytest.param(Counts(100, 53), Counts(100, 50), Verdict.ERRS, id="worse than before"),
        pytest.param(Counts(49, 49), NONE, Verdict.TOO_FEW, id="too few, and all fail"),
        pytest.param(Counts(50, 50), NONE, Verdict.ERRS, id="just enough, and all fail"),
        pytest.param(NONE, NONE, Verdict.TOO_FEW, id="nobody asks"),
    ],
)
def test_figures_to_verdict(new: Counts, old: Counts, expected: Verdict) -> None:
    assert judge(Figures(new, old), LIMITS) is expected


@pytest.mark.parametrize(
    ("at_start", "at_switch", "expected"),
    [
        pytest.param(Counts(900, 90), Counts(1000, 91), Counts(100, 1), id="lately, if enough"),
        pytest.param(Counts(990, 90), Counts(1000, 91), Counts(1000, 91), id="else since ever"),
        pytest.param(Counts(900, 90), Counts(60, 0), Counts(60, 0), id="after a new HAProxy"),
        pytest.param(NONE, NONE, NONE, id="nobody asked"),
    ],
)
def test_how_the_release_before_did(at_start: Counts, at_switch: Counts, expected: Counts) -> None:
    assert baseline(at_start, at_switch, LIMITS) == expected


def test_hosts_are_added_up() -> None:
    figures = [Figures(Counts(10, 1), Counts(100, 2)), Figures(Counts(20, 3), Counts(200, 4))]

    assert total(figures) == Figures(Counts(30, 4), Counts(300, 6))
    assert total([]) == Figures(NONE, NONE)


def test_figures_are_told_in_words() -> None:
    assert str(Figures(Counts(1200, 6), Counts(100, 0))) == (
        "6 of 1,200 requests failed (0.5%); of the release before: 0 of 100 requests failed (0.0%)"
    )
