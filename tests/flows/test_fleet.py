"""Several hosts: what one of them does decides about all, in every phase and at every change."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace

import pytest

from restoops.adapters.connection import Holder
from restoops.errors import (
    Interrupted,
    Locked,
    NeedsAttention,
    Refused,
    RestoopsError,
    StepFailed,
    Unreachable,
)
from restoops.flows.rollout import Rollout
from restoops.model import Answer
from restoops.plan.fleet import Ending, Policy
from restoops.plan.steps import Switch
from restoops.report.events import Batches, BatchStarted, Pausing, StepStarted, Waiting
from tests.flows.acting import Operator, deployed
from tests.flows.breakage import Breakage, Died
from tests.flows.crew import SIZE, again, assert_tidy, fleet, serving
from tests.flows.fake import FakeHost
from tests.plan.states import V1, V2, V3


@pytest.fixture(autouse=True, params=[False, True], ids=["one process", "two"])
def processes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a second process leads every other host."""
    monkeypatch.setattr(Operator, "has_deputy", request.param)


each_host = pytest.mark.parametrize("k", range(SIZE))
OTHER = Holder("peter", "CI", "restoops deploy v9 staging", "2026-01-02T03:04:05.000Z")


def test_a_release_goes_live_on_all_hosts() -> None:
    operator = fleet(V1)

    operator.deploy_all(V2)

    assert_tidy(operator, V2)
    ended = operator.fleet_ended
    assert [(r.host, r.ending, r.serves) for r in ended.hosts] == [
        (f"web-{number}", Ending.DONE, V2) for number in range(1, SIZE + 1)
    ]


def test_no_host_switches_before_all_are_prepared() -> None:
    operator = fleet(V1)

    operator.deploy_all(V2)

    steps = [event.step for event in operator.told if isinstance(event, StepStarted)]
    first = next(number for number, step in enumerate(steps) if isinstance(step, Switch))
    assert sum(type(step).__name__ == "AwaitHealthy" for step in steps[:first]) == SIZE


@each_host
@pytest.mark.parametrize("call", ["open_run", "pull", "start", "inspect", "traffic"])
def test_a_host_that_fails_while_preparing_means_that_nothing_changed_anywhere(
    k: int, call: str
) -> None:
    operator = fleet(V1)
    operator.hosts[k].failing[call] = StepFailed(f"web-{k + 1}: the disk is full")

    with pytest.raises(StepFailed, match="the disk is full"):
        operator.deploy_all(V2)

    assert_tidy(operator, V1)
    ended = operator.fleet_ended
    assert {result.ending for result in ended.hosts} == {Ending.UNDONE}


@each_host
@pytest.mark.parametrize("fault", ["refused", "misrouted", "gone"])
def test_a_host_that_fails_at_the_switch_takes_all_hosts_back(k: int, fault: str) -> None:
    operator = fleet(V1)
    host = operator.hosts[k]
    if fault == "misrouted":
        host.misrouted = Answer(502, "bad gateway")
    else:
        failed = (
            StepFailed("HAProxy refused") if fault == "refused" else Unreachable("HAProxy away")
        )
        host.failing["route"] = failed

    with pytest.raises(StepFailed):
        operator.deploy_all(V2)

    host.misrouted = None
    assert_tidy(operator, V1)


@each_host
def test_stop_leaves_the_hosts_that_switched_and_says_that_they_differ(k: int) -> None:
    operator = fleet(V1, rollout=Rollout(Policy("stop")))
    operator.hosts[k].failing["route"] = StepFailed("HAProxy refused")

    with pytest.raises(NeedsAttention, match="hosts differ: HAProxy refused") as caught:
        operator.deploy_all(V2)

    assert serving(operator) == [V1 if number == k else V2 for number in range(SIZE)]
    assert f"web-{k + 1}: v1 serves" in caught.value.hint


def test_stop_begins_no_batch_after_a_failure() -> None:
    operator = fleet(V1, rollout=Rollout(Policy("stop"), batch="1"))
    operator.hosts[1].failing["route"] = StepFailed("HAProxy refused")

    with pytest.raises(NeedsAttention, match="hosts differ"):
        operator.deploy_all(V2)

    assert serving(operator) == [V2, V1, V1, V1]
    assert all(host.state().open_run is None for host in operator.hosts)


