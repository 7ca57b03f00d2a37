"""Figures from samples, in words."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from tests.bench.samples import Limit, Report, Samples, Unit

_OF: dict[str, Callable[[Sequence[float]], float]] = {
    "median": median, "largest": max, "sum": sum,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a limit."""

    limit: Limit
    figure: float
    """What is held against the limit: a quantity, or how many times another one it is."""
    than: Samples | None = None

    @property
    def is_met(self) -> bool:
        """Whether the samples are as was asked."""
        return self.figure <= self.limit.at_most


def verdicts(report: Report, samples: Samples) -> Iterator[Verdict]:
    """Yield what became of each limit; one against samples that are not there says nothing."""
    for limit in samples.limits:
        figure = _OF[limit.of](samples.values)
        if not limit.than:
            yield Verdict(limit, figure)
        elif than := report.find(limit.than):
            yield Verdict(limit, figure / median(than.values), than)


def quantity(value: float, unit: Unit) -> str:
    """Return a value with its unit, as exact as a reader can use it."""
    match unit:
        case "s" if value == 0:
            return "0 s"
        case "s" if value < 0.0995:
            return f"{value * 1000:.{1 if value < 0.00995 else 0}f} ms"
        case "s":
            return f"{value:.{2 if value < 9.995 else 1 if value < 99.95 else 0}f} s"
        case "MiB":
            return f"{value:.{1 if value < 9.95 else 0}f} MiB"
        case _:
            return f"{value:,.6g}" if value < 1_000_000 else f"{value:,.0f}"


def figure(samples: Samples) -> str:
    """Return what stands for all samples: their median, or all parts of all."""
    if samples.out_of:
        return f"{sum(samples.values):,.0f} of {sum(samples.out_of):,}"
    return quantity(median(samples.values), samples.unit)


def spread(samples: Samples) -> str:
    """Return the smallest and the largest of several samples."""
    if len(samples.values) == 1:
        return ""
    low, high = (quantity(end(samples.values), samples.unit) for end in (min, max))
    if low == high:
        return low
    number, _, unit = low.partition(" ")
    return f"{number if high.endswith(f' {unit}') else low} to {high}"


def told(verdict: Verdict, unit: Unit) -> str:
    """Return what was asked, and whether it is so."""
    result = "met" if verdict.is_met else "**missed**"
    limit = verdict.limit
    if verdict.than:
        than = f"{limit.at_most:g} times “{verdict.than.title}”"
        return f"at most {than}: {verdict.figure:.2f}, {result}"
    if limit.at_most == 0:
        return f"none: {result}"
    asked = "never over" if limit.of == "largest" else "at most"
    return f"{asked} {as_set(limit.at_most, unit)}: {result}"


def as_set(value: float, unit: Unit) -> str:
    """Return a limit as somebody sets one: 2 s, and not 2.00 s."""
    if unit == "s" and value < 1:
        return f"{_three_digits(value * 1000)} ms"
    return f"{_three_digits(value)}{'' if unit == 'count' else f' {unit}'}"


def _three_digits(value: float) -> str:
    return f"{float(f'{value:.3g}'):,g}"
