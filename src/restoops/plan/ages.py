"""Lengths of time: as operators write them, and from one moment to another."""

from __future__ import annotations

import re
from datetime import datetime

_UNITS_S = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def age_s(text: str) -> float:
    """Return the seconds of `90m`, `12h`, `30d` or `8w`.

    Raises:
        ValueError: the text is none of these.
    """
    found = re.fullmatch(r"([0-9]{1,6})([mhdw])", text)
    if not found:
        raise ValueError(f"{text!r} is no age")
    return float(found[1]) * _UNITS_S[found[2]]


def seconds_between(earlier: str, later: str) -> float:
    """Return the seconds from one moment to another, both in ISO 8601 with their time zone.

    Raises:
        ValueError: one of them is no such moment.
        TypeError: only one of them has a time zone.
    """
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()
