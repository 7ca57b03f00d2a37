"""Texts without secrets: a value is found in each form that programs write it in.

What is too short or too common to be told from ordinary text is weak: to take that out would ruin
a log and hide nothing.
"""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus, unquote

MASK = "***"
MIN_LENGTH = 8
"""Characters of the shortest value that is masked."""
_FEWEST_DIFFERENT = 5
_WORD_LENGTH = 12
"""Letters alone, or digits alone, have to be so many."""
_WORDS = frozenset(
    [
        "admin",
        "changeme",
        "database",
        "debug",
        "default",
        "development",
        "docker",
        "example",
        "false",
        "localhost",
        "master",
        "password",
        "passwd",
        "postgres",
        "postgresql",
        "production",
        "restomarket",
        "root",
        "secret",
        "secrets",
        "staging",
        "test",
        "testing",
        "true",
        "user",
        "username",
        "welcome",
    ]
)
_PASSWORD_IN_URL = re.compile(r"://[^:/@\s]*:([^@/\s]+)@")
_SAFE = ("", "/", "!'()*~", ";,/?:@&=+$-_.!~*'()#")
"""What tools leave as it is in a URL: Python, browsers, for a part and for a whole address."""
_JSON_ESCAPE = re.compile(r"\\u[0-9a-f]{4}")
_DEPTH = 6
"""Characters by which forms are told apart first; none is shorter than this."""


def is_weak(value: str) -> bool:
    """Return whether a value is too short or too common to be masked."""
    text = value.strip()
    letters = "".join(it for it in text if it.isalpha()).lower()
    return (
        len(text) < MIN_LENGTH
        or len(set(text)) < _FEWEST_DIFFERENT
        or letters in _WORDS
        or (len(text) < _WORD_LENGTH and (text.isdigit() or _is_word(text)))
    )


def strong_parts(value: str) -> tuple[str, ...]:
    """Return what of a value is to be masked: itself, its lines, the password of a URL in it."""
    lines = [it.strip() for it in value.splitlines() if not it.startswith("-----")]
    passwords = _PASSWORD_IN_URL.findall(value)
    parts = [value.strip(), *lines, *passwords, *map(unquote, passwords)]
    return tuple(dict.fromkeys(it for it in parts if not is_weak(it)))


def forms(value: str) -> frozenset[str]:
    """Return the forms in which a text may hold `value`; none for a weak one."""
    found = {form for part in strong_parts(value) for form in _forms(part)}
    return frozenset(it for it in found if len(it) >= MIN_LENGTH)


class Redactor:
    """Takes all forms of some values out of texts, in time that grows as the texts do."""

    def __init__(self, values: Iterable[str]) -> None:
        self._forms = frozenset(form for value in values for form in forms(value))
        ordered = sorted(self._forms, key=lambda it: (-len(it), it))
        # Looked for at each place, as one value may begin within another.
        self._search = re.compile(f"(?=({_tree(ordered, 0)}))") if ordered else None

    def redact(self, text: str) -> str:
        """Return `text` with one mask for each value, or for several that touch."""
        if self._search is None or len(text) < MIN_LENGTH:
            return text
        spans: list[tuple[int, int]] = []
        for found in self._search.finditer(text):
            start, end = found.span(1)
            if spans and start <= spans[-1][1]:
                start, before = spans.pop()
                end = max(end, before)
            spans.append((start, end))
        if not spans:
            return text
        edges = [0, *(edge for span in spans for edge in span), len(text)]
        return MASK.join(text[a:b] for a, b in zip(edges[::2], edges[1::2], strict=True))

    def open_end(self, text: str, shortest: int = 1) -> int:
        """Return how many characters at the end may be the beginning of a value.

        Fewer than `shortest` do not count.
        """
        longest = max(map(len, self._forms), default=1) - 1
        tail = text[-longest:]
        return max((_open_end(tail, it, shortest) for it in self._forms), default=0)


def _open_end(tail: str, form: str, shortest: int) -> int:
    at = tail.find(form[:shortest])
    while at >= 0:
        if form.startswith(tail[at:]):
            return len(tail) - at
        at = tail.find(form[:shortest], at + 1)
    return 0


def _is_word(text: str) -> bool:
    return text.isalpha() and text in (text.lower(), text.upper(), text.title())


def _forms(value: str) -> Iterator[str]:
    yield value
    yield value.replace("\n", "\r\n")
    yield repr(value)[1:-1]
    yield repr(value.encode())[2:-1]
    yield shlex.quote(value)[1:-1] if shlex.quote(value) != value else value
    yield html.escape(value)
    yield from _json(value)
    yield from _url(value)
    yield from _base64(value.encode())


def _json(value: str) -> Iterator[str]:
    for is_ascii in (True, False):
        text = json.dumps(value, ensure_ascii=is_ascii)[1:-1]
        go = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
        for it in (text, go, text.replace("/", "\\/"), json.dumps(text)[1:-1]):
            yield it
            yield _JSON_ESCAPE.sub(lambda found: f"\\u{found[0][2:].upper()}", it)


def _url(value: str) -> Iterator[str]:
    quoted = [quote(value, safe=safe) for safe in _SAFE] + [quote_plus(value)]
    for it in quoted:
        yield it
        yield re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), it)


def _base64(raw: bytes) -> Iterator[str]:
    """Yield the base64 of `raw` by itself, in lines, and within something longer.

    Within something longer, what is before it shifts it by none, one or two bytes, and the
    characters at both ends hold bits of something else.
    """
    whole = base64.b64encode(raw).decode()
    for width in (len(whole), 76, 64):
        yield from _both_alphabets(whole[at : at + width] for at in range(0, len(whole), width))
    for before in range(3):
        text = base64.b64encode(b"\0" * before + raw).decode()
        first, end = -(-before * 8 // 6), (before + len(raw)) * 8 // 6
        yield from _both_alphabets([text[first:end]])


def _both_alphabets(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield text
        yield text.replace("+", "-").replace("/", "_")


def _tree(ordered: list[str], depth: int) -> str:
    """Return an expression for any of the texts, the longest first where one begins another."""
    if depth == _DEPTH or len(ordered) == 1:
        return "|".join(re.escape(it[depth:]) for it in ordered)
    by_next: dict[str, list[str]] = {}
    for it in ordered:
        by_next.setdefault(it[depth], []).append(it)
    return "|".join(
        f"{re.escape(char)}(?:{_tree(rest, depth + 1)})" for char, rest in by_next.items()
    )
