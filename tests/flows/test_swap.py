"""Deploys and rollbacks in which nothing goes wrong, and those that are refused."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from restoops.adapters.connection import Holder
from restoops.errors import Locked, Refused, Unreachable
from restoops.model import Color, Digest
from restoops.plan.steps import AwaitHealthy, Drain, Smoke, Step, Switch, Verify
from restoops.report.events import Preempting, StepEnded, Waiting
from tests.flows.acting import SCENES, Operator, Scene, deployed
from tests.flows.fake import FakeHost
from tests.plan.states import BLUE, GREEN, V1, V2, V3, V4

scenes = pytest.mark.parametrize("scene", [pytest.param(it, id=it.name) for it in SCENES])


def test_the_scenes_hold_every_kind_of_step() -> None:
    assert {type(step) for scene in SCENES for step in scene.plan} == set(get_args(Step))


@scenes
def test_what_is_asked_for_serves_in_the_end(scene: Scene) -> None:
    operator = scene.open()

    scene.act(operator)

    host = operator.host
    assert host.serving == scene.after
    assert (host.run, host.holder, host.cut) == (None, None, 0)
    assert host.live is host.on_file
    assert host.history[-1].outcome == "done"
    assert [timing.step for timing in host.history[-1].log] == [
        type(step).__name__ for step in scene.plan
    ]


@scenes
def test_what_ends_says_what_it_did(scene: Scene) -> None:
    operator = scene.open()

    scene.act(operator)

    assert operator.ended.release == scene.after
    assert operator.ended.changed
    assert operator.told_of(StepEnded) == list(operator.steps)


@scenes
def test_a_dry_run_only_looks(scene: Scene) -> None:
    operator = replace(scene.open(), dry_run=True)
    before = operator.host.state()

    scene.act(operator)

    assert operator.host.effects == []
    assert operator.host.calls == ["observe"]
    assert operator.host.state() == before
    assert operator.ended.dry_run
    assert not operator.ended.changed


@scenes
def test_the_same_again_moves_nothing(scene: Scene) -> None:
    operator = scene.open()
    scene.act(operator)
    operator.host.effects.clear()

    again = Operator(operator.host, scene.wishes)
    again.deploy(scene.after)

    assert not again.ended.changed
    assert again.ended.previous is None
    assert operator.host.serving == scene.after
    assert [record.outcome for record in operator.host.history][-1] == "done"


def test_the_same_release_with_other_settings_is_swapped() -> None:
    host = deployed(V1)
    host.spec = "other"

    operator = Operator(host)
    operator.wishes = replace(operator.wishes, spec="other")
    operator.deploy(V1)

    assert operator.ended.changed
    assert host.containers[GREEN].spec == "other"
    assert host.live is GREEN


def test_a_warm_rollback_starts_and_pulls_nothing() -> None:
    host = deployed(V1, V2)
    host.calls.clear()

    Operator(host).rollback()

    assert host.serving == V1
    assert not {"pull", "start", "remove", "stop", "run_proxy", "set_up"} & set(host.calls)


def test_a_warm_release_that_was_left_does_not_stand_in() -> None:
    host = deployed(V1, V2)
    Operator(host).rollback()
    assert not host.state().proxy.covering  # type: ignore[union-attr]  # there is one

    host.kill(BLUE)

    assert host.serving is None


def test_a_warm_release_stands_in_for_one_that_dies() -> None:
    host = deployed(V1, V2)

    host.kill(GREEN)

    assert host.serving == V1


def test_rolling_back_twice_does_not_go_to_and_fro() -> None:
    host = deployed(V1, V2, V3)
    Operator(host).rollback()
    Operator(host).rollback()

    assert host.serving == V1


def test_the_proxy_restarted_after_any_run_serves_the_same() -> None:
    for scene in SCENES:
        operator = scene.open()
        scene.act(operator)
        operator.host.restart_proxy()
        assert operator.host.serving == scene.after


@pytest.mark.parametrize(
    ("host", "tag", "message", "hint"),
    [
        pytest.param(FakeHost(), None, "no earlier release", "Nothing was deployed",
                     id="nothing was ever deployed"),
        pytest.param(deployed(V1), None, "no earlier release", "Known releases: v1.",
                     id="there is only one release"),
        pytest.param(deployed(V1, V2), "v9", "v9 never was live here",
                     "Known releases: v2, v1.", id="an unknown release lists the known ones"),
    ],
)  # fmt: skip
def test_a_rollback_to_nothing_is_refused(
    host: FakeHost, tag: str | None, message: str, hint: str
) -> None:
    before = host.state()

    with pytest.raises(Refused, match=message) as caught:
        Operator(host).rollback(tag)

    assert hint in caught.value.hint
    assert host.state() == before
    assert host.holder is None


def test_a_rollback_to_an_image_that_is_gone_is_refused() -> None:
    host = deployed(V1, V2, V3)
    host.images.discard(V1.digest)
    host.gone.add(V1.digest)
    before = host.state()

    with pytest.raises(Refused, match="v1 is gone"):
        Operator(host).rollback("v1")

    assert host.state() == before


def test_a_registry_that_cannot_be_asked_does_not_make_an_image_gone() -> None:
    host = deployed(V1, V2, V3)
    host.images.discard(V1.digest)
    before = host.state()

    def silent(_: Digest) -> bool:
        raise Unreachable("registry.example.com does not answer", hint="Is it up?")

    with pytest.raises(Unreachable, match=r"v1 is not on the host.*could not be asked") as caught:
        Operator(host, can_pull=silent).rollback("v1")

    assert "registry.example.com does not answer" in caught.value.message
    assert caught.value.hint.startswith("Is it up?")
    assert host.state() == before


def test_a_warm_release_needs_no_registry() -> None:
    host = deployed(V1, V2)
    host.gone.add(V1.digest)
    host.images.discard(V1.digest)

    Operator(host).rollback("v1")

    assert host.serving == V1


def test_images_that_no_rollback_needs_are_removed() -> None:
    host = deployed(V1, V2, V3, V4)

    assert host.images == {V2.digest, V3.digest, V4.digest}


def test_nothing_runs_on_the_old_one_before_it_is_stopped() -> None:
    host = deployed(V1, V2)
    host.requests = {BLUE: [1, 0, 2, 0, 0], GREEN: [1, 0, 2, 0, 0]}

    Operator(host).deploy(V3)

    assert host.cut == 0
    assert host.requests == {BLUE: [], GREEN: []}


def test_who_holds_the_lock_is_told() -> None:
    host = deployed(V1)
    host.lock(_holder("olga"), wait_s=0, on_wait=lambda _: None)  # and never given back

    operator = Operator(host)

    with pytest.raises(Locked, match="olga from laptop") as caught:
        operator.deploy(V2)
    assert host.serving == V1
    assert operator.told == []  # it does not wait
    assert caught.value.hint == (
        "Wait. In an incident `restoops rollback staging --preempt` ends it and goes first."
    )


def test_who_waits_for_the_lock_is_told_for_whom_and_goes_second() -> None:
    host = deployed(V1)
    host.lock(_holder("olga"), wait_s=0, on_wait=lambda _: None)

    operator = Operator(host, wait_s=600)
    operator.deploy(V2)

    assert operator.told[0] == Waiting("web-1", str(_holder("olga")))
    assert host.serving == V2


@pytest.mark.parametrize("wait_s", [0, 600])
def test_who_pre_empts_is_told_whose_run_is_ended_and_waits_for_nobody(wait_s: int) -> None:
    host = deployed(V1, V2)
    host.lock(_holder("olga"), wait_s=0, on_wait=lambda _: None)
    operator = Operator(host, preempts=True, wait_s=wait_s)

    operator.rollback()

    assert operator.told[0] == Preempting("web-1", str(_holder("olga")))
    assert not any(isinstance(event, Waiting) for event in operator.told)
    assert host.serving == V1


@scenes
def test_traffic_moves_only_to_what_was_seen_healthy_and_is_verified_next(scene: Scene) -> None:
    steps = scene.plan
    moved = [i for i, it in enumerate(steps) if isinstance(it, Switch) and it.to is _new(steps)]

    before = [it for it in steps[: moved[-1]] if not isinstance(it, Smoke)]
    assert isinstance(before[-1], AwaitHealthy)
    assert steps[moved[-1] + 1] == Verify(_new(steps))
    assert not any(isinstance(step, Drain) for step in steps[moved[-1] : moved[-1] + 2])


def _new(steps: tuple[Step, ...]) -> Color:
    return next(step.color for step in steps if isinstance(step, AwaitHealthy))


def _holder(who: str) -> Holder:
    return Holder(who, "laptop", "restoops deploy v2 staging", "2026-01-02T03:04:05.000Z")
