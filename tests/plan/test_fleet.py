"""Who goes on, who goes back, in which order: over all hosts of an environment."""

from __future__ import annotations

from dataclasses import replace

import pytest

from restoops.model import HostState, Record, Release
from restoops.plan.fleet import (
    Ending,
    HostResult,
    Policy,
    common_history,
    differ,
    finishes,
    in_batches,
    release_before,
)
from tests.plan.states import BLUE, GREEN, V1, V2, V3, host, proxy, record, run, runs

ALL, STOP, QUORUM = Policy(), Policy("stop"), Policy("quorum", 3)
ON_V1 = host(proxy(BLUE, BLUE, GREEN), runs(BLUE, V1), runs(GREEN, V2))
ON_V2 = host(proxy(GREEN, BLUE, GREEN), runs(BLUE, V1), runs(GREEN, V2))


@pytest.mark.parametrize(
    ("policy", "failed", "may_switch", "goes_back", "halts"),
    [
        pytest.param(ALL, 0, True, False, False, id="all-or-nothing goes on while none fails"),
        pytest.param(ALL, 1, False, True, False, id="all-or-nothing ends with the first"),
        pytest.param(STOP, 0, True, False, False, id="stop goes on while none fails"),
        pytest.param(STOP, 1, False, False, True, id="stop leaves what was done"),
        pytest.param(QUORUM, 1, True, False, False, id="a quorum of 3 of 4 goes on without one"),
        pytest.param(QUORUM, 2, False, True, False, id="a quorum of 3 of 4 ends without two"),
    ],
)
def test_what_a_failure_means_to_the_other_of_four_hosts(
    policy: Policy, failed: int, may_switch: bool, goes_back: bool, halts: bool
) -> None:
    assert policy.may_switch(4, failed) is may_switch
    assert policy.goes_back(4, failed) is goes_back
    assert policy.halts(failed) is halts


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ("1", (("a",), ("b",), ("c",), ("d",), ("e",))),
        ("2", (("a", "b"), ("c", "d"), ("e",))),
        ("25%", (("a", "b"), ("c", "d"), ("e",))),
        ("100%", (("a", "b", "c", "d", "e"),)),
        ("1%", (("a",), ("b",), ("c",), ("d",), ("e",))),
        ("99", (("a", "b", "c", "d", "e"),)),
    ],
)
def test_hosts_are_cut_into_batches(size: str, expected: tuple[tuple[str, ...], ...]) -> None:
    assert in_batches("abcde", size) == expected


@pytest.mark.parametrize("size", ["", "0", "0%", "101%", "-1", "1.5", "%", "half", "٣", "²"])
def test_a_batch_is_a_number_or_a_share(size: str) -> None:
    with pytest.raises(ValueError, match="is"):
        in_batches("abc", size)


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        pytest.param([ON_V2, ON_V2], True, id="all have switched"),
        pytest.param([ON_V2, ON_V1], False, id="one has not"),
        pytest.param([ON_V1, ON_V1], False, id="none has"),
    ],
)
def test_a_run_that_was_cut_off_is_finished_only_when_every_host_has_switched(
    states: list[HostState], expected: bool
) -> None:
    cut_off = run(V2)
    opened = [replace(state, open_run=cut_off) for state in states]

    assert finishes(cut_off, opened) is expected


def test_a_run_that_one_host_has_closed_is_finished_on_the_others() -> None:
    closed = record(V2)
    opened = replace(ON_V1, open_run=closed.run)

    assert finishes(closed.run, [replace(ON_V2, history=(closed,)), opened])


def test_a_run_that_was_going_back_goes_on_doing_so() -> None:
    back = replace(run(V2), going_back=True)

    assert not finishes(back, [replace(ON_V2, open_run=back)] * 2)


def result(ending: Ending, serves: Release | None) -> HostResult:
    return HostResult("web-1", ending, serves)


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        pytest.param([(Ending.DONE, V2), (Ending.UNCHANGED, V2)], False, id="one release"),
        pytest.param([(Ending.DONE, V2), (Ending.UNDONE, V1)], True, id="two releases"),
        pytest.param([(Ending.UNDONE, V1), (Ending.UNCLEAR, V1)], True, id="nobody can say"),
        pytest.param([(Ending.DONE, V2), (Ending.UNREACHED, None)], True, id="one left behind"),
        pytest.param([(Ending.UNDONE, V1), (Ending.UNREACHED, None)], False,
                     id="one not reached, and nothing changed"),
        pytest.param([(Ending.UNDONE, None)] * 2, False, id="nothing serves anywhere"),
    ],
)  # fmt: skip
def test_hosts_differ_when_they_serve_different_releases(
    results: list[tuple[Ending, Release | None]], expected: bool
) -> None:
    assert differ(result(*one) for one in results) is expected


def test_a_run_that_made_its_release_live_anywhere_did() -> None:
    failed = replace(record(V2), outcome="failed")
    done = replace(failed, outcome="done")
    states = [replace(ON_V1, history=(failed,)), replace(ON_V2, history=(done,))]

    assert common_history(states) == (done,)


def test_a_fleet_goes_back_from_the_newest_release_that_serves_anywhere() -> None:
    def at(release: Release, started_at: str) -> HostState:
        made = record(release)
        mine = replace(made, run=replace(made.run, id=f"run-{release.tag}", started_at=started_at))
        return host(proxy(BLUE, BLUE), runs(BLUE, release), history=(mine,))

    states = [at(V3, "2026-01-03"), at(V2, "2026-01-02"), at(V1, "2026-01-01")]

    assert release_before(states) == V2


def at_clock(release: Release, started_at: str) -> Record:
    """A run with an id of its own, begun when the operator's clock said so."""
    made = record(release)
    return replace(
        made, run=replace(made.run, id=f"run-{release.tag}-{started_at}", started_at=started_at)
    )


OLD, NEW = at_clock(V1, "2026-01-09"), at_clock(V2, "2026-01-02")
"""Made live in this order; the clock of who made V1 live was a week ahead."""
NEWEST = at_clock(V3, "2026-01-03")


@pytest.mark.parametrize(
    ("histories", "expected"),
    [
        pytest.param([(OLD, NEW), (OLD, NEW)], (OLD, NEW), id="a clock that is ahead"),
        pytest.param([(NEW,), (OLD, NEW)], (OLD, NEW), id="a host that came later"),
        pytest.param([(OLD, NEW), (NEW, NEWEST), (OLD, NEWEST)], (OLD, NEW, NEWEST),
                     id="hosts that saw two of three runs each"),
        pytest.param([(NEWEST,), (NEW,)], (NEW, NEWEST), id="without a host in common, by clock"),
        pytest.param([(OLD, NEW), (NEW, OLD)], (NEW, OLD), id="hosts that contradict each other"),
        pytest.param([(), ()], (), id="none"),
    ],
)  # fmt: skip
def test_runs_are_in_the_order_of_the_hosts_that_wrote_them_down(
    histories: list[tuple[Record, ...]], expected: tuple[Record, ...]
) -> None:
    assert common_history([replace(ON_V2, history=it) for it in histories]) == expected


def test_a_clock_that_is_wrong_does_not_choose_the_release_to_go_back_to() -> None:
    ahead = at_clock(V3, "2026-01-09")
    states = [replace(ON_V2, history=(ahead, at_clock(V1, "2026-01-01"), NEW))] * 2

    assert release_before(states) == V1
