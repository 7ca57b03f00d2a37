"""No form of a value passes, what is around it does, and weak values are left in."""

import base64
import html
import json
import re
import shlex
import time
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from restoops.plan.redaction import MASK, Redactor, forms, is_weak, strong_parts
from tests.plan.strategies import many

PEM = "-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA7x9\nq2Kd83jfUe91mVcaL\nab==\n-----END KEY-----\n"
values = st.text(st.characters(exclude_categories=["Cs"]), min_size=8, max_size=60)
strong = values.filter(lambda it: not is_weak(it) and it == it.strip())
around = st.text(st.sampled_from(" |\n"), max_size=20)


WRITTEN: dict[str, Callable[[str], str]] = {
    "as it is": lambda it: it,
    "in JSON": json.dumps,
    "in JSON, as it is": lambda it: json.dumps(it, ensure_ascii=False),
    "in JSON, capitals": lambda it: re.sub(
        r"\\u[0-9a-f]{4}", lambda found: "\\u" + found[0][2:].upper(), json.dumps(it)
    ),
    "in JSON of Go": lambda it: json.dumps(it, ensure_ascii=False)
    .replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"),
    "in JSON of PHP": lambda it: json.dumps(it).replace("/", "\\/"),
    "in JSON within JSON": lambda it: json.dumps(json.dumps(it)),
    "in a URL": lambda it: quote(it, safe=""),
    "in a URL, slashes left": quote,
    "in a URL, small": lambda it: re.sub("%..", lambda found: found[0].lower(), quote(it, safe="")),
    "in a form": quote_plus,
    "in a browser": lambda it: quote(it, safe="!'()*~"),
    "in HTML": html.escape,
    "for a shell": shlex.quote,
    "in a traceback": lambda it: repr(ValueError(it)),
    "as bytes": lambda it: repr(it.encode()),
    "in base64": lambda it: base64.b64encode(it.encode()).decode(),
    "in base64 for URLs": lambda it: base64.urlsafe_b64encode(it.encode()).decode(),
}  # fmt: skip


@given(value=strong, before=around, after=around)
@example(value="p4ss/w+rd?&<é>\"'\\%", before="", after="")
@example(value="tränengas-€uro-✓", before="x", after="y")
@many
def test_no_written_form_of_a_value_passes(value: str, before: str, after: str) -> None:
    redactor = Redactor([value])
    for name, write in WRITTEN.items():
        text = redactor.redact(before + write(value) + after)

        assert MASK in text, name
        assert write(value) not in text, name
        assert text.startswith(before), name
        assert text.endswith(after), name


@given(value=strong, before=st.binary(max_size=20), after=st.binary(max_size=20))
@many
def test_base64_of_something_with_a_value_in_it_does_not_show_it(
    value: str, before: bytes, after: bytes
) -> None:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        text = encode(before + value.encode() + after).decode()
        shown = Redactor([value]).redact(text)

        assert MASK in shown
        left = shown.replace(MASK, "")
        assert len(text) - len(left) >= len(value.encode()) * 8 // 6 - 1, "only ends are left"


@given(texts=st.lists(strong, max_size=6), text=st.text(max_size=80))
@many
def test_whatever_is_around_no_form_of_any_value_is_left(texts: list[str], text: str) -> None:
    redactor = Redactor(texts)
    shown = redactor.redact(text + "".join(texts) + text)

    masked = shown.split(MASK)
    assert not [form for value in texts for form in forms(value) for it in masked if form in it]


@given(text=st.text(max_size=200), value=strong)
@many
def test_a_text_without_the_value_stays_as_it_is(text: str, value: str) -> None:
    if not any(form in text for form in forms(value)):
        assert Redactor([value]).redact(text) == text
    assert Redactor([]).redact(text) == text


@given(value=strong, cut=st.integers(1, 59))
@many
def test_the_beginning_of_a_value_at_the_end_is_held_back(value: str, cut: int) -> None:
    head = value[: min(cut, len(value) - 1)]

    held = Redactor([value]).open_end(f"a line, {head}")

    assert held >= len(head)
    assert Redactor([value]).open_end(f"a line, {head}", 4) >= (len(head) if len(head) > 3 else 0)


def test_values_that_overlap_are_masked_together() -> None:
    redactor = Redactor(["abcde-fgh1", "fgh1-ijkl2"])

    assert redactor.redact("x abcde-fgh1-ijkl2 y abcde-fgh1 z") == f"x {MASK} y {MASK} z"


def test_the_longer_of_two_values_counts() -> None:
    assert Redactor(["abcd-1234", "abcd-1234-5678"]).redact("(abcd-1234-5678)") == f"({MASK})"


def test_each_line_of_a_key_is_masked_and_its_frame_is_not() -> None:
    redactor = Redactor([PEM])

    assert redactor.redact(PEM) == f"{MASK}\n"
    for line in ("MIIEpAIBAAKCAQEA7x9", "q2Kd83jfUe91mVcaL"):
        assert redactor.redact(f"  | {line} |") == f"  | {MASK} |"
    assert redactor.redact("-----BEGIN KEY-----") == "-----BEGIN KEY-----"
    assert redactor.redact(PEM.strip().replace("\n", "\r\n")) == MASK
    assert redactor.redact(json.dumps({"key": PEM})) == json.dumps({"key": MASK + "\n"})


def test_the_password_of_an_address_is_masked_by_itself() -> None:
    redactor = Redactor([f"postgresql://app:{'Xk9%21mPq2vL'}@db:5432/app"])

    assert redactor.redact("no such user: Xk9!mPq2vL") == f"no such user: {MASK}"
    assert redactor.redact("Xk9%21mPq2vL") == MASK
    assert redactor.redact("cannot reach db:5432/app") == "cannot reach db:5432/app"


@pytest.mark.parametrize(
    "value",
    ["", "x", "true", "3001", "20260102", "production", "Production", "password123", "admin-2024",
     "aaaaaaaaaaaaaaaa", "menu", "test1234", "   short   ", "ababababab"],
)  # fmt: skip
def test_a_weak_value_is_left_in(value: str) -> None:
    assert is_weak(value)
    assert forms(value) == frozenset()
    assert Redactor([value]).redact(f"a {value} b") == f"a {value} b"


@pytest.mark.parametrize(
    "value", ["hunter2hunter", "S3cr3t!x", "f3a9c1d2", "123456789012345", "ghp_0a1b2c3d4e5f"]
)
def test_a_strong_value_is_masked(value: str) -> None:
    assert not is_weak(value)
    assert strong_parts(value) == (value,)


def test_long_texts_with_many_values_take_time_in_proportion() -> None:
    redactor = Redactor(f"value-{n:04}-{n * 7919 % 10007:05}" for n in range(50))
    line = "value-00 2026-01-02T00:00:00Z GET /health 200 value-0001-x aGVsbG8gd29ybGQ=\n"

    def seconds(lines: int) -> float:
        began = time.process_time()
        redactor.redact(line * lines)
        return time.process_time() - began

    seconds(10)
    assert seconds(8000) < 30 * max(seconds(1000), 0.001)
