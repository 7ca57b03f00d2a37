"""Steps, times and numbers in words, the same in every output."""

from __future__ import annotations

from typing import assert_never

from restoops.plan.steps import (
    AwaitHealthy,
    Bake,
    Drain,
    Forget,
    KeepWarm,
    Pull,
    Remove,
    RunProxy,
    SetUp,
    Smoke,
    Start,
    Step,
    Stop,
    Switch,
    Trim,
    Uncover,
    Verify,
)


def describe(step: Step) -> str:  # noqa: C901  one sentence for each kind of step
    """Return what a step does, as an order."""
    match step:
        case SetUp():
            return "make directories and network"
        case RunProxy():
            return "run the proxy with the settings of today"
        case Uncover(color):
            return f"take {color} out of reserve"
        case Remove(color):
            return f"remove what is in {color}"
        case Pull(digest):
            return f"pull {digest.short}"
        case Start(color, release, secrets):
            own = " with the secrets that it had" if secrets else ""
            return f"start {release.tag} in {color}{own}"
        case AwaitHealthy(color):
            return f"wait until {color} is healthy"
        case Smoke(color, checks, live):
            where = "the proxy, as clients do" if live else color
            return f"ask {where}: {', '.join(checks)}"
        case Switch(to, keeps=True):
            return f"keep traffic on {to}" if to else "leave traffic off"
        case Switch(to):
            return f"switch traffic to {to}" if to else "switch traffic off"
        case Verify(color):
            return f"check through the proxy that {color} answers"
        case Bake(color, limits):
            return f"watch {color} under traffic for {duration(limits.for_s)}"
        case Drain(color):
            return f"wait until no request runs on {color}"
        case KeepWarm(color, for_s, covers):
            cover = ", in reserve" if covers else ""
            return f"keep {color} warm for {duration(for_s)}{cover}"
        case Stop(color):
            return f"stop {color}"
        case Trim():
            return "remove images that no rollback needs"
        case Forget():
            return "remove secrets that no release needs"
        case _:
            assert_never(step)


def duration(seconds: float) -> str:
    """Return a length of time as a person would say it: `0.42 s`, `10 min`, `3 h`, `2 days`."""
    if seconds < 10:
        return f"{seconds:.2f}".rstrip("0").rstrip(".") + " s"
    for limit, unit, name in ((120, 1, "s"), (7200, 60, "min"), (172800, 3600, "h")):
        if seconds < limit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds / 86400:.0f} days"


def moment(iso: str) -> str:
    """Return a time of day as a person would read it, to the second; `?` where nobody knows."""
    return f"{iso[:10]} {iso[11:19]} UTC" if iso else "?"


def counted(number: int, what: str) -> str:
    """Return `0 tasks`, `1 task`, `2 tasks`."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def size(size_bytes: int) -> str:
    """Return a size as a person would say it: `512 B`, `1.3 MB`, `2.4 GB`."""
    amount = float(size_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} B" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def printable(text: str) -> str:
    """Return `text` without what a terminal would obey: what programs print is theirs."""
    return "".join(char if char.isprintable() else " " for char in text)
