"""The picture is an SVG that stands alone, in which nothing covers anything else."""

import itertools
import xml.etree.ElementTree as ET

import pytest

from restoops.plan.graph import Box, Diagram, Group, Link
from restoops.report.svg import render

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "<script>alert(1)</script>&\"'\x1b[31m\n"


def diagram(title: str = "dev", droplets: int = 2) -> Diagram:
    boxes = tuple(Box("droplet", f"{title}-{n}", ("s-1vcpu-1gb",)) for n in range(droplets))
    return Diagram(
        title=title,
        network="VPC",
        columns=(
            (Group("clients", (Box("clients", title),)), Group("admins", (Box("clients", "x"),))),
            (Group("lb", (Box("balancer", title, (title,)),), "load balancer"),),
            (Group("droplets", boxes, title, (title,)),),
            (Group("db", (Box("database", title),), title, is_open=True),
             Group("cache", (Box("cache", title),), title)),
        ),
        links=(Link("clients", "lb", "443"), Link("admins", "droplets", "22"),
               Link("lb", "droplets", ""), Link("droplets", "db", ""), Link("lb", "gone", "")),
    )  # fmt: skip


def rectangles(picture: str) -> list[tuple[float, ...]]:
    root = ET.fromstring(picture)
    keys = ("x", "y", "width", "height")
    return [tuple(float(it.get(key, 0)) for key in keys) for it in root.iter(f"{SVG}rect")]


def contains(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return all(
        one[n] <= other[n] and one[n] + one[n + 2] >= other[n] + other[n + 2] for n in (0, 1)
    )


def are_apart(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return any(one[n] + one[n + 2] <= other[n] or other[n] + other[n + 2] <= one[n] for n in (0, 1))


@pytest.mark.parametrize("droplets", [1, 2, 13])
def test_rectangles_hold_each_other_or_are_apart(droplets: int) -> None:
    found = rectangles(render(diagram(droplets=droplets)))

    assert len(found) == 11 + droplets
    for one, other in itertools.combinations(found, 2):
        assert contains(one, other) or contains(other, one) or are_apart(one, other)


def test_texts_stay_within_the_picture() -> None:
    root = ET.fromstring(render(diagram("a-name-that-is-rather-long-" * 3)))

    width = float(root.get("width", 0))
    for text in root.iter(f"{SVG}text"):
        assert float(text.get("x", 0)) + 6.9 * len(text.text or "") <= width


def test_names_of_others_are_texts_and_nothing_else() -> None:
    picture = render(diagram(HOSTILE))

    root = ET.fromstring(picture)
    assert not list(root.iter(f"{SVG}script"))
    assert "\x1b" not in picture
    assert any("<script>" in (it.text or "") for it in root.iter(f"{SVG}text"))


def test_only_what_nothing_protects_is_red() -> None:
    red = "#b3261e"
    whole = Diagram("dev", "VPC", diagram().columns[:3], ())

    assert red not in render(whole).partition("</style>")[2]
    assert render(diagram()).partition("</style>")[2].count(f'stroke="{red}"') == 1


def test_a_link_to_nothing_is_not_drawn() -> None:
    root = ET.fromstring(render(diagram()))

    assert len([it for it in root.iter(f"{SVG}path") if it.get("class") == "l"]) == 4


def test_an_empty_diagram_is_a_picture() -> None:
    assert ET.fromstring(render(Diagram("dev", "", (), ()))).tag == f"{SVG}svg"
