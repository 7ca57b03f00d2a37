"""How long answers took lately, as a line of blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from restoops.plan.verdict import Verdict

STYLES = {
    Verdict.HEALTHY: "green",
    Verdict.DEGRADED: "yellow",
    Verdict.DOWN: "bold red",
    Verdict.UNREACHABLE: "bold red",
}
_BLOCKS, _ASCII_BLOCKS = "▁▂▃▄▅▆▇█", "_.-:=+*#"
_NO_ANSWER, _ASCII_NO_ANSWER = "\u00d7", "x"
_LEAST_SPAN_S = 0.05
"""What the highest block stands for at least: a millisecond more or less is no mountain."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at a host."""

    verdict: Verdict
    seconds: float | None
    """None when it did not answer."""


def sparkline(samples: Sequence[Sample], width: int, *, ascii_only: bool = False) -> Text:
    """Return the newest samples, one block each; what did not answer is a cross."""
    shown = samples[-width:] if width > 0 else ()
    blocks = _ASCII_BLOCKS if ascii_only else _BLOCKS
    top = max([_LEAST_SPAN_S, *(it.seconds for it in shown if it.seconds is not None)])
    line = Text()
    for sample in shown:
        if sample.seconds is None:
            line.append(_ASCII_NO_ANSWER if ascii_only else _NO_ANSWER, STYLES[sample.verdict])
        else:
            height = min(len(blocks) - 1, int(sample.seconds / top * len(blocks)))
            line.append(blocks[height], STYLES[sample.verdict])
    return line
