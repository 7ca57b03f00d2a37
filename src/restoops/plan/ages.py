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
    """Return the seconds from one moment to another, in ISO 8601; 0 where one cannot be read.

    That is how it is in a history that somebody wrote by hand.
    """
    try:
        return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()
    except (ValueError, TypeError):
        return 0.0
