"""What the hosts of an environment remember, put together into runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from restoops.model import Record
from restoops.plan.runs import FleetRun, called, merge
from tests.plan.states import V1, V2, V3, record


def at(minute: int, it: Record) -> Record:
    """`it`, begun in this minute and ended in the next."""
    begun = replace(it.run, started_at=f"2026-01-02T03:{minute:02}:00.000Z")
    return replace(it, run=begun, ended_at=f"2026-01-02T03:{minute + 1:02}:00.000Z")


ONE, TWO, THREE = at(1, record(V1)), at(2, record(V2)), at(3, record(V3))
FAILED = replace(at(2, record(V2, "failed")), error="web-2: green is not healthy")


@pytest.mark.parametrize(
    ("histories", "expected"),
    [
        pytest.param({}, [], id="no hosts"),
        pytest.param({"web-1": (), "web-2": ()}, [], id="nothing was deployed yet"),
        pytest.param({"web-1": (ONE, TWO, THREE)},
                     [("run-v3", {"web-1"}), ("run-v2", {"web-1"}), ("run-v1", {"web-1"})],
                     id="one host: its runs, newest first"),
        pytest.param({"web-1": (ONE, TWO), "web-2": (ONE, TWO)},
                     [("run-v2", {"web-1", "web-2"}), ("run-v1", {"web-1", "web-2"})],
                     id="the same runs on all hosts"),
        pytest.param({"web-1": (ONE, THREE), "web-2": (TWO,)},
                     [("run-v3", {"web-1"}), ("run-v2", {"web-2"}), ("run-v1", {"web-1"})],
                     id="runs of single hosts are put in the order of time"),
        pytest.param({"web-1": (ONE, TWO), "web-2": (TWO,)},
                     [("run-v2", {"web-1", "web-2"}), ("run-v1", {"web-1"})],
                     id="a host that came later, or forgot a run"),
    ],
)  # fmt: skip
def test_the_histories_of_all_hosts_become_runs(
    histories: dict[str, tuple[Record, ...]], expected: list[tuple[str, set[str]]]
) -> None:
    runs = merge(histories)

    assert [(run.id, set(run.records)) for run in runs] == expected
    assert {run.fleet for run in runs} <= {tuple(histories)}


def only(histories: dict[str, tuple[Record, ...]]) -> FleetRun:
    [run] = merge(histories)
    return run


def test_a_run_says_how_it_ended_on_each_host() -> None:
    run = only({"web-1": (TWO,), "web-2": (FAILED,), "web-3": ()})

    assert run.outcomes == {"web-1": "done", "web-2": "failed"}
    assert run.errors == {"web-2": "web-2: green is not healthy"}
    assert (run.kind, run.release, run.who, run.origin) == ("deploy", V2, "olga", "laptop")


def test_a_run_begins_on_the_first_host_and_ends_on_the_last() -> None:
    late = replace(at(7, record(V2, "undone")), run=TWO.run)
    run = only({"web-1": (late,), "web-2": (TWO,)})

    assert (run.started_at, run.ended_at) == (TWO.run.started_at, late.ended_at)


def test_a_run_takes_from_its_begin_to_its_end_on_the_last_host() -> None:
    """A step that failed and a pause between batches are in no log, and take time all the same."""
    quick = replace(record(V2, took={"Switch": 0.5}), ended_at="2026-01-02T03:04:07.000Z")
    slow = replace(record(V2), ended_at="2026-01-02T03:05:45.500Z")

    assert only({"web-1": (quick,), "web-2": (slow,)}).seconds == 100.5


def test_a_clock_that_was_set_back_meanwhile_makes_no_time_negative() -> None:
    assert only({"web-1": (replace(TWO, ended_at="2026-01-02T03:00:00.000Z"),)}).seconds == 0


def test_what_somebody_wrote_by_hand_takes_no_time() -> None:
    assert only({"web-1": (replace(TWO, ended_at="yesterday"),)}).seconds == 0


def test_the_newest_record_of_a_run_counts_where_a_host_has_several() -> None:
    assert only({"web-1": (FAILED, TWO)}).outcomes == {"web-1": "done"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("last", [("b", "run-v3")]),
        ("run-v1", [("a", "run-v1")]),
        ("run-v", [("a", "run-v2"), ("a", "run-v1"), ("b", "run-v3")]),
        ("run-v9", []),
        ("", [("a", "run-v2"), ("a", "run-v1"), ("b", "run-v3")]),
    ],
)
def test_a_run_is_called_by_its_name_or_how_that_begins(
    name: str, expected: list[tuple[str, str]]
) -> None:
    runs = {"a": merge({"web-1": (ONE, TWO)}), "b": merge({"web-2": (THREE,)})}

    assert [(where, run.id) for where, run in called(name, runs)] == expected


def test_a_whole_name_means_that_run_also_where_it_begins_another() -> None:
    longer = replace(TWO, run=replace(TWO.run, id="run-v11"))
    runs = {"a": merge({"web-1": (ONE, longer)})}

    assert [run.id for _, run in called("run-v1", runs)] == ["run-v1"]
    assert called("last", {}) == ()
