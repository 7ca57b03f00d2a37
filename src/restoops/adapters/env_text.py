"""The text of a `.env` file: names, values, and the comments that stand right above them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from io import StringIO
from pathlib import Path

from dotenv.parser import Binding, parse_stream

from restoops.errors import UsageError
from restoops.model import EnvEntry, Secret

# All upper or all lower case: a line of a key in base64 with `=` at its end is no name to be shown.
_NAME = re.compile(r"[A-Z_][A-Z0-9_]*|[a-z_][a-z0-9_]*")


def read_env(path: Path, hint: str) -> tuple[EnvEntry, ...]:
    """Return what stands in a `.env` file; `hint` says what to do when it cannot be read.

    Raises:
        UsageError: it cannot be read; or lines of it are no `NAME=value`, which are told by number
            and never by what they say.
    """
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", hint=hint) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text", hint="Is this the right file?") from error
    return parse_env(text, str(path))


def parse_env(text: str, where: str) -> tuple[EnvEntry, ...]:
    """Return what stands in the text of a `.env` file; `where` says whose text it is.

    Raises:
        UsageError: lines of it are no `NAME=value`, which are told by number and never by what
            they say.
    """
    entries = tuple(_entries(text))
    wrong = [str(it.line) for it in entries if not it.name]
    if wrong:
        raise UsageError(
            f"{where} has lines that are no NAME=value: {', '.join(wrong)}",
            hint="A value of several lines stands in double quotes; a comment begins with `#`.",
        )
    return entries


def changed(text: str, values: Mapping[str, Secret], where: str) -> str:
    """Return the text with these values; a name that it does not have comes at its end.

    All else stays as it is: other values, comments, the order.

    Raises:
        UsageError: lines of the text are no `NAME=value`.
    """
    parse_env(text, where)
    parts: list[str] = []
    left = dict(values)
    for binding in parse_stream(StringIO(text)):
        original = binding.original.string
        if binding.key and binding.key in values:
            left.pop(binding.key, None)
            body = original.lstrip()
            before = original.removesuffix(body)
            original = f"{before}{_line(binding.key, values[binding.key])}"
        parts.append(original)
    if parts and not parts[-1].endswith("\n"):
        parts.append("\n")
    return "".join(parts) + "".join(_line(name, value) for name, value in left.items())


def _line(name: str, value: Secret) -> str:
    """Return a line that is read back as this value, whatever is in it."""
    text = value.reveal().replace("\\", "\\\\").replace("'", "\\'")
    return f"{name}='{text}'\n"


def _entries(text: str) -> Iterator[EnvEntry]:
    """Yield the variables; one without a name is a line that says nothing."""
    comments: list[str] = []
    for binding in parse_stream(StringIO(text)):
        body = binding.original.string.lstrip()
        before = binding.original.string.removesuffix(body)
        if "\n" in before:  # a comment belongs to what it stands right above
            comments = []
        line = binding.original.line + before.count("\n")
        if binding.key is None and not binding.error:
            comments += [it.strip() for it in body.splitlines()]
        else:
            yield _entry(binding, tuple(comments), line)
            comments = []


def _entry(binding: Binding, comments: tuple[str, ...], line: int) -> EnvEntry:
    name, value = binding.key, binding.value
    if binding.error or value is None or not name or not _NAME.fullmatch(name):
        return EnvEntry("", Secret(""), comments, line)
    return EnvEntry(name, Secret(value), comments, line)
