"""SIGKILL of a run on four droplets at each step: the next command brings all hosts together."""

from __future__ import annotations

import signal

import pytest

from tests.e2e.fleets import once, serving, unnoticed
from tests.e2e.inside import assert_at_rest
from tests.e2e.running import Event, Running, is_step, planned
from tests.e2e.table import steps_of
from tests.lab.images import App
from tests.lab.operator import Operator
from tests.lab.releases import Releases

pytestmark = pytest.mark.lab

QUICK = {("deploy", "await_healthy", "step_started"), ("deploy", "switch", "step_started")}
MOMENTS = [
    pytest.param(
        which, step, event, marks=() if (which, step, event) in QUICK else pytest.mark.full
    )
    for which in ("deploy", "warm rollback")
    for step in dict.fromkeys(steps_of(which))
    for event in ("step_started", "step_ended")
]


@pytest.fixture(autouse=True)
def two_releases(fleet: Operator, releases: Releases, processes: None) -> None:  # noqa: ARG001
    """`second` serves, `first` is warm, and the next deploy has an image to remove."""
    fleet.settings["image"]["keep"] = 2
    for release in ("zeroth", "first", "second"):
        fleet.deploy(releases.push(App(release)).tag, "--wait", "30")


@pytest.mark.parametrize("processes", [2, pytest.param(1, marks=pytest.mark.full)], indirect=True)
@pytest.mark.parametrize(("which", "step", "event"), MOMENTS)
def test_after_sigkill_the_next_command_brings_all_hosts_together(
    fleet: Operator, releases: Releases, which: str, step: str, event: str
) -> None:
    fresh = releases.push(App(f"{step}-{event}")).tag
    rollback = ["rollback", "sha-first", "staging", "--yes", "--json"]
    arguments = ["deploy", fresh, "staging", "--json"] if which == "deploy" else rollback

    def is_moment(told: Event) -> bool:
        return is_step(told, event, step)

    killed = False

    def kill() -> None:
        nonlocal killed
        killed = True
        run.signal(signal.SIGKILL)

    with unnoticed(fleet):
        with Running(fleet.start(*arguments), once(is_moment, kill)) as run:
            outcome = run.finish()
        assert killed, outcome
        assert step in planned(outcome)
        fleet.deploy(releases.push(App("after")).tag, "--wait", "30")

    assert serving(fleet) == ["after"] * 4
    for droplet in fleet.droplets:
        assert_at_rest(droplet)
