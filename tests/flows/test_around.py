"""What runs around a swap of several hosts: release command, hooks, deadline."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from restoops.adapters.clock import SystemClock
from restoops.errors import (
    StepFailed,
)
from restoops.flows.hooks import Hooks
from restoops.flows.rollout import Rollout
from restoops.plan.steps import AwaitHealthy, Switch
from restoops.report.events import Output, StepStarted
from tests.flows.crew import SIZE, assert_tidy, fleet
from tests.plan.states import V1, V2

MIGRATE = Rollout(command=("migrate", "--all"))


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


def test_a_rollback_never_runs_the_release_command() -> None:
    operator = fleet(V1, V2, rollout=MIGRATE)

    operator.rollback_all()

    assert all(host.commands == [] for host in operator.hosts)
    assert_tidy(operator, V1)


def test_a_run_that_takes_too_long_is_given_up_and_undone() -> None:
    operator = fleet(V1, rollout=Rollout(deadline_s=0.2, batch="1", pause_s=1e9))
    operator.clock = SystemClock()

    with pytest.raises(StepFailed, match=r"given up after 0\.2 s"):
        operator.deploy_all(V2)

    assert_tidy(operator, V1)


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
