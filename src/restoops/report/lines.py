"""Lines of text: a result on standard output, progress on standard error."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

from restoops.report.wording import printable


def say(line: str) -> None:
    """Print a line of progress."""
    say_lines([line])


def say_lines(lines: Iterable[str]) -> None:
    """Print progress; where nobody reads it any more, nothing ends for that."""
    with contextlib.suppress(OSError):
        sys.stderr.writelines(f"{printable(line)}\n" for line in lines)
        sys.stderr.flush()


def print_lines(lines: Iterable[str]) -> None:
    """Print a result."""
    sys.stdout.writelines(f"{printable(line)}\n" for line in lines)
    sys.stdout.flush()


def aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield each row as a line, with its cells below each other."""
    shown = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    for row in shown:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def may_move(stream: TextIO) -> bool:
    """Return whether somebody looks at `stream` where lines can be drawn anew."""
    return stream.isatty() and not os.environ.get("CI") and os.environ.get("TERM") != "dumb"
