"""A diagram as an SVG: columns of boxes, groups of them behind their firewalls, arrows between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from restoops.plan.graph import Box, Diagram, Group, Link
from restoops.report.wording import printable

_LINE, _PAD, _GAP = 17, 12, 14
_BETWEEN = 84
"""Between columns: room for arrows and their labels."""
_MARGIN, _HEAD = 28, 64
_CHARACTER = 6.9
"""Width of an average character of the font: no font can be asked here."""
_ALARM = "#b3261e"
"""What nothing protects, and nothing else."""
_COLOURS = {
    "clients": ("#eef1f5", "#5b6776"),
    "balancer": ("#e6f0ff", "#1f5fbf"),
    "droplet": ("#e7f6ec", "#1c7a43"),
    "database": ("#fff3e0", "#b25e00"),
    "cache": ("#f3ebfd", "#6b3fa0"),
    "more": ("#f6f7f9", "#5b6776"),
}
_STYLE = (
    "text{font:12px 'DejaVu Sans',Verdana,sans-serif;fill:#1d2733}"
    ".t{font-weight:bold}.h{font-size:18px;font-weight:bold}.s{fill:#5b6776}"
    f".w{{fill:{_ALARM};font-weight:bold}}"
    ".l{fill:none;stroke:#5b6776;stroke-width:1.5}"
)
_MARKER = (
    '<marker id="a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
    'orient="auto"><path d="M0 0L8 4L0 8z" fill="#5b6776"/></marker>'
)


@dataclass(frozen=True, slots=True)
class _Area:
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float


def render(diagram: Diagram) -> str:
    """Return the diagram as an SVG that stands alone and says what it shows in its title."""
    areas = dict(_placed(diagram))
    width = max((it.x + it.width for it in areas.values()), default=300) + _MARGIN * 2
    height = max((it.y + it.height for it in areas.values()), default=_HEAD) + _MARGIN * 2
    groups = {group.id: group for column in diagram.columns for group in column}
    size = f'width="{width:.0f}" height="{height:.0f}"'
    view = f'viewBox="0 0 {width:.0f} {height:.0f}" role="img"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {view}>',
        f"<title>{escape(printable(diagram.title))}: who may connect to what</title>",
        f"<style>{_STYLE}</style>",
        f"<defs>{_MARKER}</defs>",
        f'<rect {size} fill="#ffffff"/>',
        _text(_MARGIN, 32, diagram.title, "h"),
        *_network(diagram, areas),
        *(part for id_, area in areas.items() for part in _group(groups[id_], area)),
        *(part for it in _numbered(diagram) for part in _arrow(*it, areas)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _placed(diagram: Diagram) -> Iterator[tuple[str, _Area]]:
    """Yield where each group is: columns beside each other, each centred on the tallest."""
    heights = [_column_height(column) for column in diagram.columns]
    tallest, x = max(heights, default=0), float(_MARGIN)
    for number, (column, height) in enumerate(zip(diagram.columns, heights, strict=True)):
        if number == diagram.outside:
            x += _PAD
        width = max(map(_group_width, column))
        y = _HEAD + _LINE + _PAD * 2 + (tallest - height) / 2
        for group in column:
            yield group.id, _Area(x, y, width, _group_height(group))
            y += _group_height(group) + _GAP * 2
        x += width + _BETWEEN


def _column_height(column: tuple[Group, ...]) -> float:
    return sum(map(_group_height, column)) + _GAP * 2 * (len(column) - 1)


def _group_width(group: Group) -> float:
    inner = [_box_width(box) for box in group.boxes]
    heads = [_width(text) + _PAD * 2 for text in (group.title, *group.rules)]
    return max(*inner, *heads, 120) + (_PAD * 2 if group.title else 0)


def _group_height(group: Group) -> float:
    boxes = sum(map(_box_height, group.boxes)) + _GAP * (len(group.boxes) - 1)
    return boxes + (_header_height(group) + _PAD * 2 if group.title else 0)


def _header_height(group: Group) -> float:
    return _LINE * (1 + len(group.rules)) + 4


def _box_width(box: Box) -> float:
    return max(_width(text) for text in (box.title + "  ", *box.lines)) + _PAD * 2


def _box_height(box: Box) -> float:
    return _LINE * (1 + len(box.lines)) + _PAD


def _width(text: str) -> float:
    return len(text) * _CHARACTER


def _network(diagram: Diagram, areas: dict[str, _Area]) -> Iterator[str]:
    """Draw the VPC around all that is not outside of it."""
    inside = [areas[group.id] for column in diagram.columns[diagram.outside :] for group in column]
    if not inside or not diagram.network:
        return
    left, top = min(it.x for it in inside) - _PAD, min(it.y for it in inside) - _PAD * 2 - _LINE
    right, bottom = max(it.x + it.width for it in inside), max(it.y + it.height for it in inside)
    area = _Area(left, top, right - left + _PAD, bottom - top + _PAD)
    yield _rectangle(area, "#fafbfd", "#9aa5b4", dashed=True)
    yield _text(left + _PAD, top + _LINE, diagram.network, "s")


def _group(group: Group, area: _Area) -> Iterator[str]:
    y, x, width = area.y, area.x, area.width
    if group.title:
        edge = _ALARM if group.is_open else "#5b6776"
        yield _rectangle(area, "#ffffff", edge, dashed=False)
        yield _text(x + _PAD, y + _LINE, group.title, "w" if group.is_open else "t")
        for number, rule in enumerate(group.rules, 2):
            yield _text(x + _PAD, y + _LINE * number, rule, "s")
        y, x, width = y + _header_height(group) + _PAD, x + _PAD, width - _PAD * 2
    for box in group.boxes:
        yield from _box(box, _Area(x, y, width, _box_height(box)))
        y += _box_height(box) + _GAP


def _box(box: Box, area: _Area) -> Iterator[str]:
    fill, edge = _COLOURS[box.kind]
    yield _rectangle(area, fill, edge, dashed=False)
    yield _text(area.x + _PAD, area.y + _LINE + 1, box.title, "t")
    for number, line in enumerate(box.lines, 2):
        yield _text(area.x + _PAD, area.y + _LINE * number + 1, line, "")


def _numbered(diagram: Diagram) -> Iterator[tuple[Link, float, float]]:
    """Yield each link with where, from top to bottom, it leaves and arrives: 0 to 1."""
    for link in diagram.links:
        leaving = [it for it in diagram.links if it.source == link.source]
        coming = [it for it in diagram.links if it.target == link.target]
        yield link, _share(leaving.index(link), leaving), _share(coming.index(link), coming)


def _share(number: int, links: list[Link]) -> float:
    return (number + 1) / (len(links) + 1)


def _arrow(link: Link, leaves: float, comes: float, areas: dict[str, _Area]) -> Iterator[str]:
    if link.source not in areas or link.target not in areas:
        return
    source, target = areas[link.source], areas[link.target]
    x1, y1 = source.x + source.width, source.y + source.height * leaves
    between = (it for it in areas.values() if x1 < it.x and it.x + it.width < target.x)
    if any(between):
        way = _way_below(x1, y1, target, max(it.y + it.height for it in areas.values()))
    else:
        x2, y2 = target.x - 2, target.y + target.height * comes
        bend = min(40, (x2 - x1) / 2)
        curve = f"{x1 + bend:.1f} {y1:.1f} {x2 - bend:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"
        way = f"M{x1:.1f} {y1:.1f}C{curve}"
    yield f'<path d="{way}" class="l" marker-end="url(#a)"/>'
    if link.label:
        yield _text(x1 + 8, y1 - 6, link.label, "s")


def _way_below(x: float, y: float, target: _Area, lowest: float) -> str:
    """Return a way around what stands between, to the lower edge of the target."""
    under, end = lowest + _PAD + 14, target.x + target.width / 2
    bottom = target.y + target.height + 2
    return f"M{x:.1f} {y:.1f}h20V{under:.1f}H{end:.1f}V{bottom:.1f}"


def _rectangle(area: _Area, fill: str, edge: str, *, dashed: bool) -> str:
    dash = ' stroke-dasharray="6 4"' if dashed else ""
    return (
        f'<rect x="{area.x:.1f}" y="{area.y:.1f}" width="{area.width:.1f}" '
        f'height="{area.height:.1f}" rx="6" fill="{fill}" stroke="{edge}"{dash}/>'
    )


def _text(x: float, y: float, text: str, style: str) -> str:
    kind = f' class="{style}"' if style else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{kind}>{escape(printable(text))}</text>'
