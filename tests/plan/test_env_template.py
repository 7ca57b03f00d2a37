"""What the comments of a template ask for."""

import pytest

from restoops.model import EnvEntry, Secret
from restoops.plan.env_template import Variable, template_of


def entry(*comments: str, name: str = "KEY", line: int = 4) -> EnvEntry:
    return EnvEntry(name, Secret(""), comments, line)


@pytest.mark.parametrize(
    ("comments", "wanted"),
    [
        pytest.param((), Variable("KEY"), id="nothing is asked for: any text"),
        pytest.param(("# What it is for, and by whom: everybody.", "# Note: it is old.", "#"),
                     Variable("KEY"), id="prose is for people"),
        pytest.param(("# optional",), Variable("KEY", is_optional=True), id="it may be left out"),
        pytest.param(("# rotate: 90",), Variable("KEY", rotate_d=90), id="a schedule"),
        pytest.param(("# type: url", "# min: 16", "#pattern: a|b: c"),
                     Variable("KEY", type="url", min_length=16, pattern="a|b: c"),
                     id="all at once"),
    ],
)  # fmt: skip
def test_a_shape_is_read(comments: tuple[str, ...], wanted: Variable) -> None:
    template = template_of([entry(*comments)])

    assert template.variables == (wanted,)
    assert template.faults == ()


@pytest.mark.parametrize(
    ("comment", "fault"),
    [
        ("# tpye: url", "unknown word `tpye`; there are type, pattern, min, optional, rotate"),
        ("# optional: no", "`optional` stands alone"),
        ("# type: uri", "`type` is one of text, url, integer, boolean, email"),
        ("# type", "`type` is one of text, url, integer, boolean, email"),
        ("# min: many", "`min` is a number of characters"),
        ("# min: -1", "`min` is a number of characters"),
        ("# pattern: (", "`pattern` is no regular expression"),
        ("# pattern:", "`pattern` is no regular expression"),
        ("# rotate: 0", "`rotate` is a number of days"),
        ("# rotate: often", "`rotate` is a number of days"),
    ],
)
def test_a_shape_that_is_none_is_a_fault_of_the_template(comment: str, fault: str) -> None:
    template = template_of([entry(comment), entry(name="OTHER")])

    assert template.faults == (f"line 4, KEY: {fault}",)
    assert template.variables == (Variable("OTHER"),)


def test_a_variable_that_stands_there_twice_is_a_fault_of_the_template() -> None:
    template = template_of([entry(), entry(name="OTHER"), entry(line=9)])

    assert template.faults == ("line 9, KEY: it stands in line 4 already",)
    assert template.variables == (Variable("KEY"), Variable("OTHER"))


@pytest.mark.parametrize(
    ("variable", "good", "bad"),
    [
        pytest.param(Variable("A", type="url"),
                     ["https://host", "postgresql://a:b@h:5432/d?x=1", "redis://:p@h"],
                     ["host", "https://", "/path", "mailto:a@b", "http://a b", "http://[::1"],
                     id="url"),
        pytest.param(Variable("A", type="integer"), ["0", "3001", "-5"], ["", "3.5", "1e3", "0x1"],
                     id="integer"),
        pytest.param(Variable("A", type="boolean"), ["true", "FALSE", "0"], ["maybe", "2"],
                     id="boolean"),
        pytest.param(Variable("A", type="email"), ["a@b.example"], ["a@b", "a b@c.d", "@c.d"],
                     id="email"),
        pytest.param(Variable("A", pattern="dop_[0-9a-f]{4}"), ["dop_12ab"],
                     ["dop_12abc", " dop_12ab"], id="the pattern is of the whole value"),
        pytest.param(Variable("A", min_length=4), ["1234"], ["123"], id="a length"),
    ],
)  # fmt: skip
def test_values_fit_or_do_not(variable: Variable, good: list[str], bad: list[str]) -> None:
    assert [it for it in good if variable.fault(it)] == []
    assert [it for it in bad if not variable.fault(it)] == []
