"""Where the marks of a report's drawings are, in percent of their width and height."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from restoops.plan.ages import seconds_between
from restoops.plan.probe import Sample
from restoops.report.page import Bar, Page
from restoops.report.wording import duration

_NARROWEST = 0.5
_TOP, _BOTTOM = 16.0, 96.0
"""The part of the plot in which answers are; above it is what had no answer."""
_MOST_LINES = 6


@dataclass(frozen=True, slots=True)
class Mark:
    """A line of a grid with its label."""

    at: str
    label: str


@dataclass(frozen=True, slots=True)
class Span:
    """A bar of the timeline."""

    x: str
    width: str
    bar: Bar


@dataclass(frozen=True, slots=True)
class Dot:
    """A request of the probe."""

    x: str
    y: str
    sample: Sample


@dataclass(frozen=True, slots=True)
class Failure:
    """A request that failed, for the table below the plot."""

    at: str
    sample: Sample


@dataclass(frozen=True, slots=True)
class Plot:
    """Answers over time."""

    dots: tuple[Dot, ...]
    times: tuple[Mark, ...]
    levels: tuple[Mark, ...]
    switches: tuple[str, ...]
    failures: tuple[Failure, ...]


def ticks(seconds: float) -> tuple[Mark, ...]:
    """Return the marks of an axis from 0 to `seconds`."""
    return tuple(_ticks(0, seconds))


def spans(bars: tuple[Bar, ...], seconds: float) -> tuple[Span, ...]:
    """Return where bars are on an axis from 0 to `seconds`; none is too narrow to be seen."""
    return tuple(_span(bar, seconds) for bar in bars)


def plot(page: Page) -> Plot | None:
    """Return the plot of what the probe met with; None when there was no probe."""
    if page.probed is None or not page.probed.samples:
        return None
    samples = page.probed.samples
    offset = max(0.0, seconds_between(page.started_at, page.probed.started_at))
    first = offset + min(it.at_s for it in samples)
    last = max(offset + max(it.at_s for it in samples), first + 0.1)
    answered = [it.ms for it in samples if it.status] or [1.0]
    low, high = _floor(max(0.05, min(answered))), _ceiling(max(answered))
    high = high if high > low else low * 10

    def x(at_s: float) -> str:
        return _percent((at_s - first) / (last - first) * 100)

    def y(ms: float) -> str:
        share = math.log(max(ms, low) / low) / math.log(high / low)
        return _percent(_BOTTOM - share * (_BOTTOM - _TOP))

    moments = sorted({bar.at_s for host in page.hosts for bar in host.bars if bar.kind == "switch"})
    return Plot(
        dots=tuple(
            Dot(x(offset + it.at_s), y(it.ms) if it.status else _percent(_TOP / 2), it)
            for it in samples
        ),
        times=tuple(_ticks(first, last)),
        levels=tuple(Mark(y(ms), f"{ms:g} ms") for ms in _levels(low, high)),
        switches=tuple(dict.fromkeys(x(at) for at in moments if first <= at <= last)),
        failures=tuple(Failure(f"{offset + it.at_s:.2f} s", it) for it in samples if it.failed),
    )


def _span(bar: Bar, seconds: float) -> Span:
    whole = max(seconds, 0.001)
    width = min(100.0, max(_NARROWEST, bar.seconds / whole * 100))
    return Span(_percent(min(bar.at_s / whole * 100, 100 - width)), _percent(width), bar)


def _ticks(first: float, last: float) -> Iterator[Mark]:
    step = _ceiling((last - first) / 5)
    number = math.ceil(first / step - 1e-9)
    while (at := number * step) < last - (last - first) * 0.04:
        yield Mark(_percent((at - first) / (last - first) * 100), duration(at) if at else "0")
        number += 1


def _levels(low: float, high: float) -> list[float]:
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    fine = [round(10.0**decade * digit, 6) for decade in decades for digit in (1, 2, 5)]
    inside = [it for it in fine if low * 0.999 <= it <= high * 1.001]
    if len(inside) <= _MOST_LINES:
        return inside
    return [it for it in inside if math.isclose(math.log10(it) % 1, 0, abs_tol=1e-9)]


def _ceiling(value: float) -> float:
    """Return the smallest of 1, 2, 5, 10, 20, 50... that is not below `value`."""
    if value <= 0:
        return 0.001
    decade = 10.0 ** math.floor(math.log10(value))
    return next((decade * it for it in (1, 2, 5) if decade * it >= value * 0.999999), decade * 10)


def _floor(value: float) -> float:
    decade = 10.0 ** math.floor(math.log10(value))
    return max((decade * it for it in (1, 2, 5) if decade * it <= value * 1.000001), default=decade)


def _percent(value: float) -> str:
    return f"{min(100.0, max(0.0, value)):.2f}%"
