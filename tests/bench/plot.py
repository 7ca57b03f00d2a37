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
# Alone it goes by what the reader's system says, and paints its ground, so that it can be read on a
# page of another colour; within a page of the site it has the colours of that.
_STYLE = """\
.rb{--rb-f:#1d2733;--rb-m:#5b6776;--rb-l:#dfe4ea;--rb-g:#ffffff;--rb-k:#b3261e;
font:13px 'DejaVu Sans',Verdana,sans-serif}
@media (prefers-color-scheme:dark){.rb{
--rb-f:#e6ebf1;--rb-m:#a3afbd;--rb-l:#2a323d;--rb-g:#12171e;--rb-k:#ff8a80}}
.rb .ground{fill:var(--md-default-bg-color,var(--rb-g))}
.rb text{fill:var(--md-default-fg-color,var(--rb-f))}
.rb .s{fill:var(--md-default-fg-color--light,var(--rb-m));font-size:12px}
.rb .grid{stroke:var(--md-default-fg-color--lightest,var(--rb-l))}
.rb .line{stroke:var(--md-default-fg-color--light,var(--rb-m))}
.rb .median{stroke:var(--md-default-fg-color,var(--rb-f));stroke-width:2.5}
.rb .dot{fill:#3b82f6;fill-opacity:.65}
.rb .limit{stroke:#d9484d;stroke-width:2;stroke-dasharray:5 4}
.rb .key{fill:var(--md-code-hl-number-color,var(--rb-k));font-size:12px}"""


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
    """Return the plot of a benchmark; empty where a table says all there is to see.

    That is so of counts, and of what was measured once.
    """
    panels = _panels(report)
    if not panels:
        return ""
    height = _TOP + sum(panel.height for panel in panels)
    size = f'width="{_WIDTH}" height="{height}"'
    view = f'viewBox="0 0 {_WIDTH} {height}" role="img"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="rb" {size} {view}>',
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
        if samples.unit == "count" or len(samples.values) == 1:
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
    told = f'<tspan class="s" dx="6">median {escape(figure(samples))}</tspan>'
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
