"""YAML is read without surprises, and nothing hostile gets far."""

from __future__ import annotations

import time
from typing import Any

import pytest
import yaml

from restoops.config.yamltext import MAX_DEPTH, parse

LOADERS = [pytest.param(yaml.CSafeLoader, id="C"), pytest.param(yaml.SafeLoader, id="Python")]


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 1.10", {"a": "1.10"}),
        ("a: no", {"a": "no"}),
        ("a: 0644", {"a": "0644"}),
        ("a: 22:30", {"a": "22:30"}),
        ("a: 2024-01-01", {"a": "2024-01-01"}),
        ("a: 'null'", {"a": "null"}),
        ("a: null\nb: ~\nc:\nd: ''", {"a": None, "b": None, "c": None, "d": ""}),
        ("a: [x, {y: z}]", {"a": ["x", {"y": "z"}]}),
        ("a: &x {b: c}\nd: *x", {"a": {"b": "c"}, "d": {"b": "c"}}),
        ('{"a": ["b", true]}', {"a": ["b", "true"]}),
        ("a: !!str 5", {"a": "5"}),
        ("", None),
        ("---\na: b\n...\n", {"a": "b"}),
    ],
)
def test_values_stay_as_written(loader: Any, text: str, value: object) -> None:
    parsed = parse(text, loader=loader)

    assert (parsed.value, parsed.faults) == (value, ())


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 1\nb: {c: 1, c: 2}\na: 3", "b.c: given twice, in lines 2 and 2"),
        ("a:\n\t- b", "line 2, column 1: a tab; indent with spaces"),
        ("a: [1\nb: 2", "line 2, column "),
        ("a: *b", "a: no `&b` stands before `*b`"),
        ("a: &a [*a]", "a.0: no `&a` stands before `*a`"),
        ("a: !!python/object/apply:os.system [id]", "a: tags (`!…`) are not read"),
        ("a: !secret x", "a: tags (`!…`) are not read"),
        ("? [a]\n: b", "line 1: a key has to be a text"),
        ("null: b", "line 1: a key has to be a text"),
        ("--- a\n--- b", "holds more than one document"),
        ("a: \x07", "line 1: a control character"),
        ("[" * 100_000, "line 1, column "),
        ("a: \ud800", "line 1: not Unicode text"),
    ],
)
def test_refused(loader: Any, text: str, told: str) -> None:
    assert str(parse(text, loader=loader).faults[0]).startswith(told)


def test_a_duplicate_does_not_hide_other_faults() -> None:
    assert len(parse("a: 1\na: 2\nb: *c\nb: !x d").faults) == 4


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
            + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 9)),
            id="a billion laughs",
        ),
        pytest.param("".join(f"k{i}: v\n" for i in range(60_000)), id="many keys"),
        pytest.param("a: {" + "b: {" * 50_000, id="deep"),
        pytest.param("[" + "x," * 400_000 + "]", id="a long list"),
        pytest.param("? " * 300_000, id="keys of keys"),
        pytest.param(
            "a: &a {b: {c: {d: {e: {f: {g: 1}}}}}}\nh: {i: {j: {k: {l: {m: {n: *a}}}}}}",
            id="deep by repetition",
        ),
    ],
)
def test_a_bomb_is_refused_at_once(text: str) -> None:
    started = time.monotonic()

    parsed = parse(text)

    assert parsed.value is None
    assert "more than" in str(parsed.faults[0])
    assert time.monotonic() - started < 60  # each would take years


def test_depth_is_counted_to_the_last_allowed_level() -> None:
    assert not parse("[" * MAX_DEPTH + "x" + "]" * MAX_DEPTH).faults
    assert parse("[" * (MAX_DEPTH + 1) + "x" + "]" * (MAX_DEPTH + 1)).faults
