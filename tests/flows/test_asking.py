"""A rollback asks before it does anything, and what it says that it changed is so."""

from __future__ import annotations

import contextlib

import pytest

from restoops.adapters.connection import Holder
from restoops.errors import Interrupted, Refused, Unreachable
from restoops.flows.interrupt import Interrupt
from restoops.flows.rollout import Rollout
from restoops.model import Release
from restoops.plan.steps import Switch
from restoops.report.events import AskingAgain, Recovering, StepEnded, StepStarted
from tests.flows.acting import Operator, deployed
from tests.flows.breakage import Breakage, Died
from tests.flows.crew import SIZE, again, assert_tidy, fleet, serving
from tests.flows.fake import FakeHost
from tests.flows.people import Person
from tests.plan.states import V1, V2, V3

OTHER = Holder("peter", "CI", "restoops deploy v9 staging", "2026-01-02T03:04:05.000Z")


def test_who_says_no_has_changed_nothing_and_pre_empted_nobody() -> None:
    host = deployed(V1, V2)
    host.holder = OTHER
    host.calls.clear()
    before = host.state()
    person = Person(False)

    with pytest.raises(Refused, match="not confirmed"):
        Operator(host, preempts=True).rollback(confirm=person)

    assert person.asked == [(V1, V2)]
    assert host.state() == before
    assert host.calls == ["observe"]
    assert host.holder is OTHER


def test_who_says_yes_is_asked_once_and_with_no_lock_in_hand() -> None:
    operator = fleet(V1, V2)
    person = Person(True, hosts=operator.hosts)

    operator.rollback_all(confirm=person)

    assert person.asked == [(V1, V2)]
    assert person.locked == [False] * SIZE
    assert_tidy(operator, V1)


def test_without_a_question_hosts_are_looked_at_once() -> None:
    host = deployed(V1, V2)
    host.calls.clear()

    Operator(host).rollback()

    assert host.calls[:2] == ["lock", "observe"]


def test_what_serves_already_needs_no_answer() -> None:
    host = deployed(V1, V2)
    person = Person()

    Operator(host).rollback("v2", confirm=person)

    assert person.asked == []
    assert host.serving == V2


@pytest.mark.parametrize("answer", [True, False])
def test_an_answer_that_fits_no_longer_is_asked_for_again(answer: bool) -> None:
    host = deployed(V1, V2)
    person = Person(True, answer, meanwhile=lambda: Operator(host).deploy(V3), hosts=(host,))
    operator = Operator(host)

    with contextlib.nullcontext() if answer else pytest.raises(Refused, match="not confirmed"):
        operator.rollback(confirm=person)

    assert person.asked == [(V1, V2), (V2, V3)]
    assert AskingAgain(V2, V3) in operator.told
    assert person.locked == [False, False]
    assert host.serving == (V2 if answer else V3)
    assert host.holder is None


def cut_off_at_the_switch() -> Operator:
    """An operator before hosts on which a deploy of v3 was killed when the first had switched."""
    operator = fleet(V1, V2, rollout=Rollout(parallel=1))

    def listen(event: object) -> None:
        if isinstance(event, StepEnded) and isinstance(event.step, Switch):
            for host in operator.hosts:
                host.end(Died())

    operator.listen = listen
    with contextlib.suppress(Died):
        operator.deploy_all(V3)
    later = again(operator)
    assert serving(later) == [V3, V2, V2, V2]
    return later


def test_a_run_that_is_put_right_first_is_asked_about_before_and_told_of_after() -> None:
    operator = cut_off_at_the_switch()
    person = Person(True)

    operator.rollback_all(confirm=person)

    assert person.asked == [(V2, V3)]
    assert operator.interrupt.so_far == "an earlier run was put right, and nothing else was changed"
    assert_tidy(operator, V2)


def interrupted(operator: Operator) -> str:
    with pytest.raises(Interrupted) as caught:
        operator.deploy_all(V3)
    assert all(host.holder is None for host in operator.hosts)
    return caught.value.message


def asked_to_end(interrupt: Interrupt) -> Release:
    interrupt.ask()
    interrupt.check()
    return V3


def test_a_signal_before_anything_changed_says_so() -> None:
    operator = fleet(V1, V2)
    operator.resolve = asked_to_end

    assert interrupted(operator) == "interrupted; nothing was changed"
    assert all(host.effects == [] for host in operator.hosts)


def test_a_signal_after_a_run_was_put_right_does_not_say_that_nothing_changed() -> None:
    operator = cut_off_at_the_switch()
    operator.resolve = asked_to_end

    message = interrupted(operator)

    assert message == "interrupted; an earlier run was put right, and nothing else was changed"
    assert_tidy(operator, V2)


def test_a_signal_while_a_run_is_put_right_says_that_it_is_still_to_be_put_right() -> None:
    operator = cut_off_at_the_switch()

    def listen(event: object) -> None:
        if isinstance(event, Recovering):
            operator.interrupt.ask()

    operator.listen = listen

    message = interrupted(operator)

    assert message == "interrupted; an earlier run that was cut off is still to be put right"
    assert any(host.state().open_run for host in operator.hosts)


def test_a_signal_after_pre_empting_does_not_say_that_nothing_changed() -> None:
    host = deployed(V1, V2)
    host.holder = OTHER
    operator = Operator(host, preempts=True, resolve=asked_to_end)

    with pytest.raises(Interrupted, match="the run that held the lock may have been ended"):
        operator.deploy(V3)


def test_a_signal_while_only_the_proxy_is_replaced_does_not_say_that_nothing_changed() -> None:
    host = FakeHost()
    Operator(host).deploy(V1)
    host.proxy_is_current = host.ready = False
    operator = Operator(host)

    def listen(event: object) -> None:
        if isinstance(event, StepStarted):
            operator.interrupt.ask()

    operator.listen = listen

    with pytest.raises(Interrupted, match="v1 serves, and its proxy may have been changed"):
        operator.deploy(V1)


def test_a_host_that_is_lost_while_a_run_is_put_right_is_unreachable_and_heals() -> None:
    operator = cut_off_at_the_switch()
    lost, gone = operator.hosts[2], Unreachable("web-3: connection lost")
    lost.breakage = Breakage(len(lost.effects) + 1, gone, for_good=True)

    with pytest.raises(Unreachable, match="web-3: connection lost"):
        operator.deploy_all(V3)

    assert [host.state().open_run is None for host in operator.hosts] == [True, True, False, True]
    assert serving(operator) == [V2] * SIZE
    later = again(operator)
    later.deploy_all(V3)
    assert_tidy(later, V3)
