"""One JSON object to a line, for each event or result, on standard output; `v` is their version."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from decimal import Decimal
from enum import Enum
from typing import Any

from restoops.errors import RestoopsError
from restoops.model import Digest, Secret
from restoops.report.events import Event

VERSION = 1


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line that the serving release wrote."""

    host: str
    line: str


class JsonReporter:
    """Prints events as they come."""

    def tell(self, event: Event) -> None:
        """Print one event."""
        write({"event": snake(type(event).__name__), **plain(event)})

    def error(self, error: RestoopsError) -> None:
        """Print the error that ended the command."""
        write(
            {
                "event": "error",
                "message": error.message,
                "hint": error.hint,
                "details": error.details,
                "status": error.status,
            }
        )

    def close(self) -> None:
        """Do nothing: every line is complete."""


def write(value: Mapping[str, Any]) -> None:
    """Print one object on one line."""
    # GitHub's runner obeys `##[` wherever it stands; so written it is the same text.
    line = json.dumps({"v": VERSION, **value}).replace("##[", "#\\u0023[")
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def plain(value: Any) -> Any:
    """Return `value` in JSON's own types; a step also says of what kind it is."""
    if isinstance(value, Digest | Secret):
        return str(value)
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value):
        kind = {"step": snake(type(value).__name__)} if _is_step(value) else {}
        return kind | {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    return value


def snake(name: str) -> str:
    """Return `StepEnded` as `step_ended`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _is_step(value: object) -> bool:
    return type(value).__module__ == "restoops.plan.steps"
