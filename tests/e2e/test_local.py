"""`local` is this machine's own engine, whatever the operator's Docker is set up for."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from docker.errors import APIError, NotFound

from tests.lab.demo_stage import Stage, stage
from tests.lab.images import App
from tests.lab.patience import eventually
from tests.lab.registry import Registry

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
        assert eventually(lambda: running(ready) == {"two"}), running(ready)


@contextmanager
def proxy_elsewhere(made: Stage, tmp_path: Path) -> Iterator[tuple[Stage, Registry]]:
    """Have the proxy's image in a registry of its own, with another password than ours."""
    with Registry(username="mirror") as other:
        other.push(made.engine, made.settings["RESTOOPS_PROXY__IMAGE"], "haproxy", "lab")
        image = f"{other.local}/haproxy:lab"
        settings = {"RESTOOPS_PROXY__IMAGE": image, "DOCKER_CONFIG": str(tmp_path)}
        try:
            yield replace(made, settings={**made.settings, **settings}), other
        finally:
            for container in made.engine.containers.list(all=True, filters={"ancestor": image}):
                container.remove(force=True)
            with suppress(NotFound):
                made.engine.images.remove(image)


@pytest.mark.lab
def test_our_token_is_not_shown_to_the_registry_that_the_proxy_comes_from(tmp_path: Path) -> None:
    with stage(APP) as made, proxy_elsewhere(made, tmp_path) as (ready, other):
        ready.push(App("one"), "one")
        assert ready.run("deploy", "one", "local") == 1  # it lets nobody in without a password
        assert has_seen_credentials(other) is False

        pair = base64.b64encode(f"{other.username}:{other.password}".encode()).decode()
        auths = {"auths": {other.local: {"auth": pair}}}
        (tmp_path / "config.json").write_text(json.dumps(auths))
        assert ready.run("deploy", "one", "local") == 0

        assert ready.answer() == "one"
        assert has_seen_credentials(other) is False
        wrong = {"username": ready.registry.username, "password": ready.registry.password}
        with pytest.raises(APIError):
            ready.engine.images.pull(f"{other.local}/haproxy", "lab", auth_config=wrong)
        assert has_seen_credentials(other) is True


def has_seen_credentials(registry: Registry) -> bool:
    """Return whether a registry has told, in its log, of credentials that are not its own."""
    return "error authenticating user" in registry.log.read_text()
