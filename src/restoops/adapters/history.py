"""The open run and the finished ones, kept on the host as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from restoops.model import Color, Digest, OpenRun, Record, Release, Timing

_KEPT = 200
"""Runs that a host remembers."""


def dump_run(run: OpenRun) -> str:
    """Return `run.json`."""
    return json.dumps({"v": 1, **_plain(run)}, indent=1) + "\n"


def parse_run(text: str) -> OpenRun:
    """Read `run.json`.

    Raises:
        ValueError: it is not what `dump_run` writes.
    """
    return _run(_object(text))


def dump_history(records: tuple[Record, ...]) -> str:
    """Return `history.jsonl`: one line a run, oldest first, the newest 200."""
    return "".join(json.dumps({"v": 1, **_plain(record)}) + "\n" for record in records[-_KEPT:])


def parse_history(text: str) -> tuple[Record, ...]:
    """Read `history.jsonl`. A line that was damaged is passed over: the others still count."""
    records = []
    for line in text.splitlines():
        try:
            records.append(_record(_object(line)))
        except ValueError:
            continue
    return tuple(records)


def _plain(value: OpenRun | Record) -> dict[str, Any]:
    return asdict(value)


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(value, dict) or value.pop("v", None) != 1:
        raise ValueError("not written by this version of restoops")
    return value


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
    try:
        return Record(
            run=_run(value.pop("run")),
            log=tuple(Timing(**timing) for timing in value.pop("log", ())),
            **value,
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a record: {error}") from error


def _release(value: dict[str, Any]) -> Release:
    return Release(str(value["tag"]), Digest(value["digest"]["value"]))
