"""A new release is watched under traffic; when it errs or dies, every host goes back."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from restoops.adapters.clock import SystemClock
from restoops.errors import Interrupted, NeedsAttention, RestoopsError, StepFailed, Unreachable
from restoops.flows.rollout import Rollout
from restoops.model import Counts
from restoops.plan.bake import Limits
from restoops.plan.fleet import Policy
from restoops.plan.steps import Bake, Switch
from restoops.report.events import StepEnded, StepStarted
from tests.flows.acting import WATCHED, Operator
from tests.flows.crew import SIZE, again, assert_tidy, fleet, serving
from tests.flows.fake import FakeHost
from tests.plan.states import GREEN, V1, V2

GOOD, BAD = Counts(100, 0), Counts(100, 10)
each_host = pytest.mark.parametrize("k", range(SIZE))


def watched(rollout: Rollout | None = None) -> Operator:
    """An operator who has the next deploy watched, before hosts that serve v1 without a failure."""
    operator = fleet(V1, rollout=rollout)
    operator.wishes = WATCHED
    for host in operator.hosts:
        host.met = {V1.digest: GOOD, V2.digest: GOOD}
    return operator


def when_baking(operator: Operator, act: object) -> None:
    """Call `act` with each host when the release begins to be watched there."""

    def listen(event: object) -> None:
        if isinstance(event, StepStarted) and isinstance(event.step, Bake):
            host = next(it for it in operator.hosts if it.name == event.host)
            assert callable(act)
            act(host)

    operator.listen = listen


def notes(operator: Operator) -> list[str]:
    return [
        event.note
        for event in operator.told
        if isinstance(event, StepEnded) and isinstance(event.step, Bake)
    ]


def test_a_release_that_does_well_stays_and_its_figures_are_told() -> None:
    operator = watched()

    operator.deploy_all(V2)

    assert_tidy(operator, V2)
    assert len(notes(operator)) == SIZE
    figures = r"0 of [\d,]+ requests failed \(0.0%\)"
    for note in notes(operator):
        assert re.fullmatch(f"{figures}; of the release before: {figures}", note)
    assert operator.clock.monotonic() >= 10


@each_host
@pytest.mark.parametrize("policy", [Policy(), Policy("stop"), Policy("quorum", 2)], ids=str)
def test_one_host_where_it_errs_takes_all_back(k: int, policy: Policy) -> None:
    operator = watched(Rollout(policy=policy))
    operator.hosts[k].met[V2.digest] = BAD

    with pytest.raises(
        StepFailed, match=r"errs beyond .* 10 of 100 requests failed \(10.0%\)"
    ) as it:
        operator.deploy_all(V2)

    assert it.value.status == 1
    assert_tidy(operator, V1)


def test_a_release_is_not_blamed_for_what_the_one_before_did_as_well() -> None:
    operator = watched()
    for host in operator.hosts:
        host.met = {V1.digest: BAD, V2.digest: BAD}

    operator.deploy_all(V2)

    assert_tidy(operator, V2)


@each_host
def test_one_host_where_it_dies_takes_all_back(k: int) -> None:
    operator = watched()
    dying = operator.hosts[k]
    when_baking(operator, lambda host: host.kill(GREEN) if host is dying else None)

    with pytest.raises(StepFailed, match=f"{dying.name}: the new release died after the switch"):
        operator.deploy_all(V2)

    assert_tidy(operator, V1)


def test_a_release_that_haproxy_finds_unhealthy_goes_back() -> None:
    operator = watched()

    def sicken(host: FakeHost) -> None:
        host.doubted.add(GREEN)

    when_baking(operator, sicken)

    with pytest.raises(StepFailed, match="answers HAProxy's health checks badly"):
        operator.deploy_all(V2)

    assert_tidy(operator, V1)


def test_too_few_requests_are_said_and_the_deploy_goes_on() -> None:
    operator = watched()
    for host, count in zip(operator.hosts, (Counts(1, 1), *(Counts(),) * 3), strict=True):
        host.met = {V1.digest: GOOD, V2.digest: count}

    operator.deploy_all(V2)

    assert_tidy(operator, V2)
    told = [note.partition(":")[0] for note in notes(operator)]
    assert len(told) == SIZE
    assert all(re.fullmatch(r"too few requests to tell \(\d+ of 50\)", note) for note in told)


def test_hosts_with_too_few_requests_are_judged_together() -> None:
    operator = watched()
    # The clock is one for all: 21 looks at least on all hosts, and at most on each of them.
    operator.wishes = replace(WATCHED, bake=Limits(10, max_error_rate=0.02, min_requests=43))
    for host in operator.hosts:
        host.met = {V1.digest: GOOD, V2.digest: Counts(2, 1)}
        host.counted = {}

    with pytest.raises(
        StepFailed, match=r"errs on all hosts together: \d+ of \d+ requests failed \(50.0%\)"
    ):
        operator.deploy_all(V2)

    assert_tidy(operator, V1)


def test_without_a_release_to_go_back_to_nothing_is_watched() -> None:
    operator = Operator(FakeHost(), WATCHED)

    operator.deploy(V1)

    assert not notes(operator)
    assert operator.host.serving == V1


def test_a_rollback_is_not_held_up() -> None:
    operator = fleet(V1, V2)
    operator.wishes = WATCHED

    operator.rollback_all()

    assert_tidy(operator, V1)
    assert not notes(operator)


@each_host
def test_a_host_lost_meanwhile_is_no_fault_of_the_release(k: int) -> None:
    operator = watched()
    lost = operator.hosts[k]
    gone = Unreachable(f"{lost.name}: the connection was lost")
    when_baking(operator, lambda host: host.end(gone) if host is lost else None)

    with pytest.raises(NeedsAttention, match="the connection was lost"):
        operator.deploy_all(V2)

    assert serving(operator) == [V2] * SIZE
    follow_up = again(operator)
    follow_up.deploy_all(V2)
    assert_tidy(follow_up, V2)


def test_a_signal_meanwhile_ends_the_wait_and_leaves_what_serves_everywhere() -> None:
    operator = watched()
    when_baking(operator, lambda _: operator.interrupt.ask())

    with pytest.raises(RestoopsError) as caught:
        operator.deploy_all(V2)

    assert isinstance(caught.value, Interrupted)
    assert "finished: traffic had moved already" in caught.value.message
    assert_tidy(operator, V2)


@pytest.mark.parametrize("fault", ["errs", "dies"])
def test_a_release_that_does_badly_in_the_first_batch_never_reaches_the_second(fault: str) -> None:
    operator = watched(Rollout(batch="1", pause_s=30))
    first = operator.hosts[0]
    if fault == "errs":
        first.met[V2.digest] = BAD
    else:
        when_baking(operator, lambda host: host.kill(GREEN) if host is first else None)

    with pytest.raises(StepFailed, match=r"web-1: the new release (errs|died)"):
        operator.deploy_all(V2)

    switched = {
        event.host
        for event in operator.told
        if isinstance(event, StepEnded) and event.step == Switch(GREEN, covered=True)
    }
    assert switched == {"web-1"}
    assert_tidy(operator, V1)


def test_batches_are_watched_in_the_pauses_and_all_of_them_in_the_end() -> None:
    operator = watched(Rollout(batch="50%", pause_s=30))

    operator.deploy_all(V2)

    begun = [
        (event.host, event.step.limits.for_s)
        for event in operator.told
        if isinstance(event, StepStarted) and isinstance(event.step, Bake)
    ]
    assert sorted(begun[:2]) == [("web-1", 30), ("web-2", 30)]
    assert sorted(begun[2:]) == [(host.name, 10) for host in operator.hosts]
    assert_tidy(operator, V2)


def test_more_hosts_than_are_worked_on_at_once_are_watched_at_the_same_time() -> None:
    operator = watched(Rollout(parallel=1))
    operator.wishes = replace(WATCHED, bake=Limits(2, max_error_rate=0.02, min_requests=1))
    operator.health = replace(operator.health, interval_s=0.001)
    operator.clock = clock = SystemClock()
    began = clock.monotonic()

    operator.deploy_all(V2)

    assert 2 <= clock.monotonic() - began < SIZE * 2
    assert_tidy(operator, V2)
