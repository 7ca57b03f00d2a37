"""Faults of a configuration: where, what, and how they are told, all in one message."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

SHOWN = 50
"""Faults told in one message; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, at a path such as `environments.prod.health` or a line."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" if self.where else self.what


def tell(subject: str, faults: Iterable[Fault]) -> str:
    """Return the one message for all `faults` of `subject`, each told once."""
    lines = [f"  {fault}" for fault in dict.fromkeys(faults)]
    left_out = len(lines) - SHOWN
    rest = [f"  and {left_out} more"] if left_out > 0 else []
    return "\n".join([f"{subject} not valid:", *lines[:SHOWN], *rest])


def escaped(text: str, limit: int = 80) -> str:
    """Return `text` fit for a terminal: cut at `limit`, control characters escaped."""
    cut = text if len(text) <= limit else f"{text[: limit - 1]}…"
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in cut)


def key_text(key: object) -> str:
    """Return a key as a path shows it.

    What follows a `=` is dropped: `PASSWORD=hunter2` is a common slip in lists of variables.
    """
    return escaped(str(key).partition("=")[0], limit=100)


def dotted(prefix: str, keys: Iterable[object]) -> str:
    """Return the path of `keys` below `prefix`."""
    return ".".join(filter(None, (prefix, *map(key_text, keys))))


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the `known` word that `word` was probably meant to be."""
    by_lower_case = {name.lower(): name for name in known}
    near = get_close_matches(word[:60].lower(), list(by_lower_case), n=1)
    return by_lower_case[near[0]] if near else None


def unknown(kind: str, meant: str | None) -> str:
    """Return what is said of a key or variable that does not exist."""
    return f"unknown {kind}" + (f", did you mean `{meant}`?" if meant else "")
