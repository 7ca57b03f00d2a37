"""Smoke checks: a request each, and what its answer has to be."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from restoops.model import Answer, Question

_MAY_BE_REPEATED = {"GET", "HEAD", "OPTIONS"}
_SERVER_FAULT = 500
_SHOWN = 200
"""Characters of a value that are told."""


@dataclass(frozen=True, slots=True)
class Check:
    """A question, and what its answer has to be."""

    name: str
    question: Question
    status: int = 200
    json_values: Mapping[str, str] = field(default_factory=dict)
    """Expected values by their path, in JMESPath; `*` stands for any text."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Expected headers by their name; `*` stands for any text."""
    latency_ms: int | None = None

    @property
    def may_be_repeated(self) -> bool:
        """Whether the question changes nothing, so that it can be asked a second time."""
        return self.question.method in _MAY_BE_REPEATED


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a smoke check."""

    check: str
    passed: bool
    status: int
    """Of the answer; 0 when there was none."""
    seconds: float
    why: str = ""
    """What was expected, and what came instead; empty when it passed."""


def judge(check: Check, answer: Answer) -> Result:
    """Return what came of `check`, with all that is wrong with its answer."""
    asked = f"{check.question.method} {check.question.path}"
    faults = list(_faults(check, answer))
    why = f"{asked}: {'; '.join(faults)}" if faults else ""
    return Result(check.name, not faults, answer.status, round(answer.seconds, 4), why)


def _faults(check: Check, answer: Answer) -> Iterator[str]:
    if answer.status != check.status:
        yield f"expected status {check.status}, got {_shown(str(answer))}"
        return  # all else follows from it
    yield from _header_faults(check.headers, answer.headers)
    if check.json_values:
        yield from _json_faults(check.json_values, answer.text)
    took_ms = answer.seconds * 1000
    if check.latency_ms is not None and took_ms > check.latency_ms:
        yield f"expected an answer within {check.latency_ms} ms, got it after {took_ms:.0f} ms"


def _header_faults(expected: Mapping[str, str], got: Mapping[str, str]) -> Iterator[str]:
    for name, pattern in expected.items():
        found = got.get(name.lower())
        if found is None:
            yield f"expected header {name}: {pattern}, got none"
        elif not matches(pattern, found):
            yield f"expected header {name}: {pattern}, got {_shown(found)}"


def _json_faults(expected: Mapping[str, str], text: str) -> Iterator[str]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        yield f"expected JSON, got {_shown(text) or 'nothing'}"
        return
    for path, pattern in expected.items():
        found = _at(path, document)
        if found is None and pattern != "null":
            yield f"expected {path} to be {pattern}, got nothing there"
        elif found is not None and not matches(pattern, found):
            yield f"expected {path} to be {pattern}, got {_shown(found)}"


def _at(path: str, document: Any) -> str | None:
    """Return what is at `path`, as text; None where nothing is, or nothing that `path` is for."""
    import jmespath

    try:
        value = jmespath.search(path, document)
    except (jmespath.exceptions.JMESPathError, TypeError, ValueError, RecursionError):
        return None  # JMESPath has not thought of all that may stand there
    return value if value is None or isinstance(value, str) else json.dumps(value)


def matches(pattern: str, text: str) -> bool:
    """Return whether `text` is `pattern`, in which `*` stands for any text."""
    parts = map(re.escape, pattern.split("*"))
    return re.fullmatch(".*".join(parts), text, re.DOTALL) is not None


def _shown(text: str) -> str:
    one_line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return one_line if len(one_line) <= _SHOWN else f"{one_line[: _SHOWN - 1]}…"


def is_excused(before: Answer, now: Result, *, served: bool) -> bool:
    """Return whether the public address answered as badly before the switch as it does now.

    Then what is in the way stands between clients and every release. Where nothing `served` yet
    a 5xx was to be expected, and excuses nothing.
    """
    if not before.status:
        return not now.status
    return served and min(before.status, now.status) >= _SERVER_FAULT
