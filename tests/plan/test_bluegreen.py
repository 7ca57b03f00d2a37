"""Which steps a swap is made of, in the cases that an operator knows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from restoops.model import HostState, OpenRun, Proxy, Release
from restoops.plan.bluegreen import plan_deploy, plan_rollback
from restoops.plan.recovery import plan_recovery, plan_return
from restoops.plan.steps import (
    AwaitHealthy,
    Drain,
    KeepWarm,
    Pull,
    Remove,
    RunProxy,
    SetUp,
    Start,
    Step,
    Stop,
    Switch,
    Trim,
    Uncover,
    Verify,
)
from tests.plan.states import (
    BLUE,
    GREEN,
    NO_PROXY,
    V1,
    V2,
    V3,
    V4,
    WISHES,
    host,
    proxy,
    record,
    run,
    runs,
)

ONLY_V1 = host(proxy(BLUE, BLUE), runs(BLUE, V1))
PAST = (record(V1), record(V2))
V1_WARM = host(
    proxy(GREEN, BLUE, GREEN, covering=True), runs(BLUE, V1), runs(GREEN, V2), history=PAST
)
V1_COVERS = host(
    proxy(GREEN, BLUE, covering=True),
    runs(BLUE, V1),
    runs(GREEN, V2, status="exited"),
    history=PAST,
)
V1_STOPPED = host(proxy(GREEN, GREEN), runs(BLUE, V1, status="exited"), runs(GREEN, V2))
STALE_PROXY = replace(ONLY_V1, proxy=replace(proxy(BLUE, BLUE), current=False))
PROXY_LEFT = replace(ONLY_V1, proxy=replace(proxy(BLUE, BLUE), leftovers=True))
FULL = host(proxy(BLUE, BLUE), runs(BLUE, V3), images=(V1, V2), history=(*PAST, record(V3)))

UP_GREEN = (AwaitHealthy(GREEN, 60, 2), Switch(GREEN), Verify(GREEN))
UP_BLUE = (AwaitHealthy(BLUE, 60, 2), Switch(BLUE), Verify(BLUE))
COVERED_GREEN = (AwaitHealthy(GREEN, 60, 2), Switch(GREEN, covered=True), Verify(GREEN))
COVERED_BLUE = (AwaitHealthy(BLUE, 60, 2), Switch(BLUE, covered=True), Verify(BLUE))
RETIRE_BLUE = (Drain(BLUE, 30), KeepWarm(BLUE, 600, covers=True))
CLEAR_BLUE = (Uncover(BLUE), Drain(BLUE, 30, stops=True), Remove(BLUE))


@pytest.mark.parametrize(
    ("state", "release", "steps"),
    [
        pytest.param(HostState("web-1"), V1,
                     (SetUp(), RunProxy(), Pull(V1.digest), Uncover(BLUE), Start(BLUE, V1),
                      *UP_BLUE),
                     id="an empty host is set up first"),
        pytest.param(ONLY_V1, V1, (), id="what serves already is left alone"),
        pytest.param(ONLY_V1, V2,
                     (Pull(V2.digest), Uncover(GREEN), Start(GREEN, V2), *COVERED_GREEN,
                      *RETIRE_BLUE),
                     id="a new release is pulled, proven, switched to; the old one stays warm"),
        pytest.param(replace(ONLY_V1, images=frozenset({V1.digest, V2.digest})), V2,
                     (Uncover(GREEN), Start(GREEN, V2), *COVERED_GREEN, *RETIRE_BLUE),
                     id="an image that is there is not pulled"),
        pytest.param(V1_WARM, V3,
                     (Pull(V3.digest), *CLEAR_BLUE, Start(BLUE, V3), *COVERED_BLUE,
                      Drain(GREEN, 30), KeepWarm(GREEN, 600, covers=True)),
                     id="what is warm makes room, after its last request"),
        pytest.param(V1_COVERS, V3,
                     (Switch(BLUE), Pull(V3.digest), Uncover(GREEN), Drain(GREEN, 30),
                      Remove(GREEN), Start(GREEN, V3), *COVERED_GREEN, *RETIRE_BLUE),
                     id="what stands in for a dead release becomes live before its slot is used"),
        pytest.param(V1_COVERS, V1, (Switch(BLUE),),
                     id="deploying what stands in makes it live"),
        pytest.param(V1_WARM, V1,
                     (*CLEAR_BLUE, Start(BLUE, V1), *COVERED_BLUE, Drain(GREEN, 30),
                      KeepWarm(GREEN, 600, covers=True)),
                     id="deploying what is warm starts it anew"),
        pytest.param(STALE_PROXY, V1, (RunProxy(),),
                     id="a proxy of before is replaced though the release serves"),
        pytest.param(STALE_PROXY, V2,
                     (RunProxy(), Pull(V2.digest), Uncover(GREEN), Start(GREEN, V2), *COVERED_GREEN,
                      *RETIRE_BLUE),
                     id="a proxy of before is replaced first"),
        pytest.param(PROXY_LEFT, V1, (RunProxy(),),
                     id="what a proxy that has ended left goes"),
        pytest.param(host(proxy(BLUE, BLUE), runs(BLUE, V1, spec="other")), V1,
                     (Uncover(GREEN), Start(GREEN, V1), *COVERED_GREEN, *RETIRE_BLUE),
                     id="other settings are a swap though the image is the same"),
        pytest.param(host(proxy(BLUE), runs(BLUE, V1, status="exited")), V1,
                     (Uncover(GREEN), Start(GREEN, V1), *UP_GREEN, Drain(BLUE, 30), Stop(BLUE)),
                     id="a dead release is no release that serves, and is not kept warm"),
        pytest.param(FULL, V4,
                     (Pull(V4.digest), Uncover(GREEN), Start(GREEN, V4), *COVERED_GREEN,
                      *RETIRE_BLUE, Trim(frozenset({V1.digest}))),
                     id="the oldest image goes"),
    ],
)  # fmt: skip
def test_a_deploy(state: HostState, release: Release, steps: tuple[Step, ...]) -> None:
    plan = plan_deploy(state, release, WISHES)

    assert plan.steps == steps
    assert plan.release == release


def test_what_is_not_kept_warm_leaves_the_reserve_before_it_is_stopped() -> None:
    plan = plan_deploy(ONLY_V1, V2, replace(WISHES, warm_s=0))

    drain = Drain(BLUE, 30, stops=True)
    assert plan.steps[-4:] == (Verify(GREEN), drain, Uncover(BLUE), Stop(BLUE))


def test_the_phases_of_a_swap_are_its_steps_in_order() -> None:
    plan = plan_deploy(V1_COVERS, V3, WISHES)

    assert plan.prepare + plan.switch + plan.settle == plan.steps
    assert plan.switch == (Switch(GREEN, covered=True), Verify(GREEN))
    assert plan.prepare[0] == Switch(BLUE)


@pytest.mark.parametrize(
    ("state", "release", "steps"),
    [
        pytest.param(V1_WARM, V1,
                     (AwaitHealthy(BLUE, 5, 1), Switch(BLUE), Verify(BLUE), Drain(GREEN, 30),
                      KeepWarm(GREEN, 600, covers=False)),
                     id="to a warm release by a switch alone; what is left does not stand in"),
        pytest.param(V1_WARM, V2, (), id="to what serves: nothing"),
        pytest.param(V1_STOPPED, V1,
                     (Uncover(BLUE), Drain(BLUE, 30), Remove(BLUE), Start(BLUE, V1), *UP_BLUE,
                      Drain(GREEN, 30), KeepWarm(GREEN, 600, covers=False)),
                     id="to a stopped release by starting it anew"),
        pytest.param(FULL, V1,
                     (Uncover(GREEN), Start(GREEN, V1), *UP_GREEN, Drain(BLUE, 30),
                      KeepWarm(BLUE, 600, covers=False)),
                     id="to an image on the host without a pull"),
        pytest.param(replace(FULL, images=frozenset({V3.digest})), V1,
                     (Pull(V1.digest), Uncover(GREEN), Start(GREEN, V1), *UP_GREEN,
                      Drain(BLUE, 30), KeepWarm(BLUE, 600, covers=False)),
                     id="to an image in the registry with a pull"),
        pytest.param(replace(V1_WARM, proxy=replace(proxy(GREEN, BLUE, GREEN), current=False)), V1,
                     (AwaitHealthy(BLUE, 5, 1), Switch(BLUE), Verify(BLUE), Drain(GREEN, 30),
                      KeepWarm(GREEN, 600, covers=False)),
                     id="past a proxy of before, which is left alone"),
        pytest.param(replace(V1_WARM, proxy=replace(proxy(GREEN, BLUE, GREEN), leftovers=True)), V1,
                     (AwaitHealthy(BLUE, 5, 1), Switch(BLUE), Verify(BLUE), Drain(GREEN, 30),
                      KeepWarm(GREEN, 600, covers=False)),
                     id="past what a proxy that has ended left"),
        pytest.param(V1_COVERS, V1, (Switch(BLUE),), id="to what stands in already"),
        pytest.param(host(proxy(GREEN, GREEN), runs(BLUE, V1), runs(GREEN, V2)), V1,
                     (*CLEAR_BLUE, Start(BLUE, V1), *UP_BLUE, Drain(GREEN, 30),
                      KeepWarm(GREEN, 600, covers=False)),
                     id="to a warm release that is not healthy by starting it anew"),
    ],
)  # fmt: skip
def test_a_rollback(state: HostState, release: Release, steps: tuple[Step, ...]) -> None:
    assert plan_rollback(state, release, WISHES).steps == steps


def test_a_plan_says_whether_it_starts_what_it_makes_live() -> None:
    assert plan_deploy(ONLY_V1, V2, WISHES).starts_new
    assert plan_rollback(V1_STOPPED, V1, WISHES).starts_new
    assert not plan_rollback(V1_WARM, V1, WISHES).starts_new


UNDO_GREEN = (Switch(BLUE), Uncover(GREEN), Drain(GREEN, 30, stops=True), Remove(GREEN))
SWITCHED = host(proxy(GREEN, BLUE, GREEN), runs(BLUE, V1), runs(GREEN, V2))
NOT_YET = replace(SWITCHED, proxy=proxy(BLUE, BLUE, GREEN))


@pytest.mark.parametrize(
    ("cut_off", "state", "steps"),
    [
        pytest.param(run(V2), NOT_YET, UNDO_GREEN, id="a deploy before the switch is undone"),
        pytest.param(run(V2), SWITCHED, (Switch(GREEN), *RETIRE_BLUE),
                     id="a deploy after the switch is finished"),
        pytest.param(run(V2, "rollback"), SWITCHED,
                     (Switch(GREEN), Drain(BLUE, 30), KeepWarm(BLUE, 600, covers=False)),
                     id="after a rollback what was left does not stand in"),
        pytest.param(run(V2, going_back=True), SWITCHED, UNDO_GREEN,
                     id="a run that was going back goes back, though its release serves"),
        pytest.param(run(V2, "rollback", started_new=False), NOT_YET,
                     (Switch(BLUE), Drain(GREEN, 30)),
                     id="a warm release that was not switched to stays warm"),
        pytest.param(run(V3), replace(SWITCHED, proxy=proxy(BLUE, GREEN, covering=True)),
                     (Switch(BLUE, covered=True),),
                     id="what stands in for one that died meanwhile goes on standing in"),
        pytest.param(replace(run(V3), was_covered=True), NOT_YET,
                     (Switch(BLUE, covered=True), KeepWarm(GREEN, 600, covers=True)),
                     id="what was in reserve is put back there at once"),
        pytest.param(run(V1, old=None, new=BLUE), host(proxy(None), runs(BLUE, V1)),
                     (Switch(None), Remove(BLUE), Trim(frozenset({V1.digest}))),
                     id="a first deploy before the switch leaves nothing"),
        pytest.param(run(V1, old=None, new=BLUE), HostState("web-1"),
                     (Switch(None), Remove(BLUE)),
                     id="a first deploy cut off at once needs no proxy to be undone"),
        pytest.param(run(V1, old=None, new=BLUE), ONLY_V1, (Switch(BLUE),),
                     id="a first deploy after the switch is finished"),
        pytest.param(run(V2), replace(NOT_YET, proxy=replace(NO_PROXY, live=BLUE)),
                     (RunProxy(), *UNDO_GREEN),
                     id="a proxy that died meanwhile is started first"),
    ],
)  # fmt: skip
def test_recovery(cut_off: OpenRun, state: HostState, steps: tuple[Step, ...]) -> None:
    found = plan_recovery(cut_off, state, WISHES)

    assert tuple(s for s in found if not isinstance(s, Trim)) == tuple(
        s for s in steps if not isinstance(s, Trim)
    )


@pytest.mark.parametrize(
    ("cut_off", "state", "keeps"),
    [
        pytest.param(run(V2), NOT_YET, True, id="undone before the switch"),
        pytest.param(run(V2), SWITCHED, True, id="finished after the switch"),
        pytest.param(run(V2, going_back=True), SWITCHED, False, id="undone after the switch"),
        pytest.param(run(V1, old=None, new=BLUE), host(proxy(None), runs(BLUE, V1)), True,
                     id="a first deploy undone before the switch"),
        pytest.param(run(V1, old=None, new=BLUE, going_back=True), ONLY_V1, False,
                     id="a first deploy undone after the switch"),
    ],
)  # fmt: skip
def test_putting_right_tells_a_switch_that_moves_traffic_from_one_that_does_not(
    cut_off: OpenRun, state: HostState, keeps: bool
) -> None:
    found = [step for step in plan_recovery(cut_off, state, WISHES) if isinstance(step, Switch)]

    assert [step.keeps for step in found] == [keeps]


def test_going_back_removes_the_image_that_never_served() -> None:
    state = replace(NOT_YET, history=(record(V1),), open_run=run(V2))

    assert plan_return(run(V2), state, WISHES) == (*UNDO_GREEN, Trim(frozenset({V2.digest})))


def test_a_proxy_that_is_not_there_serves_nobody() -> None:
    state = HostState("web-1", proxy=Proxy(running=False, current=False, live=None, on_file=None))

    assert (state.live, state.answering, state.serving) == (None, None, None)
