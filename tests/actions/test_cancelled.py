"""Who cancels a job that deploys to a fleet under load: no request is lost, and the hosts agree."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator

import pytest

from tests.actions.job import cancel, kill
from tests.actions.stage import Stage, deploy, staged
from tests.e2e.fleets import serving, unnoticed
from tests.e2e.inside import assert_at_rest, look
from tests.lab.images import App
from tests.lab.operator import Operator
from tests.lab.patience import eventually
from tests.lab.registry import Registry
from tests.lab.releases import Releases

pytestmark = pytest.mark.lab

AS_IT_BEGINS, AS_IT_IS_AWAITED, AT_THE_SWITCH = "::group::", "start sha-", "switch traffic to"


@pytest.fixture(scope="module")
def stage(
    tmp_path_factory: pytest.TempPathFactory,
    registry: Registry,
    releases: Releases,
    pair: Operator,
) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("github"), pair, registry, releases) as made:
        yield made


def serving_tags(fleet: Operator) -> list[str]:
    """Return the tag that HAProxy sends requests to on each host, where each is one that runs."""
    tags = [f"sha-{release}" for release in serving(fleet)]
    for tag, droplet in zip(tags, fleet.droplets, strict=True):
        slots = look(droplet).slots.values()
        assert tag in {it.tag for it in slots if it.state == "running"}
    return tags


def taking_long(moment: str) -> App | None:
    """Return a release that is not healthy, and not switched to, before it is cancelled."""
    return App("abcdef2", mode="slow-start") if moment == AS_IT_IS_AWAITED else None


def agreed(fleet: Operator) -> str:
    """Return the tag that serves on all hosts, and that their files name; they are at rest."""
    on_file = {assert_at_rest(droplet).live_tag for droplet in fleet.droplets}
    (tag,) = {*serving_tags(fleet), *on_file}
    return tag


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(AS_IT_BEGINS, id="as it begins", marks=pytest.mark.full),
        pytest.param(AS_IT_IS_AWAITED, id="while it is awaited", marks=pytest.mark.full),
        pytest.param(AT_THE_SWITCH, id="at the switch"),
    ],
)
def test_a_job_that_is_cancelled_leaves_the_fleet_healthy(
    stage: Stage, pair: Operator, moment: str
) -> None:
    before = deploy(stage).outputs["release"]
    with unnoticed(pair):
        done = deploy(
            stage, taking_long(moment), lambda name, log: name == "Deploy" and moment in log
        )

        assert done.result == "cancelled"
        assert done.step("Roll back").outcome == "skipped"
        assert agreed(pair) in (before, done.step("Deploy").outputs["release"])
        ended = stage.github.deployments[-1]["statuses"][-1]["state"]
        assert ended in ("inactive", "success", "failure")
        after = deploy(stage)
        assert after.result == "success", after
        assert agreed(pair) == after.outputs["release"]


def hung(process: subprocess.Popen[bytes]) -> None:
    """Cancel a step that does not end: SIGINT, SIGTERM after 7.5 s, SIGKILL after 10 s."""
    process.send_signal(signal.SIGSTOP)
    cancel(process)


@pytest.mark.full
@pytest.mark.parametrize(
    ("moment", "ends"),
    [
        pytest.param(AS_IT_IS_AWAITED, kill, id="while it is awaited"),
        pytest.param(AT_THE_SWITCH, kill, id="at the switch"),
        pytest.param(AT_THE_SWITCH, hung, id="at the switch, 10 s after it was cancelled"),
    ],
)
def test_a_job_that_is_killed_is_put_right_by_the_next(
    stage: Stage, pair: Operator, moment: str, ends: Callable[[subprocess.Popen[bytes]], None]
) -> None:
    before = deploy(stage).outputs["release"]
    with unnoticed(pair):
        done = deploy(
            stage, taking_long(moment), lambda name, log: name == "Deploy" and moment in log, ends
        )

        assert done.result == "cancelled"
        assert done.step("Deploy").outputs == {}
        assert set(serving_tags(pair)) == {before} or moment == AT_THE_SWITCH
        assert eventually(lambda: not any(look(it).lock_is_held for it in pair.droplets))
        after = deploy(stage)
        assert after.result == "success", after
        assert agreed(pair) == after.outputs["release"]
