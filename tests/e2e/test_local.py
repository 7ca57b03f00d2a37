"""`local` is this machine's own engine, whatever the operator's Docker is set up for."""

import time
from dataclasses import replace

import pytest

from tests.lab.demo_stage import Stage, stage
from tests.lab.images import App

APP = "restoops-local"
ELSEWHERE = {"DOCKER_HOST": "tcp://127.0.0.1:9", "RESTOOPS_SWAP__WARM_S": "1"}


def running(ready: Stage) -> set[str]:
    """Return the tags of the releases that run."""
    wanted: dict[str, str | list[str] | bool] = {"label": [f"restoops.app={APP}", "restoops.tag"]}
    found = ready.engine.containers.list(filters=wanted)
    return {container.labels["restoops.tag"] for container in found}


@pytest.mark.lab
def test_a_warm_release_is_stopped_in_time_by_this_machine_though_docker_host_is_another() -> None:
    with stage(APP) as made:
        ready = replace(made, settings={**made.settings, **ELSEWHERE})
        for tag in ("one", "two"):
            ready.push(App(tag), tag)
            assert ready.run("deploy", tag, "local") == 0
        deadline = time.monotonic() + 20
        while running(ready) != {"two"}:
            assert time.monotonic() < deadline, running(ready)
            time.sleep(0.1)
