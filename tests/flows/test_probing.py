"""The probe is a witness: it tells what it met with, and nothing that happens to it matters."""

import pytest

from restoops.adapters.sampler import Seen
from restoops.errors import StepFailed, Unreachable
from restoops.flows.probing import Probing
from restoops.plan.probe import Sample
from restoops.report.events import Probed, RunEnded
from tests.flows.acting import Operator, deployed
from tests.flows.clock import FakeClock
from tests.flows.fake import FakeHost
from tests.flows.sampling import FakeSampler
from tests.plan.states import V1, V2

GOOD, BAD, LOST = Seen(0.1, 2, 200), Seen(0.2, 3, 503), Seen(0.3, 5000, 0)


def asked(host: FakeHost, *sees: Seen | BaseException, before: str = "route") -> Operator:
    """Return an operator whose probe sees so much before a call, the switch for one."""
    host.sampler = FakeSampler(list(sees))
    operator = Operator(host, probe_rate=10)
    host.hanging[before] = lambda: host.sampler.all_seen.wait(10)
    return operator


def probed(operator: Operator) -> list[Probed]:
    return [event for event in operator.told if isinstance(event, Probed)]


def test_what_the_probe_met_with_is_told_right_before_the_result_and_with_it() -> None:
    operator = asked(deployed(V1), GOOD, BAD, LOST)

    ended = operator.deploy(V2)

    told = probed(operator)
    assert len(told) == 1
    assert operator.told[-2:] == [told[0], ended]
    assert (told[0].requests, told[0].failed, told[0].hosts) == (3, 2, ("web-1",))
    assert (told[0].p50_ms, told[0].slowest_ms) == (3, 3)
    assert [it.status for it in told[0].samples] == [200, 503, 0]
    assert isinstance(told[0].samples[0], Sample)
    assert (ended.requests, ended.failed) == (3, 2)
    assert operator.host.sampler.closed.wait(10)


def test_what_fails_before_the_first_release_serves_is_no_failure() -> None:
    operator = asked(FakeHost(), BAD, LOST, GOOD, BAD)

    ended = operator.deploy(V1)

    assert (ended.requests, ended.failed) == (2, 1)


def test_nobody_is_asked_while_what_was_cut_off_before_is_put_right() -> None:
    host = FakeHost(sampler=FakeSampler([GOOD]))
    probing = Probing([host], "/health", 10, FakeClock())

    probing.begin(host)

    assert not host.sampler.all_seen.wait(0.3)


def test_a_rollback_is_probed_too() -> None:
    operator = asked(deployed(V1, V2), GOOD)

    assert operator.rollback().requests == 1


def test_a_run_that_fails_tells_what_the_probe_met_with() -> None:
    host = deployed(V1)
    host.sick.add(V2.digest)
    operator = asked(host, GOOD, LOST, before="ask")

    with pytest.raises(StepFailed):
        operator.deploy(V2)

    assert [(it.requests, it.failed) for it in probed(operator)] == [(2, 1)]
    assert not [event for event in operator.told if isinstance(event, RunEnded)]
    assert host.sampler.closed.wait(10)


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(Unreachable("web-1: sshd refuses another session"), id="no session"),
        pytest.param(OSError("Socket is closed"), id="a socket that was closed"),
    ],
)
def test_a_probe_that_breaks_changes_nothing(trouble: BaseException) -> None:
    operator = asked(deployed(V1), trouble)

    ended = operator.deploy(V2)

    assert ended.changed
    assert (ended.requests, probed(operator)) == (0, [])


def test_a_host_that_answers_the_probe_never_is_not_waited_for() -> None:
    host = deployed(V1)
    operator = Operator(host, probe_rate=10)

    assert operator.deploy(V2).changed
    assert probed(operator) == []


def test_rate_0_and_a_dry_run_ask_nobody() -> None:
    for operator in (Operator(deployed(V1)), Operator(deployed(V1), probe_rate=10, dry_run=True)):
        operator.deploy(V2)
        assert operator.host.sampler.every_s == 0


def test_hosts_of_a_fleet_share_the_rate_and_are_told_of_together() -> None:
    hosts = [FakeHost(f"web-{number}") for number in range(1, 11)]
    for host in hosts:
        host.sampler = FakeSampler([GOOD])
        host.hanging["route"] = lambda host=host: host.sampler.all_seen.wait(10)  # type: ignore[misc]
    operator = Operator(hosts[0], others=tuple(hosts[1:]), probe_rate=10)

    ended = operator.deploy_all(V1)

    assert ended.requests == 10
    assert set(probed(operator)[0].hosts) == {host.name for host in hosts}
    assert {host.sampler.every_s for host in hosts} == {0.2}
