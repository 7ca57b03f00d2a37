"""A plot shows every sample where it belongs, in light and in dark."""

import re
from xml.etree import ElementTree as ET

import pytest

from tests.bench import plot
from tests.bench.samples import Limit, Samples
from tests.bench.test_figures import report

SVG = "{http://www.w3.org/2000/svg}"


def drawn(*all_of: Samples) -> ET.Element:
    return ET.fromstring(plot.render(report(*all_of)))


def places(root: ET.Element) -> list[float]:
    return [float(dot.attrib["cx"]) for dot in root.iter(f"{SVG}circle")]


def lines(root: ET.Element, kind: str) -> list[float]:
    found = (it for it in root.iter(f"{SVG}line") if it.attrib["class"] == kind)
    return [float(line.attrib["x1"]) for line in found]


def test_every_sample_is_a_dot_on_an_axis_that_begins_at_nothing() -> None:
    root = drawn(Samples("a", "a", "s", (1.0, 2.0, 4.0)))
    first, second, third = places(root)
    origin = lines(root, "grid")[0]

    assert (second - origin) / (first - origin) == pytest.approx(2, abs=0.01)
    assert (third - origin) / (first - origin) == pytest.approx(4, abs=0.01)
    assert lines(root, "median") == [second]


def test_equal_samples_do_not_hide_one_another() -> None:
    root = drawn(Samples("a", "a", "s", (1.0,) * 5))
    assert len(set(places(root))) == 1
    assert len({dot.attrib["cy"] for dot in root.iter(f"{SVG}circle")}) > 2


@pytest.mark.parametrize("number", [1, 7, 50])
def test_no_dot_is_left_out_however_many_there_are(number: int) -> None:
    assert len(list(plot.scattered([10.0] * number))) == number


def test_a_limit_is_drawn_and_so_is_a_multiple_of_other_samples() -> None:
    root = drawn(
        Samples("one", "one", "s", (1.0, 1.0), (Limit(1.5),)),
        Samples("ten", "ten", "s", (1.2, 1.2), (Limit(2, than="one"),)),
    )
    [own, multiple] = lines(root, "limit")
    origin, one = lines(root, "grid")[0], places(root)[0]
    assert (own - origin) / (one - origin) == pytest.approx(1.5, abs=0.01)
    assert (multiple - origin) / (one - origin) == pytest.approx(2, abs=0.01)


def test_a_limit_far_off_does_not_press_the_dots_together() -> None:
    root = drawn(Samples("a", "a", "s", (20.0, 21.0), (Limit(300, "largest"),)))
    assert lines(root, "limit") == []
    assert max(places(root)) > 600


def test_what_is_much_smaller_gets_an_axis_of_its_own() -> None:
    root = drawn(Samples("a", "a", "s", (8.0, 8.0)), Samples("b", "b", "s", (0.006, 0.006)),
                 Samples("c", "c", "s", (2.0, 2.0)))  # fmt: skip
    assert lines(root, "line") == [20.0, 20.0]
    large, shared, small = places(root)[::2]
    assert (shared - 20) / (large - 20) == pytest.approx(2 / 8, abs=0.01)
    assert small == large


@pytest.mark.parametrize("it", [Samples("a", "a", "count", (5, 6)), Samples("a", "a", "s", (1.0,))])
def test_counts_and_what_was_measured_once_make_no_plot(it: Samples) -> None:
    assert plot.render(report(it)) == ""


def test_every_colour_has_its_like_in_the_dark() -> None:
    text = plot.render(report(Samples("a", "a", "s", (1.0, 1.0))))
    light, _, rest = text.partition("@media (prefers-color-scheme:dark)")
    dark, _, rules = rest.partition("}}")
    named = [set(re.findall(r"(--rb-\w+):#", part)) for part in (light, dark)]
    assert named[0] == named[1] == set(re.findall(r"var\((--rb-\w+)\)", rules))


@pytest.mark.parametrize(
    ("value", "labels"),
    [
        (0.15, ["0", "25 ms", "50 ms", "75 ms", "100 ms", "125 ms", "150 ms"]),
        (2.2, ["0", "0.5 s", "1 s", "1.5 s", "2 s"]),
    ],
)
def test_an_axis_has_one_unit(value: float, labels: list[str]) -> None:
    root = drawn(Samples("a", "a", "s", (value, value)))
    found = (it for it in root.iter(f"{SVG}text") if it.get("text-anchor") == "middle")
    assert [it.text for it in found] == labels


def test_titles_cannot_break_the_picture() -> None:
    root = drawn(Samples("a", "`a` <b> & c", "s", (1.0, 1.0)))
    assert any("a <b> & c" in "".join(text.itertext()) for text in root.iter(f"{SVG}text"))


@pytest.mark.parametrize(
    ("end", "wanted"),
    [
        (1.3, [0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2]),
        (0.0085, [0, 0.002, 0.004, 0.006, 0.008]),
        (155, [0, 25, 50, 75, 100, 125, 150]),
    ],
)
def test_an_axis_has_round_numbers(end: float, wanted: list[float]) -> None:
    assert list(plot.ticks(end)) == wanted
