"""What a deploy and a rollback do with secrets, on a host in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from restoops.errors import Interrupted, StepFailed, Unreachable
from restoops.flows.interrupt import Interrupt
from restoops.flows.secrets_current import Current
from restoops.flows.secrets_hosts import HostSink
from restoops.flows.secrets_push import push
from restoops.handover import SecretSet
from restoops.model import HostState, Placed, Secret, Value
from restoops.plan.secret_push import Act, Move
from tests.flows.acting import SECRETS, Operator, handing
from tests.flows.fake import FakeHost
from tests.plan.states import SPEC, V1, V2, V3

NEW = replace(SECRETS, spec=f"{SPEC}+new")


def given(host: FakeHost) -> str:
    """The fingerprint of what the serving release was given."""
    serving = host.state().serving
    assert serving
    return host.sets[serving.secrets].spec


def test_new_secrets_are_given_to_what_serves_by_a_deploy_of_the_same_release() -> None:
    host = handing(V1, V2)
    host.secrets = "new"

    assert Operator(host, NEW).deploy(V2).changed
    assert (given(host), host.serving) == ("new", V2)
    assert not Operator(host, NEW).deploy(V2).changed


def test_a_failing_deploy_of_the_release_that_serves_leaves_its_own_secrets_to_go_back_to() -> None:
    host = handing(V1, V2)
    before = dict(host.sets)
    host.secrets = "broken"
    host.failing["ask"] = StepFailed("does not start with these")

    with pytest.raises(StepFailed):
        Operator(host, replace(NEW, spec=f"{SPEC}+broken")).deploy(V2)

    assert host.sets.items() <= before.items()
    assert given(host) == "now"


def test_a_warm_rollback_touches_no_secrets() -> None:
    host = handing(V1, V2)
    host.secrets, before = "new", dict(host.sets)

    Operator(host, NEW).rollback()

    assert (given(host), host.sets) == ("now", before)


def test_a_cold_rollback_takes_those_of_the_release_and_else_those_of_today() -> None:
    host, other = handing(V1, V2, V3), handing(V1, V2, V3)
    host.secrets = other.secrets = "new"
    gone = next(one.id for one in other.sets.values() if one.digest == V1.digest)
    del other.sets[gone]

    Operator(host, NEW).rollback("v1")
    Operator(other, NEW).rollback("v1")

    assert (given(host), given(other)) == ("now", "new")


def test_without_a_section_for_secrets_nothing_is_given() -> None:
    host = handing()
    host.secrets = ""

    Operator(host).deploy(V1)

    assert host.sets == {}
    assert "forget_secrets" not in host.calls


class Place:
    """A host that only keeps secrets."""

    def __init__(self, name: str, **placed: str) -> None:
        self.name = name
        self.lost: Unreachable | None = None
        self._set = SecretSet("v1-r", V1.digest, "r", "t", "s", True)
        self.placed = {it: Placed(value, "before") for it, value in placed.items()}

    def observe(self) -> HostState:
        if self.lost:
            raise self.lost
        return HostState(self.name, secrets=(replace(self._set, placed=self.placed),))

    def put_secrets(self, values: Mapping[str, Value]) -> None:
        self.placed |= {name: Placed(it.fingerprint, "now") for name, it in values.items()}


def current(**values: str) -> Current:
    found = {name: Value(Secret("x"), value) for name, value in values.items()}
    return Current("staging", "a file", found)


def test_only_what_is_not_current_is_put() -> None:
    web = Place("web-1", A="f1", B="f0")

    pushed, error = push(current(A="f1", B="f2", C="f3"), [HostSink(web)], dry_run=False)

    assert error is None
    assert pushed.sinks[0].moves == (
        Move("A", Act.KEEP, "before"), Move("B", Act.REPLACE, "before"), Move("C", Act.LATER),
    )  # fmt: skip
    assert pushed.sinks[0].note
    assert web.placed == {"A": Placed("f1", "before"), "B": Placed("f2", "now")}


def test_a_dry_run_puts_nothing() -> None:
    web = Place("web-1", A="f0")

    pushed, _ = push(current(A="f1"), [HostSink(web)], dry_run=True)

    assert pushed.sinks[0].changes == ("A",)
    assert web.placed == {"A": Placed("f0", "before")}


def test_a_signal_ends_a_push_between_two_places_and_what_was_done_is_told() -> None:
    interrupt = Interrupt()

    class Asking(Place):
        def put_secrets(self, values: Mapping[str, Value]) -> None:
            super().put_secrets(values)
            interrupt.ask()

    first, second = Asking("web-1", A="f0"), Place("web-2", A="f0")

    pushed, error = push(
        current(A="f1"), [HostSink(first), HostSink(second)], dry_run=False, interrupt=interrupt
    )

    assert isinstance(error, Interrupted)
    assert "what was put before stays" in error.message
    assert [bool(it.error) for it in pushed.sinks] == [False, True]
    assert second.placed["A"].fingerprint == "f0"


def test_a_place_that_is_lost_keeps_nothing_from_the_others() -> None:
    lost, web = Place("web-1", A="f0"), Place("web-2", A="f0")
    lost.lost = Unreachable("web-1: connection lost")

    pushed, error = push(current(A="f1"), [HostSink(lost), HostSink(web)], dry_run=False)

    assert error is lost.lost
    assert [it.error for it in pushed.sinks] == ["web-1: connection lost", ""]
    assert web.placed["A"].fingerprint == "f1"
