"""The template of an environment: which variables there are, and what shape each has.

The shape stands in the comments right above a variable, one word to a line:

    # Where the database is.
    # type: url
    # min: 20
    DATABASE_URL=postgresql://<user>:<password>@<host>:25060/<database>
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from restoops.model import EnvEntry

_WORD = re.compile(r"#\s*(?P<word>[a-z]+)(:\s*(?P<value>.*))?")
_KNOWN = ("type", "pattern", "min", "optional", "rotate")


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parts.scheme and parts.netloc) and not re.search(r"\s", text)


TYPES: dict[str, tuple[str, Callable[[str], object]]] = {
    "text": ("any text", lambda _: True),
    "url": ("a URL such as https://host/path", _is_url),
    "integer": ("a whole number", re.compile(r"-?[0-9]+").fullmatch),
    "boolean": ("true or false", re.compile(r"true|false|1|0", re.IGNORECASE).fullmatch),
    "email": ("a mail address", re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+").fullmatch),
}
"""Name of a type => what it means, and whether a text is of it."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable that the template asks for."""

    name: str
    is_optional: bool = False
    type: str = "text"
    pattern: str = ""
    min_length: int = 0
    rotate_d: int = 0
    """Days after which a new value is due; 0: never for its age."""
    is_secret: bool = True
    """Whether a placeholder stands in the template, or nothing, and no value that would do."""

    def fault(self, value: str) -> str:
        """Say what `value` should be and is not, without a word of it; nothing when it fits."""
        meaning, is_met_by = TYPES[self.type]
        if not is_met_by(value):
            return f"should be {meaning}"
        if self.pattern and not re.fullmatch(self.pattern, value):
            return "should be as the pattern in the template says"
        if len(value) < self.min_length:
            return f"should have {self.min_length} characters or more"
        return ""


@dataclass(frozen=True, slots=True)
class Template:
    """What a template asks for, and what is wrong with the template itself."""

    variables: tuple[Variable, ...]
    faults: tuple[str, ...]


def template_of(entries: Iterable[EnvEntry]) -> Template:
    """Return what the entries of a template ask for."""
    variables, faults = [], []
    lines: dict[str, int] = {}
    for entry in entries:
        words = _words(entry.comments)
        wrong = _faults_of(words)
        if lines.setdefault(entry.name, entry.line) != entry.line:
            wrong.append(f"it stands in line {lines[entry.name]} already")
        faults += [f"line {entry.line}, {entry.name}: {it}" for it in wrong]
        if not wrong:
            variables.append(_variable(entry, words))
    return Template(tuple(variables), tuple(faults))


def _words(comments: Iterable[str]) -> dict[str, str | None]:
    """Return the words of a shape: what else stands in comments is for people."""
    found = (_WORD.fullmatch(it) for it in comments)
    return {it["word"]: it["value"] for it in found if it and (it["value"] or it["word"] in _KNOWN)}


def _faults_of(words: dict[str, str | None]) -> list[str]:
    faults = [
        f"unknown word `{it}`; there are {', '.join(_KNOWN)}" for it in words if it not in _KNOWN
    ]
    if words.get("optional"):
        faults.append("`optional` stands alone")
    if "type" in words and words["type"] not in TYPES:
        faults.append(f"`type` is one of {', '.join(TYPES)}")
    if "min" in words and not (words["min"] or "").isdecimal():
        faults.append("`min` is a number of characters")
    if "rotate" in words and not re.fullmatch(r"[1-9][0-9]{0,3}", words["rotate"] or ""):
        faults.append("`rotate` is a number of days")
    if "pattern" in words and not _is_pattern(words["pattern"] or ""):
        faults.append("`pattern` is no regular expression")
    return faults


def _is_pattern(text: str) -> bool:
    try:
        re.compile(text)
    except re.error:
        return False
    return bool(text)


def _variable(entry: EnvEntry, words: dict[str, str | None]) -> Variable:
    example = entry.value.reveal().strip()
    return Variable(
        entry.name,
        is_optional="optional" in words,
        type=words.get("type") or "text",
        pattern=words.get("pattern") or "",
        min_length=int(words.get("min") or 0),
        rotate_d=int(words.get("rotate") or 0),
        is_secret=not example or "<" in example,
    )