@each_host
@pytest.mark.parametrize("call", ["start", "route"])
def test_a_quorum_goes_on_without_a_host_that_fails(k: int, call: str) -> None:
    operator = fleet(V1, rollout=Rollout(Policy("quorum", 3)))
    operator.hosts[k].failing[call] = StepFailed("the disk is full")

    with pytest.raises(NeedsAttention, match="the disk is full"):
        operator.deploy_all(V2)

    assert serving(operator) == [V1 if number == k else V2 for number in range(SIZE)]


@pytest.mark.parametrize("call", ["start", "route"])
def test_without_a_quorum_all_hosts_go_back(call: str) -> None:
    operator = fleet(V1, rollout=Rollout(Policy("quorum", 3)))
    for host in operator.hosts[:2]:
        host.failing[call] = StepFailed("the disk is full")

    with pytest.raises(StepFailed, match="the disk is full"):
        operator.deploy_all(V2)

    assert_tidy(operator, V1)


def test_a_host_that_serves_the_release_already_counts_for_the_quorum() -> None:
    operator = fleet(V1, rollout=Rollout(Policy("quorum", 3)))
    for host in operator.hosts[:2]:
        Operator(host).deploy(V2)
    operator.hosts[3].failing["route"] = StepFailed("HAProxy refused")

    with pytest.raises(NeedsAttention, match="hosts differ"):
        operator.deploy_all(V2)

    assert serving(operator) == [V2, V2, V2, V1]


def test_a_quorum_goes_without_a_host_that_cannot_be_reached_and_says_so() -> None:
    operator = fleet(V1, rollout=Rollout(Policy("quorum", 3)))
    operator.absent = {"web-5": Unreachable("web-5: timed out")}

    with pytest.raises(NeedsAttention, match="web-5: timed out"):
        operator.deploy_all(V2)

    assert serving(operator) == [V2] * SIZE
    ended = operator.fleet_ended
    assert ended.hosts[-1].ending is Ending.UNREACHED


@each_host
def test_batches_that_have_switched_go_back_when_a_later_one_fails(k: int) -> None:
    operator = fleet(V1, rollout=Rollout(batch="1", pause_s=5))
    operator.hosts[k].failing["route"] = StepFailed("HAProxy refused")

    with pytest.raises(StepFailed, match="HAProxy refused"):
        operator.deploy_all(V2)

    assert_tidy(operator, V1)


def test_batches_pause_in_between() -> None:
    operator = fleet(V1, rollout=Rollout(batch="50%", pause_s=30))
    before = operator.clock.monotonic()

    operator.deploy_all(V2)

    assert 30 <= operator.clock.monotonic() - before < 60
    assert_tidy(operator, V2)


def test_batches_and_pauses_are_told_as_they_come() -> None:
    operator = fleet(V1, rollout=Rollout(batch="50%", pause_s=30))

    operator.deploy_all(V2)

    first, second = ("web-1", "web-2"), ("web-3", "web-4")
    told = [it for it in operator.told if isinstance(it, Batches | BatchStarted | Pausing)]
    assert told == [
        Batches((first, second), 30, dry_run=False),
        BatchStarted(1, 2, first),
        Pausing(30, 2, 2),
        BatchStarted(2, 2, second),
    ]


def test_a_dry_run_tells_of_batches() -> None:
    operator = fleet(V1, rollout=Rollout(batch="3", pause_s=30))
    operator.dry_run = True

    operator.deploy_all(V2)

    assert Batches((("web-1", "web-2", "web-3"), ("web-4",)), 30, dry_run=True) in operator.told


def test_one_batch_is_not_worth_a_word() -> None:
    operator = fleet(V1, rollout=Rollout(pause_s=30))

    operator.deploy_all(V2)

    assert not any(isinstance(it, Batches | BatchStarted | Pausing) for it in operator.told)


@each_host
def test_a_lock_that_another_run_holds_keeps_no_other_lock(k: int) -> None:
    operator = fleet(V1)
    operator.hosts[k].holder = OTHER

    with pytest.raises(Locked, match="peter"):
        operator.deploy_all(V2)

    assert [host.holder for host in operator.hosts] == [
        OTHER if number == k else None for number in range(SIZE)
    ]
    assert all(host.effects == [] for host in operator.hosts)


def test_who_waits_for_a_host_that_is_not_the_first_says_once_for_whom() -> None:
    operator = fleet(V1)
    operator.hosts[2].holder = OTHER
    operator.wait_s = 3

    with pytest.raises(Locked, match="peter"):
        operator.deploy_all(V2)

    assert operator.told == [Waiting("web-3", str(OTHER))]


