"""Orders to the runner of GitHub Actions, and streams on which nobody else gives any.

The runner obeys a line of output that begins with `::`, after white space, or that has `##[`
anywhere. https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Iterable, Iterator
from typing import Any, TextIO, cast

_LONGEST = 4000
"""Characters of an annotation that are sent; GitHub shows 4 KB."""
_BREAK = re.compile(r"[\r\n]")
# A byte order mark is no white space, but is taken off the begin of a stream.
_ORDER = re.compile(r"((?:\A|[\r\n])(?:[^\S\r\n]|\ufeff)*):(?=:)")
_OLD_ORDER = re.compile(r"##(?=\[)")


def order(name: str, text: str = "", title: str = "") -> str:
    """Return a line that the runner obeys; whatever is in `text` or `title`, it is one order."""
    properties = f" title={_property(title)}" if title else ""
    return f"::{name}{properties}::{_data(text[:_LONGEST])}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def harmless(text: str) -> str:
    """Return `text` with a space in each place that would make an order of a line of it."""
    return _OLD_ORDER.sub("## ", _ORDER.sub(r"\1: ", text))


class Guarded:
    """A stream of text that gives the runner no orders but those of `give`.

    It knows how the last line began, so that what comes in pieces makes no order either.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._line = ""

    def write(self, text: str) -> int:
        """Write text, of whoever it is."""
        whole = harmless(self._line + text)
        self._stream.write(whole[len(self._line) :])
        self._line = _BREAK.split(whole)[-1]
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)

    def give(self, line: str) -> None:
        """Give an order, on a line of its own."""
        self._stream.write(("\n" if self._line else "") + line + "\n")
        self._stream.flush()
        self._line = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def give(line: str) -> None:
    """Give the runner an order, past what guards standard error."""
    stream = cast(object, sys.stderr)
    if isinstance(stream, Guarded):
        stream.give(line)
    else:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()


@contextlib.contextmanager
def guarded() -> Iterator[None]:
    """Let nothing that is printed be an order, wherever it came from."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast(TextIO, Guarded(stream)) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
