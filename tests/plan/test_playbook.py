"""What Ansible's lines are read as, and the table that they come to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from restoops.plan.playbook import (
    HostRecap,
    PlaybookEnded,
    PlayStarted,
    Remark,
    Result,
    TaskEnded,
    TaskStarted,
    read_event,
)
from restoops.plan.playbook_board import Board, table_of


def ended(kind: str, host: str = "a", **answer: Any) -> str:
    """Return the line that tells how a task ended."""
    told = {
        "_event": f"v2_runner_on_{kind}",
        "task": {"name": "docker : Install"},
        "hosts": {host: {"action": "ansible.builtin.apt", **answer}},
    }
    return json.dumps(told)


def stats(**hosts: dict[str, int]) -> str:
    return json.dumps({"_event": "v2_playbook_on_stats", "stats": hosts})


def board(*lines: str) -> Board:
    """Return the board after these lines."""
    found = Board()
    for line in lines:
        if event := read_event(line):
            found = found.after(event)
    return found


@pytest.mark.parametrize(
    ("line", "event"),
    [
        pytest.param('{"_event": "v2_playbook_on_play_start", "play": {"name": "Set up"}}',
                     PlayStarted("Set up"), id="a play begins"),
        pytest.param('{"_event": "v2_playbook_on_task_start", "task": {"name": "x : y"}}',
                     TaskStarted("x : y"), id="a task begins"),
        pytest.param('{"_event": "v2_playbook_on_handler_task_start", "task": {"name": "Reload"}}',
                     TaskStarted("Reload"), id="a handler begins"),
        pytest.param('{"_event": "v2_something_new"}', None, id="an event of a newer Ansible"),
        pytest.param("[WARNING]: beware\r\n", Remark("[WARNING]: beware"), id="a warning"),
        pytest.param("[1, 2]", Remark("[1, 2]"), id="JSON that is no event"),
        pytest.param("   ", None, id="an empty line"),
        pytest.param(stats(b={"ok": 3, "changed": 1}, a={"failures": 1, "unreachable": 2}),
                     PlaybookEnded((HostRecap("a", failed=1, unreachable=2),
                                    HostRecap("b", ok=3, changed=1))), id="the end"),
    ],
)  # fmt: skip
def test_a_line_is_read(line: str, event: object) -> None:
    assert read_event(line) == event


@pytest.mark.parametrize(
    ("line", "result", "message", "details"),
    [
        pytest.param(ended("ok", changed=False, msg="all well"), Result.OK, "", "", id="ok"),
        pytest.param(ended("ok", changed=True), Result.CHANGED, "", "", id="changed"),
        pytest.param(ended("skipped"), Result.SKIPPED, "", "", id="skipped"),
        pytest.param(ended("unreachable", msg="no route "), Result.UNREACHABLE, "no route", "",
                     id="unreachable"),
        pytest.param(ended("failed", msg="rc 3", stderr="a\nb\n", stdout="c"),
                     Result.FAILED, "rc 3", "a\nb", id="failed, with what it wrote"),
        pytest.param(ended("failed", msg="", module_stderr="boom"), Result.FAILED, "", "boom",
                     id="failed without a message"),
        pytest.param(ended("failed", msg="one or more", results=[
                         {"failed": True, "msg": "x is missing"}, {"msg": "fine"},
                         {"failed": True, "msg": "y is missing"}]),
                     Result.FAILED, "x is missing; y is missing", "", id="a loop: its bad items"),
        pytest.param(ended("failed", censored="hidden", stderr="secret"), Result.FAILED,
                     "its output is hidden: the task is marked `no_log`", "", id="no_log"),
    ],
)  # fmt: skip
def test_the_end_of_a_task_is_read(line: str, result: Result, message: str, details: str) -> None:
    event = read_event(line)

    assert isinstance(event, TaskEnded)
    assert (event.host, event.task) == ("a", "docker : Install")
    assert (event.result, event.message, event.details) == (result, message, details)


def test_a_board_counts_for_each_host() -> None:
    found = board(ended("ok", changed=True), ended("ok"), ended("failed", "b"), ended("skipped"))

    assert (found.rows["a"].ok, found.rows["a"].changed, found.rows["a"].failed) == (2, 1, 0)
    assert (found.rows["b"].ok, found.rows["b"].failed) == (0, 1)
    assert found.changed == 1
    assert not found.is_over


def test_a_failure_that_was_rescued_or_ignored_is_not_why_a_run_failed() -> None:
    lines = (ended("failed", "a", msg="rescued"), ended("failed", "b", msg="first"))
    final = (ended("failed", "b", msg="last"), stats(a={"ok": 1}, b={"failures": 1}))

    assert [it.message for it in board(*lines, *final).fatal] == ["last"]


def test_a_run_that_ansible_did_not_end_counts_every_failure() -> None:
    assert [it.message for it in board(ended("failed", msg="why")).fatal] == ["why"]


def test_this_machine_is_no_host_unless_something_failed_on_it() -> None:
    good = board(stats(localhost={"ok": 1}, a={"ok": 2}))
    bad = board(stats(localhost={"failures": 1}))

    assert [it.host for it in good.recap] == ["a"]
    assert [it.host for it in bad.recap] == ["localhost"]


def test_the_summary_has_a_row_for_each_host() -> None:
    rows = list(table_of([HostRecap("a", 5, 2, 0, 0, 1)]))

    assert rows[1] == ("a", "5", "2", "0", "0", "1")
    assert len(rows[0]) == len(rows[1])
