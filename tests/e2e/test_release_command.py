"""The release command on a real host: run once in the new image, seen, ended and removed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from restoops.adapters.clock import SystemClock
from restoops.adapters.host import Host
from restoops.adapters.ssh import SshConnection, SshOptions
from restoops.config.schema import Settings
from restoops.errors import StepFailed, Unreachable
from restoops.flows.background import in_background
from restoops.flows.open import host_settings
from restoops.model import Color, Digest, Login, Release, Secret
from tests.e2e.conditions import shell
from tests.lab.droplet import Droplet
from tests.lab.images import App
from tests.lab.operator import APP, Operator
from tests.lab.patience import PATIENCE_S
from tests.lab.registry import Registry
from tests.lab.releases import Releases

pytestmark = pytest.mark.lab

NAME = f"{APP}-release-command"
MIGRATE = "/testapp", "migrate"
SECRET = "hunter2"


@contextmanager
def connected(operator: Operator, key: Path) -> Iterator[Host]:
    """Reach the droplet as a flow does."""
    text = {name: part for name, part in operator.settings.items() if name != "environments"}
    text["container"] = {
        "environment": {"NOTE": SECRET, "MIGRATIONS": "/data/migrations"},
        "volumes": ["data:/data"],
        "memory_mb": 64,
    }
    options = SshOptions("deploy", None, str(key), str(operator.known_hosts))
    connection = SshConnection(operator.droplet.address, options)
    made = Host(connection, host_settings(Settings.model_validate(text)), SystemClock())
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def release(operator: Operator, releases: Releases, registry: Registry, lab_key: Path) -> Release:
    """A release that runs on the droplet."""
    pushed = releases.push(App("mig"))
    found = Release(pushed.tag, Digest(pushed.digest))
    login = Login(registry.username, Secret(registry.password))
    shell(operator.droplet, "install -d -o deploy /var/lib/restoops")
    with connected(operator, lab_key) as host:
        host.set_up()
        host.pull(found.digest, lambda _: login, lambda _: None)
        host.start(Color.BLUE, found)
    return found


@pytest.fixture
def host(operator: Operator, release: Release, lab_key: Path) -> Iterator[Host]:
    """The droplet with the release on it."""
    del release
    with connected(operator, lab_key) as made:
        yield made


def containers(droplet: Droplet) -> str:
    return shell(droplet, f"docker ps -aq --filter name={NAME}")


def inspected(droplet: Droplet) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(droplet.exec(["docker", "inspect", NAME]))[0]
    return found


def migrations(droplet: Droplet) -> list[str]:
    return shell(
        droplet, "cat $(docker volume inspect -f '{{.Mountpoint}}' data)/migrations"
    ).split()


def test_it_runs_once_in_the_image_with_the_applications_environment_and_volumes(
    host: Host, release: Release, droplet: Droplet
) -> None:
    lines: list[str] = []

    status = host.run_release(release, (*MIGRATE, "ok"), timeout_s=20, on_line=lines.append)

    assert status == 0
    assert lines == [f"mig: migrating ({SECRET})", "all tables are there"]
    assert migrations(droplet) == ["mig"]
    assert containers(droplet) == ""


def test_logs_are_followed_over_the_same_connection(host: Host, release: Release) -> None:
    del release
    host.observe()

    followed = host.follow(Color.BLUE, 5)

    assert next(followed) == "mig: listening on port 3001 (healthy)"
    host.close()


def test_its_failure_is_its_status_and_it_is_removed(
    host: Host, release: Release, droplet: Droplet
) -> None:
    lines: list[str] = []

    assert host.run_release(release, (*MIGRATE, "fail"), timeout_s=20, on_line=lines.append) == 3

    assert lines[-1] == "no such table"
    assert containers(droplet) == ""


def test_a_program_that_is_not_in_the_image_is_told(
    host: Host, release: Release, droplet: Droplet
) -> None:
    with pytest.raises(StepFailed, match="no-such-program") as caught:
        host.run_release(release, ("/no-such-program",), timeout_s=20, on_line=print)

    assert "`release.command`" in caught.value.hint
    assert containers(droplet) == ""


def test_one_that_takes_too_long_is_stopped(host: Host, release: Release, droplet: Droplet) -> None:
    lines: list[str] = []

    with pytest.raises(StepFailed, match="did not end within 3 s and was stopped"):
        host.run_release(release, (*MIGRATE, "slow"), timeout_s=3, on_line=lines.append)

    assert lines[-1] == "migration stopped"
    assert containers(droplet) == ""
    assert host.observe().containers  # the connection is as good as before


def test_it_is_no_slot_and_its_lines_come_while_it_runs_and_another_thread_ends_it(
    host: Host, release: Release, droplet: Droplet
) -> None:
    spoke = threading.Event()
    before = host.observe()
    wait = in_background(
        lambda: host.run_release(
            release, (*MIGRATE, "slow"), timeout_s=60, on_line=lambda _: spoke.set()
        )
    )
    assert spoke.wait(PATIENCE_S)

    found = inspected(droplet)
    assert replace(host.observe(), images=before.images) == before
    assert found["Config"]["Labels"]["restoops.role"] == "release-command"
    assert "restoops.slot" not in found["Config"]["Labels"]
    assert found["HostConfig"]["RestartPolicy"]["Name"] == "no"
    assert found["HostConfig"]["Memory"] == 64 * 1024 * 1024
    assert list(found["NetworkSettings"]["Networks"]) == [APP]
    assert str(release.digest) in found["Config"]["Image"]
    assert SECRET not in shell(droplet, "ps ax -o args")

    host.clear_release_command()

    assert containers(droplet) == ""
    with suppress(StepFailed):  # as it may be gone before it is asked for its status
        assert wait() == 143
    host.clear_release_command()
    assert host.observe() == before


def test_what_a_run_left_behind_is_removed_by_the_next(
    operator: Operator, release: Release, droplet: Droplet, lab_key: Path
) -> None:
    spoke = threading.Event()
    with connected(operator, lab_key) as lost:
        wait = in_background(
            lambda: lost.run_release(
                release, (*MIGRATE, "slow"), timeout_s=60, on_line=lambda _: spoke.set()
            )
        )
        assert spoke.wait(PATIENCE_S)
    with pytest.raises(Unreachable):  # its connection is gone
        wait()
    assert containers(droplet)

    with connected(operator, lab_key) as host:
        assert host.run_release(release, (*MIGRATE, "ok"), timeout_s=20, on_line=print) == 0

    assert containers(droplet) == ""
