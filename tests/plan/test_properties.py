"""What holds for every plan, whatever state the host is in."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from restoops.model import Color, Digest, HostState, OpenRun, Record, Release
from restoops.plan.bluegreen import SwapPlan, Wishes, plan_deploy, plan_rollback
from restoops.plan.fleet import release_before
from restoops.plan.recovery import has_switched, plan_recovery, plan_return
from restoops.plan.retention import images_to_remove, past_releases
from restoops.plan.rollback import candidates, find
from restoops.plan.status import status_of
from restoops.plan.steps import (
    AwaitHealthy,
    Drain,
    KeepWarm,
    Pull,
    Remove,
    Start,
    Step,
    Stop,
    Switch,
    Trim,
    Uncover,
    Verify,
)
from tests.plan.strategies import histories, many, releases, runs, states, wishes

plans = st.builds(
    lambda plan, state, release, asked: (state, plan(state, release, asked)),
    st.sampled_from([plan_deploy, plan_rollback]),
    states(),
    releases,
    wishes,
)
State = tuple[HostState, SwapPlan]


def _touched(step: Step) -> Color | None:
    return step.color if isinstance(step, Remove | Stop | Start) else None


@given(plans)
@many
def test_what_answers_is_never_touched_before_traffic_has_left_it(case: State) -> None:
    state, plan = case
    live = state.answering
    for step in plan.steps:
        assert live is None or _touched(step) is not live, f"{step} while {live} answers"
        live = step.to if isinstance(step, Switch) else live


@given(plans)
@many
def test_traffic_goes_only_to_what_answers_or_was_seen_healthy(case: State) -> None:
    state, plan = case
    proven: set[Color | None] = {state.answering}
    for step in plan.steps:
        match step:
            case AwaitHealthy(color):
                proven.add(color)
            case Start(color) | Remove(color) | Stop(color):
                proven.discard(color)
            case Switch(to):
                assert to in proven


@given(plans)
@many
def test_a_slot_is_drained_before_it_is_stopped_removed_or_kept(case: State) -> None:
    state, plan = case
    idle = {color for color in Color if color not in state.containers}
    for step in plan.steps:
        match step:
            case Drain(color):
                idle.add(color)
            case Stop(color) | Remove(color) | KeepWarm(color):
                assert color in idle
            case Switch(to):
                idle.discard(to or Color.BLUE)


@given(plans)
@many
def test_an_unproven_release_is_out_of_reserve_before_it_starts(case: State) -> None:
    _, plan = case
    for number, step in enumerate(plan.steps):
        if isinstance(step, Start):
            assert Uncover(step.color) in plan.steps[:number]


@given(plans)
@many
def test_a_plan_that_moves_traffic_ends_with_its_release_verified(case: State) -> None:
    state, plan = case
    moved = [step.to for step in plan.steps if isinstance(step, Switch)]
    if plan.old is plan.new:
        assert moved in ([], [state.answering])
    else:
        assert moved[-1] is plan.new
        assert plan.switch[1:] == (Verify(plan.new),)
        assert plan.starts_new is (Start(plan.new, plan.release) in plan.steps)


@given(plans)
@many
def test_an_image_is_there_when_it_is_started(case: State) -> None:
    state, plan = case
    here = set(state.images)
    for step in plan.steps:
        match step:
            case Pull(digest):
                here.add(digest)
            case Start(_, release):
                assert release.digest in here
            case Trim(digests):
                assert plan.release.digest not in digests
                here -= digests


@given(plans, wishes)
@many
def test_deploying_what_serves_with_the_same_settings_moves_nothing(
    case: State, asked: Wishes
) -> None:
    state, _ = case
    serving = state.serving
    if serving is None or not serving.is_running or serving.spec != asked.spec:
        return

    plan = plan_deploy(state, serving.release, asked)

    assert plan.old is plan.new
    assert not any(isinstance(step, Start | Stop | Remove | Pull | Drain) for step in plan.steps)
    proxy = state.proxy
    if state.ready and proxy and proxy.running and proxy.current and proxy.live is state.answering:
        assert plan.steps == ()


@given(runs, states(), wishes)
@many
def test_recovery_never_touches_what_answers_before_traffic_has_left_it(
    cut_off: OpenRun, state: HostState, asked: Wishes
) -> None:
    if cut_off.old is cut_off.new:
        return
    live = state.answering
    for step in plan_recovery(cut_off, state, asked):
        assert live is None or _touched(step) is not live
        live = step.to if isinstance(step, Switch) else live


@given(runs, states(), wishes)
@many
def test_recovery_says_where_traffic_goes_once_and_before_all_else_that_it_does(
    cut_off: OpenRun, state: HostState, asked: Wishes
) -> None:
    steps = plan_recovery(cut_off, state, asked)
    switches = [step for step in steps if isinstance(step, Switch)]

    finishes = has_switched(cut_off, state) and not cut_off.going_back
    assert [step.to for step in switches] == [cut_off.new if finishes else cut_off.old]
    before = steps[: steps.index(switches[0])]
    assert not any(isinstance(step, Remove | Stop | Drain | Uncover | Trim) for step in before)


@given(runs, states(), wishes)
@many
def test_going_back_removes_only_what_the_run_started(
    cut_off: OpenRun, state: HostState, asked: Wishes
) -> None:
    removed = [s.color for s in plan_return(cut_off, state, asked) if isinstance(s, Remove)]

    found = state.containers.get(cut_off.new)
    is_from_before = found is not None and found.release != cut_off.release
    # Still in reserve: the run had not come so far as to take it out and replace it.
    stands_by = state.proxy is not None and state.proxy.covering and state.live is cut_off.old
    is_ours = cut_off.started_new and not is_from_before and not (stands_by and cut_off.old)
    assert removed == ([cut_off.new] if is_ours else [])


@given(states(), st.integers(1, 5))
@many
def test_retention_keeps_what_runs_and_the_newest(state: HostState, keep: int) -> None:
    used = frozenset(container.release.digest for container in state.containers.values())

    removed = images_to_remove(state, keep, used=used)

    assert removed <= state.images - used
    past = [record.run.release.digest for record in past_releases(state.history)]
    kept = [digest for digest in past if digest in state.images - removed]
    unused = [digest for digest in past if digest not in used]
    assert not removed & set(unused[: max(0, keep - len(used))])
    assert len(set(kept) - used) <= max(0, keep - len(used))
    if state.serving:
        assert state.serving.release.digest not in removed


@given(states())
@many
def test_the_last_good_release_was_live_and_is_not_what_serves(state: HostState) -> None:
    found = release_before([state])
    if found is None:
        return

    assert found in [record.run.release for record in state.history if record.made_live]
    assert state.serving is None or found.digest != state.serving.release.digest


@given(histories, releases)
@many
def test_a_release_is_found_by_tag_and_digest_if_and_only_if_it_was_live(
    history: tuple[Record, ...], wanted: Release
) -> None:
    live = [record.run.release for record in history if record.made_live]
    tags, digests = {it.tag for it in live}, {it.digest for it in live}

    by_tag, by_digest = find(history, wanted.tag), find(history, wanted.digest.short)
    assert by_tag.tag == wanted.tag if by_tag else wanted.tag not in tags
    assert by_digest.digest == wanted.digest if by_digest else wanted.digest not in digests


@given(states(), st.none() | st.booleans())
@many
def test_every_past_release_is_a_candidate_once(state: HostState, known: bool | None) -> None:
    found = candidates(state, lambda _: known)

    digests = [candidate.release.digest for candidate in found]
    assert len(digests) == len(set(digests))
    assert set(digests) == {r.run.release.digest for r in state.history if r.made_live}


@given(states())
@many
def test_the_status_of_any_host_can_be_told(state: HostState) -> None:
    status = status_of(state)

    assert status.host == state.host
    assert status.serving is None or status.serving.color is state.answering
    assert status.warm is None or status.warm.color is not state.answering


@given(states(), st.integers(1, 5))
@many
def test_an_image_that_no_run_was_about_is_never_removed(state: HostState, keep: int) -> None:
    """Another application may be made from the same repository."""
    of_another = Digest(f"sha256:{'f' * 64}")

    removed = images_to_remove(
        replace(state, images=state.images | {of_another}), keep, used=frozenset()
    )

    assert of_another not in removed
