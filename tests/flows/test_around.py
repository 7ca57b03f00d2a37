"""What runs around a swap of several hosts: release command, hooks, deadline."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path

import pytest

from restoops.adapters.clock import SystemClock
from restoops.errors import NeedsAttention, StepFailed, Unreachable
from restoops.flows.hooks import Hooks
from restoops.flows.rollout import Rollout
from restoops.plan.bake import Limits
from restoops.plan.fleet import Ending, Policy
from restoops.plan.steps import AwaitHealthy, Switch
from restoops.report.events import Event, Output, StepStarted
from tests.flows.acting import Operator
from tests.flows.crew import SIZE, assert_tidy, fleet, serving
from tests.plan.states import BLUE, V1, V2, WISHES

MIGRATE = Rollout(command=("migrate", "--all"))
DEADLINE_S = 1.0
"""Of runs in real time: hosts are prepared long before it, also on a busy machine."""
LONGER_S = 1.3


def test_the_release_command_runs_once_on_one_host_after_all_are_prepared() -> None:
    operator = fleet(V1, rollout=MIGRATE)

    operator.deploy_all(V2)

    first, *others = operator.hosts
    assert first.commands == [("v2", "migrate", "--all")]
    assert [host.commands for host in others] == [[], [], []]
    assert Output("web-1", "v2 migrates") in operator.told
    assert first.history[-1].output == ("v2 migrates",)
    before = operator.told[: operator.told.index(Output("web-1", "v2 migrates"))]
    steps = [event.step for event in before if isinstance(event, StepStarted)]
    assert sum(isinstance(step, AwaitHealthy) for step in steps) == SIZE
    assert not any(isinstance(step, Switch) for step in steps)


def test_a_release_command_that_fails_stops_the_deploy_with_nothing_switched() -> None:
    operator = fleet(V1, rollout=MIGRATE)
    operator.host.command_status = 3

    with pytest.raises(StepFailed, match="web-1: the release command ended with status 3"):
        operator.deploy_all(V2)

    assert_tidy(operator, V1)


def gone_silent_during_the_command(operator: Operator, k: int) -> None:
    """Let host `k` give no sign of life any more once the release command speaks."""

    def listen(event: Event) -> None:
        if isinstance(event, Output):
            operator.hosts[k].failing["traffic"] = Unreachable(f"web-{k + 1} does not answer")

    operator.listen = listen


@pytest.mark.parametrize("k", range(SIZE))
def test_a_host_that_is_lost_during_the_release_command_means_that_nothing_is_switched(
    k: int,
) -> None:
    operator = fleet(V1, rollout=MIGRATE)
    gone_silent_during_the_command(operator, k)

    with pytest.raises(StepFailed, match=f"web-{k + 1} does not answer"):
        operator.deploy_all(V2)

    assert_tidy(operator, V1)
    steps = [event.step for event in operator.told if isinstance(event, StepStarted)]
    assert {step.to for step in steps if isinstance(step, Switch)} == {BLUE}, "only asserted again"


def test_a_quorum_switches_without_a_host_that_is_lost_during_the_release_command() -> None:
    operator = fleet(V1, rollout=replace(MIGRATE, policy=Policy("quorum", 3)))
    gone_silent_during_the_command(operator, 2)

    with pytest.raises(NeedsAttention, match="hosts differ"):
        operator.deploy_all(V2)

    assert serving(operator) == [V2, V2, V1, V2]


def test_a_rollback_never_runs_the_release_command() -> None:
    operator = fleet(V1, V2, rollout=MIGRATE)

    operator.rollback_all()

    assert all(host.commands == [] for host in operator.hosts)
    assert_tidy(operator, V1)


def timed(rollout: Rollout) -> Operator:
    """An operator in real time, before hosts that are prepared in no time."""
    operator = fleet(V1, rollout=rollout)
    operator.clock = SystemClock()
    operator.health = replace(operator.health, interval_s=0.001)
    return operator


def test_a_run_that_takes_too_long_is_given_up_and_undone() -> None:
    operator = timed(Rollout(deadline_s=DEADLINE_S))
    operator.hosts[-1].sick.add(V2.digest)

    with pytest.raises(StepFailed, match="given up after 1 s"):
        operator.deploy_all(V2)

    assert_tidy(operator, V1)


def test_a_run_that_takes_too_long_between_two_batches_is_undone() -> None:
    operator = timed(Rollout(deadline_s=DEADLINE_S, batch="50%"))
    slow(operator, "web-1")

    with pytest.raises(StepFailed, match=r"given up after 1 s: .* undone; v1 serves"):
        operator.deploy_all(V2)

    assert_tidy(operator, V1)


def slow(operator: Operator, name: str) -> None:
    """Let the switch of a host take longer than a run may."""

    def listen(event: Event) -> None:
        if isinstance(event, StepStarted) and event.host == name and isinstance(event.step, Switch):
            operator.clock.sleep(LONGER_S)

    operator.listen = listen


@pytest.mark.parametrize("wait", ["watching", "draining", "pausing", "switching"])
def test_what_has_no_end_before_the_deadline_is_not_given_up_when_it_serves(wait: str) -> None:
    pause_s = LONGER_S if wait == "pausing" else 0
    batch = "50%" if pause_s else "100%"
    operator = timed(Rollout(deadline_s=DEADLINE_S, batch=batch, pause_s=pause_s))
    match wait:
        case "watching":
            bake = Limits(for_s=LONGER_S, max_error_rate=0.02, min_requests=1)
            operator.wishes = replace(WISHES, bake=bake)
        case "draining":
            operator.host.requests = {BLUE: [1] * 10_000}
            operator.wishes = replace(WISHES, drain_s=LONGER_S)
        case "switching":
            slow(operator, "web-4")
    began = operator.clock.monotonic()

    ended = operator.deploy_all(V2)

    assert operator.clock.monotonic() - began >= LONGER_S
    assert [it.ending for it in ended.hosts] == [Ending.DONE] * SIZE
    assert serving(operator) == [V2] * SIZE


def hook(folder: Path, name: str, status: int = 0) -> Hooks:
    """Hooks of which one writes what it was told into a file."""
    facts = "$RESTOOPS_RUN_TAG $RESTOOPS_RUN_HOSTS $RESTOOPS_RUN_ERROR"
    script = f'echo "{name} {facts}" >>told; exit {status}'
    return Hooks({name: ("sh", "-c", script)}, folder, 10)


def test_hooks_are_told_the_facts_of_the_run(tmp_path: Path) -> None:
    operator = fleet(V1)
    for name in ("pre_deploy", "post_deploy", "on_failure"):
        operator.hooks = hook(tmp_path, name)
        operator.host.failing["route"] = StepFailed("refused")
        with contextlib.suppress(StepFailed):
            operator.deploy_all(V2)
    operator.hooks = hook(tmp_path, "post_deploy")
    operator.deploy_all(V2)

    hosts = "web-1 web-2 web-3 web-4"
    assert (tmp_path / "told").read_text().splitlines() == [
        f"pre_deploy v2 {hosts} ",
        f"on_failure v2 {hosts} refused",
        f"post_deploy v2 {hosts} ",
    ]


def test_a_pre_deploy_hook_that_fails_means_that_nothing_is_changed(tmp_path: Path) -> None:
    operator = fleet(V1)
    operator.hooks = hook(tmp_path, "pre_deploy", status=1)

    with pytest.raises(StepFailed, match="pre_deploy"):
        operator.deploy_all(V2)

    assert all(host.effects == [] for host in operator.hosts)


def test_a_post_deploy_hook_that_fails_is_told_and_changes_nothing(tmp_path: Path) -> None:
    operator = fleet(V1)
    operator.hooks = hook(tmp_path, "post_deploy", status=1)

    operator.deploy_all(V2)

    assert_tidy(operator, V2)
    told = [event for event in operator.told if isinstance(event, Output)]
    assert "does not change the result" in told[-1].line
