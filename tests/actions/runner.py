"""What the runner of GitHub Actions makes of the output of a step and of the files it writes.

As in its source: src/Runner.Common/ActionCommand.cs and src/Runner.Worker/FileCommandManager.cs of
https://github.com/actions/runner, for Linux.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

COMMANDS = {
    "add-mask", "add-matcher", "add-path", "debug", "echo", "endgroup", "error", "group",
    "internal-set-repo-path", "notice", "remove-matcher", "save-state", "set-env", "set-output",
    "stop-commands", "warning",
}  # fmt: skip
# White space as .NET's TrimStart takes it; a byte order mark goes at the begin of a stream.
_SPACE = "\t\v\f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
_SPACE += "\u2028\u2029\u202f\u205f\u3000\ufeff"


@dataclass(frozen=True, slots=True)
class Order:
    """What the runner does because of a line of output."""

    name: str
    title: str
    text: str


def orders(output: str) -> Iterator[Order]:
    """Yield what the runner obeys in the output of a step, on either stream."""
    for line in re.split(r"\r\n|\r|\n", output):
        found = _order(line) or _old_order(line)
        if found:
            yield found


def _order(line: str) -> Order | None:
    line = line.lstrip(_SPACE)
    if not line.startswith("::") or "::" not in line[2:]:
        return None
    about, _, text = line[2:].partition("::")
    name, _, properties = about.partition(" ")
    if name.lower() not in COMMANDS:
        return None
    values = dict(
        pair.split("=", 1) for pair in properties.strip().split(",") if pair.count("=") >= 1
    )
    return Order(name.lower(), _plain(values.get("title", "")), _plain(text))


def _old_order(line: str) -> Order | None:
    begin = line.find("##[")
    end = line.find("]", begin)
    if begin < 0 or end < 0:
        return None
    name = line[begin + 3 : end].partition(" ")[0].lower()
    return Order(name, "", line[end + 1 :]) if name in COMMANDS else None


def _plain(text: str) -> str:
    for code, char in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, char)
    return text


def values_of(text: str) -> dict[str, str]:
    """Return what a file such as GITHUB_OUTPUT or GITHUB_ENV sets.

    Raises:
        ValueError: the runner would fail the step.
    """
    found: dict[str, str] = {}
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    rest = iter(lines)
    for line in rest:
        equals, heredoc = line.find("="), line.find("<<")
        if not line:
            continue
        if equals >= 0 and (heredoc < 0 or equals < heredoc):
            name, _, value = line.partition("=")
        elif heredoc >= 0:
            name, _, end = line.partition("<<")
            value = "\n".join(_until(end, rest))
        else:
            raise ValueError(f"invalid format {line!r}")
        if not name:
            raise ValueError("a name must not be empty")
        found[name] = value
    return found


def _until(end: str, lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        if line == end:
            return
        yield line
    raise ValueError(f"matching delimiter not found {end!r}")
