"""The files by which a step of GitHub Actions hands on outputs and a summary.

None of them is needed for a deploy: where one is not there or cannot be written, nothing is said.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping

from restoops.masking import masked

_MOST_BYTES = 900_000
"""GitHub takes 1 MiB of a step's summary, and nothing of one that is longer."""


def in_actions() -> bool:
    """Return whether a runner of GitHub Actions started us."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def write_outputs(values: Mapping[str, str]) -> None:
    """Set outputs of the step; whatever a value holds, it is that of its own name only."""
    _append("GITHUB_OUTPUT", "".join(_output(name, value) for name, value in values.items()))


def write_summary(markdown: str) -> None:
    """Add to what the page of the run shows."""
    text = markdown.encode("utf-8", "replace")[:_MOST_BYTES].decode("utf-8", "ignore")
    _append("GITHUB_STEP_SUMMARY", text + "\n")


def _output(name: str, value: str) -> str:
    end = os.urandom(16).hex()
    while end in value:
        end = os.urandom(16).hex()
    return f"{name}<<{end}\n{value}\n{end}\n"


def _append(variable: str, text: str) -> None:
    path = os.environ.get(variable, "")
    if path:
        # A path may also be none at all: with a null byte, or longer than the system takes.
        with (
            contextlib.suppress(OSError, ValueError),
            open(path, "a", encoding="utf-8", errors="replace", newline="\n") as file,  # noqa: PTH123
        ):
            file.write(masked(text))
