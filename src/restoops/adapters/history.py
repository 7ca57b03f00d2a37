"""The open run and the finished ones, kept on the host as JSON.

Each line of the history carries the hash of the line before, and a file beside it the hash of the
last one. That shows an edit; it does not keep anybody from writing all of it anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shlex
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from restoops.errors import NeedsAttention
from restoops.masking import masked
from restoops.model import Color, Digest, OpenRun, Record, Release, Timing

_KEPT = 200
"""Runs that a host remembers."""
_BEFORE = re.compile(r'\{"v": 1, "before": "([0-9a-f]{64}|)"')
_LINES, _HEAD = "history.jsonl", "history.head"
_NAMES = {
    kind: frozenset(field.name for field in fields(kind)) for kind in (OpenRun, Record, Timing)
}
_runs: dict[OpenRun, OpenRun] = {}
HISTORY_FILES = (_HEAD, _LINES)
"""In the order to read them: a run that ends meanwhile then looks like one cut off between them."""


class AnotherVersion(ValueError):
    """Written whole, but by a version of restoops that keeps its files in another form."""


@dataclass(frozen=True, slots=True)
class History:
    """The runs of a host as they are stored there, oldest first, the newest 200."""

    text: str = ""
    """`history.jsonl`: one line a run, each with the hash of the line before, if it has one."""
    head: str = ""
    """`history.head`: the hash of the line that was written last."""

    @classmethod
    def of(cls, files: Mapping[str, str]) -> History:
        """Return the history in `files`; what is not there is empty."""
        return cls(files.get(_LINES, ""), files.get(_HEAD, "").strip())

    @property
    def files(self) -> dict[str, str]:
        """The files in the order to write them."""
        return {_LINES: self.text, _HEAD: f"{self.head}\n"}

    def records(self, *, with_logs: bool = True) -> tuple[Record, ...]:
        """Return the runs, without those whose line was damaged.

        Without logs and outputs, what hosts of a fleet have in common is in memory once.
        """
        return parse_history(self.text, with_logs=with_logs)

    def open_run(self, text: str, where: str) -> OpenRun | None:
        """Return the run that `run.json` says was begun; None when it has ended since.

        `where` names host and directory. It may have been cut off between the two files: a run
        that the history has is not open.

        Raises:
            NeedsAttention: the text is none of ours, or damaged.
        """
        if not text:
            return None
        try:
            run = parse_run(text)
        except ValueError as error:
            raise _unreadable(where, error) from error
        return (
            None
            if any(record.run.id == run.id for record in self.records(with_logs=False))
            else run
        )

    def add(self, record: Record) -> History:
        """Return the history with `record` at its end; the lines before stay byte for byte.

        The new line follows what was written last, also when that was altered since: so it does
        not fit the line before it, and the alteration shows as long as the line is kept.
        """
        lines = _lines(self.text)
        before = _hash(lines[-1:]) if self._ends_as_written(lines) else self.head
        line = json.dumps({"v": 1, "before": before, **_plain(record)})
        kept = [*lines, line][-_KEPT:]
        return History("".join(f"{line}\n" for line in kept), _hash(kept[-1:]))

    def altered(self) -> str:
        """Say which entries are not as they were written; nothing when all are.

        Lines from before the chain was kept come first and are taken as they are.
        """
        lines = _lines(self.text)
        faults = list(_breaks(lines))
        if not self._ends_as_written(lines):
            faults.append(f"{_entry(lines, len(lines))} is not what was written last")
        more = f"; and {len(faults) - 1} more" if len(faults) > 1 else ""
        return f"{_LINES} was altered: {faults[0]}{more}" if faults else ""

    def _ends_as_written(self, lines: list[str]) -> bool:
        """Whether the head fits the last line, or the one before it.

        A run that was cut off between the two files leaves the head of the line before; there is
        none before the first line of a chain.
        """
        before = _hash(lines[-2:-1])
        is_first = not any(_BEFORE.match(line) for line in lines[-2:-1])
        return self.head in {_hash(lines[-1:]), before, *([""] if is_first else [])}


class Packed:
    """A history until its next entry: small, as there is one in memory for each host of a fleet."""

    def __init__(self, history: History) -> None:
        self._text = zlib.compress(history.text.encode(errors="surrogatepass"), 1)
        self._head = history.head

    def unpacked(self) -> History:
        """Return it as it was."""
        return History(zlib.decompress(self._text).decode(errors="surrogatepass"), self._head)


def _unreadable(where: str, error: ValueError) -> NeedsAttention:
    if isinstance(error, AnotherVersion):
        hint = "That version of restoops can finish or undo the run."
        return NeedsAttention(f"{where}/run.json cannot be read: {error}", hint=hint)
    directory = shlex.quote(where.partition(": ")[2])
    return NeedsAttention(
        f"{where}/run.json is damaged: {error}",
        # Under the lock, so that no file of a run that is at work is taken away.
        hint=f"Set it aside on the host: `cd {directory} && flock -n lock mv run.json "
        "run.json.damaged`. What serves goes on serving: `restoops status` shows it. Then deploy "
        "what is to serve; that clears up what the run left.",
    )


def dump_run(run: OpenRun) -> str:
    """Return `run.json`."""
    return json.dumps({"v": 1, **_plain(run)}, indent=1) + "\n"


def parse_run(text: str) -> OpenRun:
    """Read `run.json`.

    Raises:
        AnotherVersion: another version wrote it.
        ValueError: it is damaged: not what `dump_run` writes.
    """
    return _run(_object(text))


def parse_history(text: str, *, with_logs: bool = True) -> tuple[Record, ...]:
    """Read `history.jsonl`. A line that was damaged is passed over: the others still count."""
    records = []
    for line in text.splitlines():
        with contextlib.suppress(ValueError):
            value = _object(line)
            if not with_logs:
                value |= {"log": (), "output": ()}
            records.append(_record(value))
    return tuple(records) if with_logs else shared(records)


def shared(records: Iterable[Record]) -> tuple[Record, ...]:
    """Return them with the runs that hosts have in common in memory once."""
    return tuple(map(_shared, records))


def _shared(record: Record) -> Record:
    with contextlib.suppress(TypeError):  # damaged: it cannot be looked up
        return replace(record, run=_runs.setdefault(record.run, record.run))
    return record


def _breaks(lines: list[str]) -> Iterator[str]:
    """Yield what does not fit the line before it, from the first line that is chained."""
    chain = [_BEFORE.match(line) for line in lines]
    first = next((number for number, found in enumerate(chain) if found), len(lines))
    for number, found in enumerate(chain[first:], first):
        if number == 0:
            # The hash of a line that is not kept any more; then as many as can be are kept.
            if found and found[1] and len(lines) < _KEPT:
                yield f"what came before {_entry(lines, 1)} is missing"
        elif found is None or found[1] != _hash(lines[number - 1 : number]):
            yield f"{_entry(lines, number + 1)} does not fit the one before"


def _entry(lines: list[str], number: int) -> str:
    """Return what to call the entry on a line, counted from 1."""
    if not lines:
        return "an empty file"
    found = parse_history(lines[number - 1])
    if not found:
        return f"entry {number} (damaged)"
    run = found[0].run
    what = f"{run.kind} of {run.release.tag} at {run.started_at}"
    # Who altered it may have left something that a terminal would obey.
    return f"entry {number} ({''.join(c for c in what[:200] if c.isprintable())})"


def _lines(text: str) -> list[str]:
    """Return the lines of `text`; unlike `splitlines` it ends them at line feeds alone."""
    return text.removesuffix("\n").split("\n") if text else []


def _hash(line: list[str]) -> str:
    """Return the hash of a line; nothing when there is none."""
    return hashlib.sha256(line[0].encode()).hexdigest() if line else ""


def _plain(value: OpenRun | Record) -> dict[str, Any]:
    return masked(asdict(value))


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    version = value.pop("v", None) if isinstance(value, dict) else None
    if isinstance(version, int) and version != 1:
        raise AnotherVersion("it was written by another version of restoops")
    if version != 1:
        raise ValueError("it has no version")
    return dict(value)


def _run(value: dict[str, Any]) -> OpenRun:
    try:
        previous = value.pop("previous", None)
        old = value.pop("old")
        return OpenRun(
            release=_release(value.pop("release")),
            old=Color(old) if old else None,
            new=Color(value.pop("new")),
            previous=_release(previous) if previous else None,
            **value,
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a run: {error}") from error


def _record(value: dict[str, Any]) -> Record:
    value.pop("before", None)
    try:
        return Record(
            run=_run(_known(OpenRun, value.pop("run"))),
            log=tuple(Timing(**_known(Timing, timing)) for timing in value.pop("log", ())),
            output=tuple(str(line) for line in value.pop("output", ())),
            **_known(Record, value),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a record: {error}") from error


def _known(kind: type[Any], value: dict[str, Any]) -> dict[str, Any]:
    """Return what this version knows: a later one may have written more."""
    names = _NAMES[kind]
    return {name: item for name, item in value.items() if name in names}


def _release(value: dict[str, Any]) -> Release:
    return Release(str(value["tag"]), Digest(value["digest"]["value"]))
