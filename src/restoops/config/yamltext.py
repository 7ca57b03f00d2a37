"""YAML text to plain values: mappings, lists, texts and nothing else.

The schema says what a text means, not its looks: `1.10`, `no`, `22:30` and `0644` stay what was
written, where YAML would make 1.1, false, 1350 and 420 of them. Only an empty value or `null`
is `None`. Tags make nothing, and what aliases repeat is counted, so a few lines cannot become
gigabytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from restoops.config.faults import Fault, dotted, key_text

MAX_DEPTH = 12
MAX_VALUES = 10_000

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_PLAIN_TAGS = frozenset(
    {None, "!", *(f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map"))}
)


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a text says, and what is wrong with it."""

    value: object
    faults: tuple[Fault, ...] = ()


class _Refused(Exception):
    """The text cannot be read any further."""


def parse(text: str, *, loader: Any = _LOADER) -> Parsed:
    """Read one YAML document; a text that cannot be read gives `None` and one fault.

    Never raises. The value of a text with faults holds what could be read.
    """
    try:
        text.encode()
        reader = _Reader(yaml.parse(text, Loader=loader))
        return Parsed(reader.document(), tuple(reader.faults))
    except _Refused as error:
        return Parsed(None, (Fault("", str(error)),))
    except UnicodeEncodeError as error:
        return Parsed(None, (Fault(f"line {_line(text, error.start)}", "not Unicode text"),))
    except yaml.reader.ReaderError as error:
        what = "a control character; in double quotes it can be written as an escape"
        return Parsed(None, (Fault(f"line {_line(text, error.position)}", what),))
    except yaml.MarkedYAMLError as error:
        return Parsed(None, (_syntax_fault(error, text),))


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _syntax_fault(error: yaml.MarkedYAMLError, text: str) -> Fault:
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return Fault("", str(error.problem))
    where = f"line {mark.line + 1}, column {mark.column + 1}"
    line = "".join(text.splitlines()[mark.line : mark.line + 1])
    is_tab = line.lstrip(" ").startswith("\t")
    return Fault(where, "a tab; indent with spaces" if is_tab else str(error.problem))


@dataclass(slots=True)
class _Reader:
    """Builds values from the parser's events, so that no text can exhaust stack or memory."""

    events: Iterator[Any]
    faults: list[Fault] = field(default_factory=list)
    anchors: dict[str, tuple[object, int]] = field(default_factory=dict)
    count: int = 0

    def document(self) -> object:
        """Return the value of the only document, `None` when there is none."""
        next(self.events)  # start of the stream
        if isinstance(next(self.events), yaml.StreamEndEvent):
            return None
        value = self._value(next(self.events), ())
        next(self.events)  # end of the document
        if not isinstance(next(self.events), yaml.StreamEndEvent):
            raise _Refused("holds more than one document; remove the line `---`")
        return value

    def _value(self, event: Any, path: tuple[str, ...]) -> object:
        self._spend(1)
        if len(path) > MAX_DEPTH:
            raise _Refused(f"{_place(event)}: nested more than {MAX_DEPTH} levels deep")
        if isinstance(event, yaml.AliasEvent):
            return self._repeated(event, path)
        if event.tag not in _PLAIN_TAGS:
            self.faults.append(Fault(dotted("", path), "tags (`!…`) are not read"))
        before = self.count
        value = self._built(event, path)
        if event.anchor:
            self.anchors[event.anchor] = (value, self.count - before)
        return value

    def _built(self, event: Any, path: tuple[str, ...]) -> object:
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._list(path)
        return None if event.implicit[0] and event.value in _NULLS else str(event.value)

    def _list(self, path: tuple[str, ...]) -> list[object]:
        items: list[object] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(self._value(event, (*path, str(len(items)))))
        return items

    def _mapping(self, path: tuple[str, ...]) -> dict[str, object]:
        values: dict[str, object] = {}
        lines: dict[str, int] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            line = event.start_mark.line + 1
            key = self._value(event, (*path, "?"))
            if not isinstance(key, str):
                self.faults.append(Fault(f"line {line}", "a key has to be a text"))
                key = f"line {line}"
                self._value(next(self.events), (*path, key))
                continue
            if key in lines:
                both = f"given twice, in lines {lines[key]} and {line}"
                self.faults.append(Fault(dotted("", (*path, key)), both))
            lines[key] = line
            values[key] = self._value(next(self.events), (*path, key))
        return values

    def _repeated(self, event: Any, path: tuple[str, ...]) -> object:
        if event.anchor not in self.anchors:
            name = key_text(event.anchor)
            self.faults.append(Fault(dotted("", path), f"no `&{name}` stands before `*{name}`"))
            return None
        value, size = self.anchors[event.anchor]
        self._spend(size)
        if len(path) + _depth(value) > MAX_DEPTH:
            raise _Refused(f"{_place(event)}: nested more than {MAX_DEPTH} levels deep")
        return value

    def _spend(self, count: int) -> None:
        self.count += count
        if self.count > MAX_VALUES:
            raise _Refused(f"holds more than {MAX_VALUES} values, repetitions by `*` counted")


def _depth(value: object) -> int:
    if not isinstance(value, dict | list):
        return 0
    below = value.values() if isinstance(value, dict) else value
    return 1 + max(map(_depth, below), default=0)


def _place(event: Any) -> str:
    return f"line {event.start_mark.line + 1}, column {event.start_mark.column + 1}"
