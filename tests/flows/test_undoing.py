"""A rollback that finds a deploy unfinished goes to what served before that deploy, no further."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest

from restoops.adapters.connection import Holder
from restoops.errors import NeedsAttention, Refused, RestoopsError, StepFailed, Unreachable
from restoops.flows.rollout import Rollout
from restoops.model import Release
from restoops.plan.steps import AwaitHealthy, KeepWarm, Step, Switch, Verify
from restoops.report.events import AskingAgain, Planned, StepEnded, StepStarted
from restoops.report.plain import sentence
from tests.flows.acting import Operator, deployed
from tests.flows.breakage import Died
from tests.flows.crew import SIZE, again, assert_tidy, fleet, serving
from tests.flows.fake import FakeHost
from tests.flows.people import Person
from tests.plan.states import V1, V2, V3, V4

OTHER = Holder("peter", "CI", "restoops deploy v3 staging", "2026-01-02T03:04:05.000Z")


def count(operator: Operator, release: Release) -> int:
    return serving(operator).count(release)


def cut_off_after(switches: int) -> Operator:
    """Hosts on which a deploy of v3 was killed when so many had switched."""
    operator = fleet(V1, V2, rollout=Rollout(parallel=1))
    seen = 0

    def listen(event: object) -> None:
        nonlocal seen
        seen += isinstance(event, StepEnded) and isinstance(event.step, Switch)
        begins = isinstance(event, StepStarted) and isinstance(event.step, Switch)
        if seen == switches and (switches or begins):
            for host in operator.hosts:
                host.end(Died())

    operator.listen = listen
    with contextlib.suppress(Died):
        operator.deploy_all(V3)
    later = again(operator)
    later.preempts = True
    assert count(later, V3) == switches
    return later


some_or_none = pytest.mark.parametrize("switched", [0, 1, SIZE - 1])


@some_or_none
def test_a_deploy_that_has_not_switched_everywhere_is_undone_and_that_is_all(switched: int) -> None:
    operator = cut_off_after(switched)
    for host in operator.hosts:
        host.holder = OTHER

    ended = operator.rollback_all()

    assert_tidy(operator, V2)
    assert (ended.release, ended.undone) == (V2, V3)
    assert sentence(ended).startswith(f"v2 ({V2.digest.short}) serves on 4 of 4 hosts")
    assert "; the deploy of v3 was undone\n" in sentence(ended)


@some_or_none
def test_the_question_before_names_what_served_before_the_deploy(switched: int) -> None:
    operator = cut_off_after(switched)
    person = Person(True, hosts=operator.hosts)

    operator.rollback_all(confirm=person)

    assert person.asked == [(V2, V3)]
    assert person.locked == [False] * SIZE
    assert_tidy(operator, V2)


def test_who_says_no_has_undone_nothing() -> None:
    operator = cut_off_after(1)

    with pytest.raises(Refused, match="not confirmed"):
        operator.rollback_all(confirm=Person(False))

    assert (count(operator, V3), count(operator, V2)) == (1, SIZE - 1)


@some_or_none
def test_a_dry_run_names_what_served_before_the_deploy(switched: int) -> None:
    operator = cut_off_after(switched)
    operator.dry_run = True

    ended = operator.rollback_all()

    assert (ended.release, ended.undone) == (V2, V3)
    assert "the deploy of v3 would be undone" in sentence(ended)
    steps = [event.steps for event in operator.told if isinstance(event, Planned)]
    assert all(any(isinstance(step, Switch) for step in each) for each in steps)
    assert (count(operator, V3), count(operator, V2)) == (switched, SIZE - switched)


def test_a_deploy_that_had_switched_everywhere_is_finished_and_gone_back_from() -> None:
    operator = cut_off_after(SIZE)
    person = Person(True)

    ended = operator.rollback_all(confirm=person)

    assert person.asked == [(V2, V3)]
    assert (ended.release, ended.undone) == (V2, None)
    assert serving(operator) == [V2] * SIZE


def cut_off_on_one(
    host: FakeHost, act: Callable[[Operator], object] = lambda operator: operator.deploy(V3)
) -> None:
    """A run is killed before its switch, a deploy of v3 for one."""
    operator = Operator(host)

    def listen(event: object) -> None:
        if isinstance(event, StepStarted) and isinstance(event.step, Switch):
            host.end(Died())

    operator.listen = listen
    with pytest.raises(Died):
        act(operator)
    host.reconnect()


def test_of_one_host_the_result_says_that_it_serves_again() -> None:
    host = deployed(V1, V2)
    cut_off_on_one(host)

    ended = Operator(host).rollback()

    assert sentence(ended) == (
        f"v2 ({V2.digest.short}) serves on staging (web-1) again; the deploy of v3 was undone"
    )
    assert (host.serving, host.state().open_run) == (V2, None)


@pytest.mark.parametrize(("tag", "to"), [("v1", V1), ("v2", V2)])
def test_a_release_that_is_named_is_what_is_gone_to(tag: str, to: Release) -> None:
    host = deployed(V1, V2)
    cut_off_on_one(host)

    assert Operator(host).rollback(tag).release == to
    assert host.serving == to


def test_who_agreed_to_go_back_before_the_deploy_began_gets_what_was_agreed_to() -> None:
    host = deployed(V1, V2)
    person = Person(True, meanwhile=lambda: cut_off_on_one(host))
    operator = Operator(host)

    operator.rollback(confirm=person)

    assert person.asked == [(V1, V2)]
    assert host.serving == V1
    assert not any(isinstance(event, AskingAgain) for event in operator.told)


def test_hosts_that_served_different_releases_are_brought_together() -> None:
    operator = fleet(V1, V2)
    Operator(operator.hosts[0]).deploy(V4)
    for host in operator.hosts:
        cut_off_on_one(host)

    ended = again(operator).rollback_all()

    assert ended.release == V2
    assert serving(operator) == [V2] * SIZE


def test_an_unfinished_rollback_is_no_deploy() -> None:
    host = deployed(V1, V2, V3)
    cut_off_on_one(host, Operator.rollback)

    ended = Operator(host).rollback()

    assert (ended.release, ended.undone) == (V2, None)
    assert host.serving == V2


@pytest.mark.parametrize("step", [AwaitHealthy, Verify, KeepWarm])
def test_who_is_pre_empted_at_any_step_reads_that_and_how_to_see_it(step: type[Step]) -> None:
    host = deployed(V1, V2)
    operator = Operator(host)
    lost = Unreachable("web-1: the SSH connection was lost: SSH session not active")

    def listen(event: object) -> None:
        if isinstance(event, StepStarted) and isinstance(event.step, step):
            host.end(lost)

    operator.listen = listen

    with pytest.raises(RestoopsError) as caught:
        operator.deploy(V3)

    assert "another run has pre-empted this one" in caught.value.hint
    assert "`restoops history staging`" in caught.value.hint
    assert "`restoops status staging`" in caught.value.hint


def test_who_fails_for_another_reason_reads_nothing_of_pre_emption() -> None:
    host = deployed(V1, V2)
    host.failing["retire_later"] = StepFailed("web-1: systemd-run failed")

    with pytest.raises(NeedsAttention) as caught:
        Operator(host).deploy(V3)

    assert "pre-empted" not in caught.value.hint
