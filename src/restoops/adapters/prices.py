"""The table of prices that comes with restoops."""

from __future__ import annotations

import json
from decimal import Decimal
from importlib.resources import files
from typing import Any


def read_prices() -> dict[str, Any]:
    """Return the table as it is in the file, with exact numbers."""
    text = (files("restoops.adapters") / "prices.json").read_text("utf-8")
    table: dict[str, Any] = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    return table
