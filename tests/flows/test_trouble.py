"""A step fails, the connection is lost, a signal comes, the command is killed: at every point.

The tables are made from the plans of the scenes and from the changes that those make, so a
new kind of step is in them from the day that it is planned.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import get_args

import pytest

from restoops.errors import (
    Interrupted,
    NeedsAttention,
    Refused,
    RestoopsError,
    StepFailed,
    Unreachable,
)
from restoops.model import Release
from restoops.plan.steps import (
    AwaitHealthy,
    Bake,
    Drain,
    Forget,
    KeepWarm,
    Pull,
    Remove,
    RunProxy,
    SetUp,
    Smoke,
    Start,
    Step,
    Stop,
    Switch,
    Trim,
    Uncover,
    Verify,
)
from restoops.report.events import Event, Recovering, StepBroken, StepStarted
from tests.flows.acting import SCENES, Operator, Scene, deployed
from tests.flows.breakage import Breakage, Died
from tests.flows.fake import FakeHost
from tests.plan.states import BLUE, GREEN, V1, V2, V3, V4, WISHES

CALLS: dict[type[Step], str] = {
    SetUp: "set_up",
    RunProxy: "run_proxy",
    Uncover: "cover",
    Remove: "remove",
    Pull: "pull",
    Start: "start",
    AwaitHealthy: "inspect",
    Smoke: "send",
    Switch: "route",
    Verify: "ask",
    Bake: "traffic",
    Drain: "traffic",
    KeepWarm: "retire_later",
    Stop: "stop",
    Trim: "remove_images",
    Forget: "forget_secrets",
}
"""What each kind of step asks of the host."""


def _points() -> Iterator[object]:
    for scene in SCENES:
        for index, step in enumerate(scene.plan):
            yield pytest.param(scene, index, id=f"{scene.name}, {index}: {type(step).__name__}")


def _changes() -> Iterator[object]:
    for scene in SCENES:
        for number in range(1, scene.count_effects() + 1):
            yield pytest.param(scene, number, id=f"{scene.name}, change {number}")


at_every_step = pytest.mark.parametrize(("scene", "index"), list(_points()))
at_every_change = pytest.mark.parametrize(("scene", "number"), list(_changes()))


def test_every_kind_of_step_is_in_the_tables() -> None:
    assert set(CALLS) == set(get_args(Step))
    assert {type(step) for scene in SCENES for step in scene.plan} == set(CALLS)


def _when_begins(index: int, act: Callable[[], object]) -> Callable[[Event], None]:
    """Return a listener that acts when the step of this number begins, and only then."""
    begun: list[Event] = []

    def listen(event: Event) -> None:
        if isinstance(event, StepStarted):
            begun.append(event)
            if len(begun) == index + 1:
                act()

    return listen


def _is_verified(scene: Scene, index: int) -> bool:
    """Whether the new release stays from this step on, whatever happens: not while it is tried."""
    is_tried = isinstance(scene.plan[index], Bake | Smoke)
    return not is_tried and any(isinstance(step, Verify) for step in scene.plan[:index])


def _assert_nothing_is_left_over(host: FakeHost, serving: Release | None) -> None:
    """What serves is right also after a restart; what else runs there was live once."""
    assert host.serving == serving
    assert (host.state().open_run, host.holder, host.cut) == (None, None, 0)
    assert host.live is host.on_file
    known = {record.run.release for record in host.history if record.made_live}
    assert {container.release for container in host.containers.values()} <= known
    assert {container.status for container in host.containers.values()} <= {"running", "exited"}
    given = {container.secrets for container in host.containers.values()}
    for one in host.sets.values():
        assert one.is_complete
        assert one.id in given or one.digest in host.images


def _assert_as_told(scene: Scene, host: FakeHost, error: RestoopsError) -> None:
    """Status 3 alone may mean that the new release serves."""
    allowed = {scene.before, scene.after} if error.status == 3 else {scene.before}
    assert not host.proxy_runs or host.serving in allowed


@at_every_step
def test_after_a_failed_step_the_right_release_serves(scene: Scene, index: int) -> None:
    operator = scene.open()
    host, step = operator.host, scene.plan[index]
    fault = StepFailed("the disk is full")
    operator.listen = _when_begins(index, lambda: host.failing.update({CALLS[type(step)]: fault}))

    with pytest.raises(RestoopsError, match="the disk is full") as caught:
        scene.act(operator)

    assert [e.step for e in operator.told if isinstance(e, StepBroken)] == [step]
    if _is_verified(scene, index):
        assert isinstance(caught.value, NeedsAttention)
        assert host.serving == scene.after
        Operator(host, scene.wishes).deploy(scene.after)
        _assert_nothing_is_left_over(host, scene.after)
        assert host.history[-1].outcome == "finished"
        return
    assert caught.value is fault
    assert (host.history[-1].outcome, host.history[-1].error) == ("failed", "the disk is full")
    if host.proxy_runs:
        _assert_nothing_is_left_over(host, scene.before)


@at_every_step
def test_a_signal_at_a_step_undoes_the_run_or_finishes_it(scene: Scene, index: int) -> None:
    operator = scene.open()
    host = operator.host
    operator.listen = _when_begins(index, operator.interrupt.ask)

    if index == len(scene.plan) - 1:  # nothing is left to do but to finish
        scene.act(operator)
        _assert_nothing_is_left_over(host, scene.after)
        return
    with pytest.raises(Interrupted) as caught:
        scene.act(operator)

    outcome = host.history[-1].outcome
    after = scene.after if outcome == "finished" else scene.before
    assert outcome in ("finished", "interrupted")
    assert (after.tag if after else "no release is live") in caught.value.message
    assert caught.value.status == 130
    if after:
        _assert_nothing_is_left_over(host, after)


@at_every_change
def test_after_sigkill_the_next_command_puts_all_right(scene: Scene, number: int) -> None:
    operator = scene.open()
    host = operator.host
    host.breakage = Breakage(number, Died(), for_good=True)
    with pytest.raises(Died):
        scene.act(operator)
    host.reconnect()
    assert not host.proxy_runs or host.serving in (scene.before, scene.after)
    was_open = host.state().open_run

    again = Operator(host, scene.wishes)
    again.deploy(scene.after)

    assert any(isinstance(event, Recovering) for event in again.told) is bool(was_open)
    _assert_nothing_is_left_over(host, scene.after)


@pytest.mark.full
@at_every_change
def test_a_command_that_is_killed_while_it_puts_things_right_is_put_right_as_well(
    scene: Scene, number: int
) -> None:
    for second in itertools.count(1):
        operator = scene.open()
        host = operator.host
        host.breakage = Breakage(number, Died(), for_good=True)
        with pytest.raises(Died):
            scene.act(operator)
        host.reconnect()
        was_open = host.state().open_run
        host.breakage = Breakage(len(host.effects) + second, Died(), for_good=True)
        with contextlib.suppress(Died):
            Operator(host, scene.wishes).deploy(scene.after)
            assert second > 1 or not was_open, "it changed nothing: there was no second one"
            break
        host.reconnect()
        assert not host.proxy_runs or host.serving in (scene.before, scene.after)

        Operator(host, scene.wishes).deploy(scene.after)
        _assert_nothing_is_left_over(host, scene.after)


@at_every_change
def test_after_sigkill_another_release_can_be_deployed(scene: Scene, number: int) -> None:
    operator = scene.open()
    host = operator.host
    host.breakage = Breakage(number, Died(), for_good=True)
    with pytest.raises(Died):
        scene.act(operator)
    host.reconnect()

    Operator(host, scene.wishes).deploy(V4)

    _assert_nothing_is_left_over(host, V4)


@at_every_change
def test_after_sigkill_a_rollback_recovers_first(scene: Scene, number: int) -> None:
    operator = scene.open()
    host = operator.host
    host.breakage = Breakage(number, Died(), for_good=True)
    with pytest.raises(Died):
        scene.act(operator)
    host.reconnect()

    serving = host.serving
    with contextlib.suppress(Refused):  # there may be no earlier one
        serving = Operator(host, scene.wishes).rollback().release

    if serving:
        _assert_nothing_is_left_over(host, serving)
    assert host.state().open_run is None


@at_every_change
def test_after_sigkill_and_a_reboot_the_next_deploy_puts_all_right(
    scene: Scene, number: int
) -> None:
    operator = scene.open()
    host = operator.host
    host.breakage = Breakage(number, Died(), for_good=True)
    with pytest.raises(Died):
        scene.act(operator)
    host.reconnect()
    host.restart_proxy()
    assert host.serving in (scene.before, scene.after, None)

    Operator(host, scene.wishes).deploy(scene.after)

    _assert_nothing_is_left_over(host, scene.after)


@at_every_change
def test_a_connection_lost_at_a_change_is_told_and_put_right_later(
    scene: Scene, number: int
) -> None:
    operator = scene.open()
    host = operator.host
    host.breakage = Breakage(number, Unreachable("web-1: connection lost"), for_good=True)

    with pytest.raises(RestoopsError, match="connection lost") as caught:
        scene.act(operator)

    assert caught.value.status in (1, 3, 5)
    _assert_as_told(scene, host, caught.value)
    host.reconnect()
    Operator(host, scene.wishes).deploy(scene.after)
    _assert_nothing_is_left_over(host, scene.after)


@at_every_change
def test_a_change_that_fails_once_never_leaves_a_mess(scene: Scene, number: int) -> None:
    operator = scene.open()
    host = operator.host
    host.breakage = Breakage(number, StepFailed("no space left"))

    with pytest.raises(RestoopsError, match="no space left") as caught:
        scene.act(operator)

    _assert_as_told(scene, host, caught.value)
    Operator(host, scene.wishes).deploy(scene.after)
    _assert_nothing_is_left_over(host, scene.after)


@pytest.mark.parametrize("release", [V3, V1], ids=["a third", "the one that stands in"])
@pytest.mark.parametrize("seen", [True, False], ids=["seen by HAProxy", "not seen yet"])
def test_a_release_that_dies_while_another_is_prepared_keeps_its_cover(
    release: Release, seen: bool
) -> None:
    host = deployed(V1, V2)
    host.images.discard(release.digest)
    if not seen:
        host.overlooked = {GREEN}
    operator = Operator(host, listen=_when(Pull, lambda: host.kill(GREEN)))

    with pytest.raises(StepFailed, match="green is live but does not answer any more; blue stands"):
        operator.deploy(release)

    host.overlooked = set()
    assert host.serving == V1
    assert host.reserve is BLUE
    _assert_nothing_is_left_over(host, V1)
    Operator(host).deploy(V3)
    assert host.serving == V3


def test_a_release_that_dies_before_the_one_before_it_is_stopped_keeps_its_cover() -> None:
    host = deployed(V1)
    cold = replace(WISHES, warm_s=0)
    operator = Operator(host, cold, listen=_when(Drain, lambda: host.kill(GREEN)))

    with pytest.raises(NeedsAttention, match=r"v2 serves, but then: .*blue stands in for it"):
        operator.deploy(V2)

    assert host.serving == V1
    Operator(host, cold).deploy(V3)
    assert host.serving == V3


def _when(kind: type[Step], act: Callable[[], object]) -> Callable[[Event], None]:
    """Do something as a step of a kind begins, once."""
    done: list[object] = []

    def listen(event: Event) -> None:
        if isinstance(event, StepStarted) and isinstance(event.step, kind) and not done:
            done.append(act() or kind)

    return listen
