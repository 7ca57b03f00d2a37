"""The figures of a probe: how often it asks, what counts as failed, which samples are told."""

import pytest

from restoops.plan.probe import Sample, pace, percentile, thinned


def sample(at_s: float = 0, status: int = 200) -> Sample:
    return Sample("web-1", at_s, 1.5, status)


@pytest.mark.parametrize(
    ("rate", "hosts", "expected"),
    [
        pytest.param(0, 3, (0, 0), id="rate 0 asks nobody"),
        pytest.param(10, 0, (0, 0), id="no host"),
        pytest.param(10, 1, (1, 0.1), id="one host is asked at the rate"),
        pytest.param(10, 5, (5, 0.1), id="five hosts still are"),
        pytest.param(10, 20, (20, 0.4), id="twenty share 50 a second"),
        pytest.param(2, 20, (20, 0.5), id="a low rate is kept"),
        pytest.param(10, 200, (50, 1), id="of 200 hosts 50 are asked, once a second"),
    ],
)
def test_the_pace_of_a_probe_is_bounded(
    rate: float, hosts: int, expected: tuple[int, float]
) -> None:
    assert pace(rate, hosts) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("status", "failed"),
    [(200, False), (302, False), (404, False), (500, True), (503, True), (0, True)],
)
def test_no_answer_and_5xx_count_as_failed(status: int, failed: bool) -> None:
    assert sample(status=status).failed is failed


def test_failed_requests_are_told_before_others_and_in_order() -> None:
    samples = [sample(number, 0 if number in (3, 77, 98) else 200) for number in range(100)]

    kept = thinned(samples, 10)

    assert len(kept) == 10
    assert [it.at_s for it in kept if it.failed] == [3, 77, 98]
    assert list(kept) == sorted(kept, key=lambda it: it.at_s)
    assert thinned(samples[:10], 10) == tuple(samples[:10])


def test_even_failed_requests_are_bounded() -> None:
    assert len(thinned([sample(number, 0) for number in range(5000)])) == 2000


@pytest.mark.parametrize(("share", "expected"), [(0.5, 51), (0.99, 100), (1, 100), (0, 1)])
def test_percentiles_are_times_that_were_measured(share: float, expected: float) -> None:
    assert percentile([float(ms) for ms in range(1, 101)], share) == expected
    assert percentile([], share) is None
