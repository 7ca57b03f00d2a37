"""Samples as an SVG: every one a dot, on an axis that begins at nothing, with median and limit."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import count
from math import ceil, floor, log10
from statistics import median

from tests.bench.figures import as_set, figure
from tests.bench.samples import Report, Samples, Unit

_WIDTH, _LEFT, _RIGHT = 760, 20, 40
_TOP, _ROW, _AXIS = 14, 58, 46
"""Heights: above the first panel, of a row, of an axis with its numbers and the gap below."""
_RADIUS = 4.0
_LEVELS = 3
"""So many dots stand above each other and below; more of the same size lie on one another."""
_ALIKE = 8
"""Samples that are so many times as large as others get an axis of their own."""
# The ground is painted, too: a page that is dark where this is light does not make it unreadable.
_STYLE = """\
text{font:13px 'DejaVu Sans',Verdana,sans-serif;fill:#1d2733}
.ground{fill:#ffffff}.grid{stroke:#dfe4ea}.line{stroke:#9aa5b4}.s{fill:#5b6776;font-size:12px}
.dot{fill:#1f6fd0;fill-opacity:.6}.median{stroke:#1d2733;stroke-width:2.5}
.limit{stroke:#b3261e;stroke-width:2;stroke-dasharray:5 4}.key{fill:#b3261e;font-size:12px}
@media (prefers-color-scheme:dark){
text{fill:#e6ebf1}.ground{fill:#12171e}.grid{stroke:#2a323d}.line{stroke:#5b6776}.s{fill:#a3afbd}
.dot{fill:#6cb0ff}.median{stroke:#ffffff}.limit{stroke:#ff8a80}.key{fill:#ff8a80}}"""


@dataclass(frozen=True, slots=True)
class _Row:
    """Samples, with their limit as a quantity where there is one to show."""

    samples: Samples
    limit: float | None


@dataclass(frozen=True, slots=True)
class _Panel:
    """Rows that share an axis."""

    unit: Unit
    rows: tuple[_Row, ...]

    @property
    def end(self) -> float:
        """What the axis reaches to; a limit far off would press the dots together."""
        largest = max(max(row.samples.values) for row in self.rows)
        limits = (row.limit for row in self.rows if row.limit and row.limit <= largest * 2)
        return max(largest, *limits, 0.0) * 1.02 or 1.0

    @property
    def height(self) -> int:
        return _ROW * len(self.rows) + _AXIS

    def label(self, tick: float) -> str:
        """Return a number of the axis, all in the same unit."""
        if tick == 0:
            return "0"
        is_short = self.unit == "s" and self.end < 1
        return f"{tick * 1000:g} ms" if is_short else f"{tick:,g} {self.unit}"

    def x(self, value: float) -> float:
        return _LEFT + value / self.end * (_WIDTH - _LEFT - _RIGHT)


def render(report: Report) -> str:
    """Return the plot of a benchmark; empty when it counts only, which a table tells better."""
    panels = _panels(report)
    if not panels:
        return ""
    height = _TOP + sum(panel.height for panel in panels)
    size = f'width="{_WIDTH}" height="{height}"'
    view = f'viewBox="0 0 {_WIDTH} {height}" role="img"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {view}>',
        f"<title>{escape(report.title)}: every measurement</title>",
        f"<style>{_STYLE}</style>",
        f'<rect {size} class="ground"/>',
    ]
    top = _TOP
    for panel in panels:
        parts += _panel(panel, top)
        top += panel.height
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panels(report: Report) -> tuple[_Panel, ...]:
    """Return what can share an axis together, in the order in which it was measured."""
    panels: list[_Panel] = []
    for samples in report.measured.samples if report.measured else ():
        if samples.unit == "count":
            continue
        row = _Row(samples, _limit(report, samples))
        for number, panel in enumerate(panels):
            if panel.unit == samples.unit and _are_alike(samples, panel):
                panels[number] = _Panel(panel.unit, (*panel.rows, row))
                break
        else:
            panels.append(_Panel(samples.unit, (row,)))
    return tuple(panels)


def _are_alike(samples: Samples, panel: _Panel) -> bool:
    mine, largest = max(samples.values), max(max(row.samples.values) for row in panel.rows)
    return max(mine, largest) <= _ALIKE * min(mine, largest)


def _limit(report: Report, samples: Samples) -> float | None:
    """Return the lowest limit of samples as a quantity."""
    found = []
    for limit in samples.limits:
        than = report.find(limit.than) if limit.than else None
        if than or not limit.than:
            found.append(limit.at_most * (median(than.values) if than else 1))
    return min(found, default=None)


def _panel(panel: _Panel, top: float) -> Iterator[str]:
    bottom = top + _ROW * len(panel.rows)
    for tick in ticks(panel.end):
        x, label = panel.x(tick), panel.label(tick)
        yield _line(x, top, x, bottom, "grid")
        at = f'x="{x:.1f}" y="{bottom + 17:.1f}"'
        yield f'<text {at} class="s" text-anchor="middle">{label}</text>'
    yield _line(_LEFT, bottom, panel.x(panel.end), bottom, "line")
    for number, row in enumerate(panel.rows):
        yield from _row(panel, row, top + _ROW * number)


def _row(panel: _Panel, row: _Row, top: float) -> Iterator[str]:
    """Draw the title above its dots."""
    samples, middle = row.samples, top + 37
    kind = "median " if len(samples.values) > 1 else ""
    told = f'<tspan class="s" dx="6">{kind}{escape(figure(samples))}</tspan>'
    if row.limit is not None:
        told += f'<tspan class="key" dx="6">asked {as_set(row.limit, samples.unit)}</tspan>'
    title = escape(samples.title.replace("`", ""))
    yield f'<text x="{_LEFT + 2}" y="{top + 14:.1f}">{title}{told}</text>'
    if row.limit is not None and row.limit <= panel.end:
        x = panel.x(row.limit)
        yield _line(x, top + 21, x, top + 53, "limit")
    for x, level in scattered([panel.x(value) for value in samples.values]):
        yield f'<circle cx="{x:.1f}" cy="{middle + level * 4.5:.1f}" r="{_RADIUS:g}" class="dot"/>'
    x = panel.x(median(samples.values))
    yield _line(x, top + 22, x, top + 52, "median")


def scattered(places: Sequence[float]) -> Iterator[tuple[float, int]]:
    """Yield each place with a level, so that dots beside each other do not hide one another."""
    taken: list[tuple[float, int]] = []
    for x in sorted(places):
        level = next(level for level in _levels() if _is_free(x, level, taken))
        taken.append((x, level))
        yield x, level


def _levels() -> Iterator[int]:
    """Yield the middle first, then above and below in turn."""
    yield 0
    for level in range(1, _LEVELS + 1):
        yield -level
        yield level


def _is_free(x: float, level: int, taken: list[tuple[float, int]]) -> bool:
    # The lowest level takes whatever is left.
    if level == _LEVELS:
        return True
    return all(abs(other - level) > 1 or x - at >= _RADIUS * 2 for at, other in taken)


def ticks(end: float) -> Iterator[float]:
    """Yield round numbers from 0 to `end`, four to eight of them."""
    step = 10.0 ** floor(log10(end / 4))
    step *= next(it for it in (1, 2, 2.5, 5, 10) if end / (step * it) <= 7)
    digits = max(0, ceil(-log10(step)) + 1)
    for number in count():
        if (value := round(number * step, digits)) > end:
            return
        yield value


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} class="{kind}"/>'
