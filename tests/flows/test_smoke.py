"""Smoke checks of a deploy: before the switch nothing moves, after it every host goes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from restoops.config.schema import Settings
from restoops.errors import Interrupted, StepFailed
from restoops.flows.open import wishes
from restoops.flows.rollout import Rollout
from restoops.flows.smoke import put
from restoops.model import Answer, Question, Visit
from restoops.plan.smoke import Check
from restoops.plan.steps import Smoke, Switch, Verify
from restoops.report.events import PublicChecked, PublicChecks, StepBroken, StepEnded
from tests.flows.acting import CHECKS, SMOKED, SMOKED_OUTSIDE, Operator, deployed
from tests.flows.crew import SIZE, assert_tidy, fleet
from tests.plan.states import BLUE, GREEN, V1, V2

BAD = Answer(500, "oh")


@dataclass
class FakeSite:
    """A public address that answers as it is told."""

    url: str = "https://api.example.com"
    before: Answer = field(default_factory=lambda: Answer(200))
    after: Answer = field(default_factory=lambda: Answer(200))
    tls_fault: str = ""
    asked: list[Question] = field(default_factory=list)
    when_asked: Callable[[], object] = lambda: None

    def visit(self, question: Question) -> Visit:
        self.asked.append(question)
        if question.path == "/health":
            return Visit(self.before)
        self.when_asked()
        return Visit(self.after, tls_fault=self.tls_fault)


def checked(operator: Operator) -> list[PublicChecked]:
    return [event for event in operator.told if isinstance(event, PublicChecked)]


def test_the_new_release_is_asked_before_the_switch_and_through_the_proxy_after_it() -> None:
    operator = Operator(deployed(V1), SMOKED, checks=CHECKS)

    operator.deploy(V2)

    names = ("menu", "order")
    steps = operator.told_of(StepEnded)
    switch = steps.index(Switch(GREEN, covered=True))
    assert steps[switch - 1] == Smoke(GREEN, names)
    assert steps[switch + 1 : switch + 3] == [Verify(GREEN), Smoke(GREEN, names, live=True)]
    assert operator.host.serving == V2


def test_a_release_that_fails_before_the_switch_gets_no_traffic() -> None:
    host = deployed(V1)
    host.replies[V2.digest, "ahead"] = BAD
    operator = Operator(host, SMOKED, checks=CHECKS)

    message = (
        "web-1: smoke check 'menu' of green failed: GET /v1/menu: expected status 200, got 500: oh"
    )
    with pytest.raises(StepFailed) as caught:
        operator.deploy(V2)

    assert caught.value.message == message
    assert caught.value.details == "v2 says something"
    assert Switch(GREEN) not in operator.told_of(StepEnded)
    assert (host.serving, set(host.containers)) == (V1, {BLUE})
    assert host.history[-1].outcome == "failed"


def test_a_release_that_fails_after_the_switch_goes_back() -> None:
    host = deployed(V1)
    host.replies[V2.digest, "live"] = BAD
    operator = Operator(host, SMOKED, checks=CHECKS)

    with pytest.raises(StepFailed, match=r"'menu' of green failed.*500"):
        operator.deploy(V2)

    assert operator.told_of(StepBroken) == [Smoke(GREEN, ("menu", "order"), live=True)]
    assert host.serving == V1


def test_the_fault_of_a_database_that_both_need_is_not_the_new_release_s() -> None:
    host = deployed(V1)
    host.replies[V2.digest, "ahead"] = BAD
    host.answers[V1.digest] = [503]

    with pytest.raises(StepFailed, match="the release before answers 503 as well"):
        Operator(host, SMOKED, checks=CHECKS).deploy(V2)


@pytest.mark.parametrize("way", ["ahead", "live"])
@pytest.mark.parametrize("k", range(SIZE))
def test_one_host_that_fails_takes_all_hosts_back(k: int, way: str) -> None:
    operator = replace(fleet(V1), wishes=SMOKED, checks=CHECKS)
    operator.hosts[k].replies[V2.digest, way] = BAD

    with pytest.raises(StepFailed, match="'menu' of green failed"):
        operator.deploy_all(V2)

    assert_tidy(operator, V1)


def test_a_rollback_asks_nothing_that_an_earlier_release_may_not_know() -> None:
    host = deployed(V1, V2)
    for way in ("ahead", "live"):
        host.replies[V1.digest, way] = BAD

    site = FakeSite(after=BAD)
    Operator(host, SMOKED, checks=CHECKS, site=site).rollback()

    assert (host.serving, site.asked) == (V1, [])


def outside(site: FakeSite, rollout: Rollout | None = None) -> Operator:
    operator = fleet(V1, rollout=rollout or Rollout())
    return replace(operator, wishes=SMOKED_OUTSIDE, checks=CHECKS, site=site)


@pytest.mark.parametrize("batch", ["100%", "1"])
def test_the_public_address_is_asked_once_when_all_hosts_have_switched(batch: str) -> None:
    site = FakeSite()
    operator = outside(site, Rollout(batch=batch))
    serving = []
    site.when_asked = lambda: serving.append({host.serving for host in operator.hosts})

    operator.deploy_all(V2)

    assert serving == [{V2}, {V2}]
    assert [(it.result.check, it.result.passed) for it in checked(operator)] == [
        ("menu", True),
        ("order", True),
    ]
    assert_tidy(operator, V2)


def test_a_public_address_that_answers_badly_takes_every_host_back() -> None:
    operator = outside(FakeSite(after=BAD))

    message = (
        "https://api.example.com: smoke check 'menu' failed after the switch: GET /v1/menu: "
        "expected status 200, got 500: oh"
    )
    with pytest.raises(StepFailed) as caught:
        operator.deploy_all(V2)

    assert caught.value.message == message
    assert_tidy(operator, V1)


@pytest.mark.parametrize(
    "site",
    [
        pytest.param(FakeSite(after=Answer(0, "Connection refused")), id="refused"),
        pytest.param(FakeSite(tls_fault="its certificate is not trusted"), id="certificate"),
    ],
)
def test_an_address_that_could_be_reached_before_the_switch_has_to_be_after_it(
    site: FakeSite,
) -> None:
    operator = outside(site)

    with pytest.raises(StepFailed, match="got no answer"):
        operator.deploy_all(V2)

    assert_tidy(operator, V1)


def test_an_address_that_was_not_reached_before_either_is_warned_of_and_not_held_against() -> None:
    away = Answer(0, "Name or service not known")
    operator = outside(FakeSite(before=away, after=away))

    operator.deploy_all(V2)

    assert_tidy(operator, V2)
    assert [bool(it.excuse) for it in checked(operator)] == [True, True]
    assert "Name or service not known" in checked(operator)[0].result.why


def test_a_dry_run_says_what_would_be_asked_and_asks_nothing() -> None:
    site = FakeSite()
    operator = replace(outside(site), dry_run=True)

    operator.deploy_all(V2)

    assert PublicChecks(site.url, ("menu", "order"), dry_run=True) in operator.told
    assert Smoke(GREEN, ("menu", "order")) in operator.steps
    assert site.asked == []


def test_a_release_that_serves_already_is_not_asked_for() -> None:
    site = FakeSite()
    operator = outside(site)

    operator.deploy_all(V1)

    assert site.asked == []


def test_a_signal_while_the_public_address_is_asked_leaves_all_hosts_with_the_new_release() -> None:
    site = FakeSite()
    operator = outside(site)
    site.when_asked = operator.interrupt.ask

    with pytest.raises(Interrupted, match="finished: traffic had moved already; v2 serves"):
        operator.deploy_all(V2)

    assert_tidy(operator, V2)


def test_what_changes_something_is_never_asked_twice() -> None:
    answers = [BAD, Answer(200), Answer(200)]
    pauses: list[float] = []

    def ask(_: Question) -> Answer:
        return answers.pop(0)

    got = [
        put(Check("a", Question("/", method)), ask, 2, pauses.append).passed
        for method in ("GET", "POST")
    ]
    assert (got, len(pauses)) == ([True, True], 1)

    answers[:] = [BAD, Answer(200)]
    assert not put(Check("a", Question("/", "POST")), ask, 2, pauses.append).passed
    assert answers == [Answer(200)]


@pytest.mark.parametrize(
    ("asks_outside", "batches", "live"),
    [
        pytest.param(False, 1, ("menu",), id="no public address"),
        pytest.param(True, 1, (), id="all at once: the public address speaks for them"),
        pytest.param(True, 3, ("menu",), id="in batches: the next waits for what this one says"),
    ],
)
def test_each_host_is_asked_after_its_switch_unless_the_public_address_is_next(
    asks_outside: bool, batches: int, live: tuple[str, ...]
) -> None:
    settings = Settings.model_validate(
        {
            "app": {"name": "menu-api"},
            "image": {"repository": "acme/menu-api"},
            "smoke": {"checks": [{"name": "menu", "path": "/v1/menu"}]},
        }
    )

    made = wishes(settings, asks_outside=asks_outside, batches=batches)

    assert (made.smoke, made.smoke_live) == (("menu",), live)
