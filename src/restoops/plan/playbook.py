"""What a run of Ansible tells, line by line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

THIS_MACHINE = "localhost"
"""Where a play checks what it is about to do; it is not among the hosts of an environment."""
_SHOWN_LINES = 20
_BEGIN = ("v2_playbook_on_task_start", "v2_playbook_on_handler_task_start", "v2_runner_on_start")


class Result(StrEnum):
    """How a task ended on a host."""

    OK = "ok"
    CHANGED = "changed"
    SKIPPED = "skipped"
    FAILED = "failed"
    UNREACHABLE = "unreachable"

    @property
    def is_bad(self) -> bool:
        """Whether the host could not go on."""
        return self in (Result.FAILED, Result.UNREACHABLE)


@dataclass(frozen=True, slots=True)
class PlayStarted:
    """A play has begun."""

    play: str


@dataclass(frozen=True, slots=True)
class TaskStarted:
    """A task has begun, on all hosts that are still in the play."""

    task: str


@dataclass(frozen=True, slots=True)
class TaskEnded:
    """A task has ended on a host; `message` says why when it failed."""

    host: str
    task: str
    result: Result
    message: str = ""
    details: str = ""
    """What a program wrote, when one failed."""
    answer: Mapping[str, Any] = field(default_factory=dict)
    """All that the module answered."""
    action: str = ""
    """Name of the module."""


@dataclass(frozen=True, slots=True)
class HostRecap:
    """How many tasks ended in which way on a host."""

    host: str
    ok: int = 0
    changed: int = 0
    failed: int = 0
    unreachable: int = 0
    skipped: int = 0

    @property
    def is_good(self) -> bool:
        """Whether no task failed for good, and the host was there to the end."""
        return not (self.failed or self.unreachable)


@dataclass(frozen=True, slots=True)
class PlaybookEnded:
    """The run is over: what came of each host."""

    hosts: tuple[HostRecap, ...]


@dataclass(frozen=True, slots=True)
class Remark:
    """A line that is no event, such as a warning."""

    line: str


PlaybookEvent = PlayStarted | TaskStarted | TaskEnded | PlaybookEnded | Remark


def read_event(line: str) -> PlaybookEvent | None:
    """Return what a line of Ansible's callback `ansible.posix.jsonl` tells, if anything."""
    told = _object(line)
    if told is None:
        return Remark(line.rstrip()) if line.strip() else None
    kind = told["_event"]
    if kind == "v2_playbook_on_play_start":
        return PlayStarted(str(told["play"]["name"]))
    if kind in _BEGIN:
        return TaskStarted(str(told["task"]["name"]))
    if kind == "v2_playbook_on_stats":
        return PlaybookEnded(_hosts(told["stats"]))
    return _task_ended(str(kind), told)


def _object(line: str) -> dict[str, Any] | None:
    try:
        told = json.loads(line)
    except ValueError:
        return None
    return told if isinstance(told, dict) and "_event" in told else None


def _hosts(stats: Mapping[str, Mapping[str, int]]) -> tuple[HostRecap, ...]:
    """Return what came of the hosts; of this machine only when something failed on it."""
    found = tuple(_recap(*it) for it in sorted(stats.items()))
    hosts = tuple(it for it in found if it.host != THIS_MACHINE or not it.is_good)
    return hosts or found


def _recap(host: str, counts: Mapping[str, int]) -> HostRecap:
    names = ("ok", "changed", "failures", "unreachable", "skipped")
    return HostRecap(host, *(counts.get(name, 0) for name in names))


def _task_ended(kind: str, told: Mapping[str, Any]) -> TaskEnded | None:
    ends = {
        "v2_runner_on_ok": Result.OK,
        "v2_runner_on_failed": Result.FAILED,
        "v2_runner_on_unreachable": Result.UNREACHABLE,
        "v2_runner_on_skipped": Result.SKIPPED,
    }
    if kind not in ends or not told.get("hosts"):
        return None
    host, answer = next(iter(told["hosts"].items()))
    result = ends[kind]
    if result is Result.OK and answer.get("changed"):
        result = Result.CHANGED
    return TaskEnded(
        host=host,
        task=str(told["task"]["name"]),
        result=result,
        message=_message(answer) if result.is_bad else "",
        details=_details(answer) if result.is_bad else "",
        answer=answer,
        action=str(answer.get("action", "")),
    )


def _message(answer: Mapping[str, Any]) -> str:
    """Return why a task failed; of a loop, why its items did."""
    if "censored" in answer:
        return "its output is hidden: the task is marked `no_log`"
    items = [it for it in answer.get("results") or () if isinstance(it, dict) and it.get("failed")]
    if items:
        return "; ".join(dict.fromkeys(filter(None, map(_message, items))))
    told = answer.get("msg") or answer.get("reason") or ""
    text = "; ".join(map(str, told)) if isinstance(told, list) else str(told)
    return text.strip()


def _details(answer: Mapping[str, Any]) -> str:
    """Return the last lines that a program wrote before it failed."""
    if "censored" in answer:
        return ""
    found = (str(answer.get(key) or "").strip() for key in ("module_stderr", "stderr", "stdout"))
    text = next((it for it in found if it), "")
    return "\n".join(text.splitlines()[-_SHOWN_LINES:])
