"""Figures say what the samples say, and limits are held against the right one of them."""

import pytest

from tests.bench.figures import figure, quantity, spread, told, verdicts
from tests.bench.samples import Limit, Measured, Place, Report, Samples, Unit

PLACE = Place(2, "AMD EPYC", 3.8, "Debian 12", "6.1", {"Python": "3.11.7"})


def samples(*values: float, unit: Unit = "s", limits: tuple[Limit, ...] = ()) -> Samples:
    return Samples("it", "the thing", unit, values, limits)


def report(*all_of: Samples) -> Report:
    measured = Measured("2026-11-25 20:00", "abc1234", 61.2, PLACE, all_of)
    return Report("deploy", "Deploy and rollback", "How it was done.", measured)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0, "s", "0 s"),
        (0.00631, "s", "6.3 ms"),
        (0.0099, "s", "9.9 ms"),
        (0.00996, "s", "10 ms"),
        (0.083, "s", "83 ms"),
        (0.0996, "s", "0.10 s"),
        (1.149, "s", "1.15 s"),
        (9.996, "s", "10.0 s"),
        (57.26, "s", "57.3 s"),
        (123.4, "s", "123 s"),
        (9.94, "MiB", "9.9 MiB"),
        (149.2, "MiB", "149 MiB"),
        (5, "count", "5"),
        (8000, "count", "8,000"),
        (12_345_678, "count", "12,345,678"),
    ],
)
def test_a_quantity_is_as_exact_as_is_of_use(value: float, unit: Unit, text: str) -> None:
    assert quantity(value, unit) == text


def test_many_samples_are_told_by_their_median_and_their_ends() -> None:
    it = samples(1.3, 1.0, 9.0)
    assert (figure(it), spread(it)) == ("1.30 s", "1.00 to 9.00 s")


def test_ends_of_different_units_have_one_each() -> None:
    assert spread(samples(0.0057, 0.13)) == "5.7 ms to 0.13 s"
    assert spread(samples(1, 5, unit="count")) == "1 to 5"


def test_one_sample_has_no_spread_and_equal_ones_have_one_end() -> None:
    assert spread(samples(1.3)) == ""
    assert spread(samples(0, 0, unit="count")) == "0"


def test_what_is_part_of_something_is_told_as_all_of_it() -> None:
    it = Samples("failed", "failed", "count", (0, 2, 1), out_of=(1000, 1200, 1000))
    assert figure(it) == "3 of 3,200"


def test_no_samples_are_no_figure() -> None:
    with pytest.raises(ValueError, match="it: nothing was measured"):
        samples()


@pytest.mark.parametrize(
    ("it", "text"),
    [
        (samples(1.1, 1.2, 9, limits=(Limit(1.2),)), "at most 1.2 s: met"),
        (samples(1.1, 1.21, 9, limits=(Limit(1.2),)), "at most 1.2 s: **missed**"),
        (samples(0.05, limits=(Limit(0.06),)), "at most 60 ms: met"),
        (samples(1, limits=(Limit(300),)), "at most 300 s: met"),
        (samples(1, unit="count", limits=(Limit(12_000),)), "at most 12,000: met"),
        (samples(1, 80.1, 2, unit="MiB", limits=(Limit(80, "largest"),)),
         "never over 80 MiB: **missed**"),
        (samples(5, unit="count", limits=(Limit(12, "largest"),)), "never over 12: met"),
        (samples(0, 0, 1, unit="count", limits=(Limit(0, "sum"),)), "none: **missed**"),
        (samples(0, 0, 0, unit="count", limits=(Limit(0, "sum"),)), "none: met"),
    ],
)  # fmt: skip
def test_a_limit_is_told_with_what_became_of_it(it: Samples, text: str) -> None:
    assert [told(verdict, it.unit) for verdict in verdicts(report(it), it)] == [text]


def test_a_limit_can_be_a_multiple_of_other_samples() -> None:
    one = Samples("one", "one host", "s", (1, 2, 3))
    met, missed = (samples(value, limits=(Limit(2, than="one"),)) for value in (4, 4.1))

    assert [told(it, "s") for it in verdicts(report(one, met), met)] == [
        "at most 2 times “one host”: 2.00, met"
    ]
    assert [it.is_met for it in verdicts(report(one, missed), missed)] == [False]


def test_a_limit_against_what_was_not_measured_says_nothing() -> None:
    it = samples(4, limits=(Limit(2, than="one"),))
    assert list(verdicts(report(it), it)) == []