def _killed_at(number: int, act: Callable[[Operator], object]) -> Operator:
    """Kill the command, for all hosts at once, instead of its `number`th change."""
    operator = fleet(V1, V2, rollout=Rollout(parallel=1))
    changes = 0

    def watch() -> None:
        nonlocal changes
        changes += 1
        if changes == number:
            for host in operator.hosts:
                host.end(Died())
            raise Died

    for host in operator.hosts:
        host.watch = watch
    with contextlib.suppress(Died, RuntimeError):  # the latter is a `Died` that was told
        act(operator)
    return operator


def _changes(act: Callable[[Operator], object]) -> int:
    operator = fleet(V1, V2, rollout=Rollout(parallel=1))
    act(operator)
    return sum(len(host.effects) for host in operator.hosts)


ACTS: dict[str, Callable[[Operator], object]] = {
    "deploy": lambda operator: operator.deploy_all(V3),
    "rollback": lambda operator: operator.rollback_all(),
}
at_every_change = pytest.mark.parametrize(
    ("act", "number"),
    [
        pytest.param(act, number, id=f"{name}, change {number}")
        for name, act in ACTS.items()
        for number in range(1, _changes(act) + 1)
    ],
)


@at_every_change
def test_after_sigkill_at_any_change_the_next_deploy_brings_all_hosts_together(
    act: Callable[[Operator], object], number: int
) -> None:
    operator = _killed_at(number, act)
    assert all(release in (V1, V2, V3) for release in serving(operator))

    later = again(operator)
    later.deploy_all(V3)

    assert_tidy(later, V3)


@at_every_change
def test_after_sigkill_at_any_change_a_rollback_leaves_all_hosts_with_one_release(
    act: Callable[[Operator], object], number: int
) -> None:
    later = again(_killed_at(number, act))

    with contextlib.suppress(Refused):  # there may be no earlier one
        later.rollback_all()

    assert len(set(serving(later))) == 1
    assert all(host.state().open_run is None for host in later.hosts)


@pytest.mark.parametrize("number", range(1, 41))
def test_a_signal_at_any_step_leaves_all_hosts_with_one_release(number: int) -> None:
    operator = fleet(V1)
    begun = []

    def listen(event: object) -> None:
        if isinstance(event, StepStarted):
            begun.append(event)
            if len(begun) == number:
                operator.interrupt.ask()

    operator.listen = listen
    with contextlib.suppress(Interrupted):
        operator.deploy_all(V2)

    assert serving(operator) in ([V1] * SIZE, [V2] * SIZE)
    assert_tidy(operator, operator.host.serving or V1)


@each_host
@pytest.mark.parametrize("number", range(1, 11))
def test_hosts_that_live_serve_one_release_when_another_is_lost_at_any_change(
    k: int, number: int
) -> None:
    operator = fleet(V1)
    lost = operator.hosts[k]
    lost.breakage = Breakage(number, Unreachable(f"{lost.name}: connection lost"), for_good=True)

    with contextlib.suppress(RestoopsError):
        operator.deploy_all(V2)

    alive = {host.serving for host in operator.hosts if host is not lost}
    assert len(alive) == 1
    later = again(operator)
    later.deploy_all(V2)
    assert_tidy(later, V2)


def test_a_rollback_of_a_fleet_that_differs_leaves_the_newest_release() -> None:
    operator = fleet(V1, V2)
    Operator(operator.host).deploy(V3)

    again(operator).rollback_all()

    assert_tidy(operator, V2)


def test_a_host_that_is_new_to_the_fleet_gets_the_release_of_the_others() -> None:
    operator = fleet(V1, V2)
    operator.others = (*operator.others[:2], FakeHost(name="web-9"))

    operator.rollback_all()

    assert serving(operator) == [V1] * SIZE


def test_a_dry_run_changes_nothing_and_takes_no_lock() -> None:
    operator = replace(fleet(V1), dry_run=True)

    operator.deploy_all(V2)

    assert_tidy(operator, V1)
    assert all(host.effects == [] and "lock" not in host.calls for host in operator.hosts)


def test_one_host_alone_can_be_deployed_to() -> None:
    host = deployed(V1)

    Operator(host).deploy(V2)

    assert host.serving == V2
