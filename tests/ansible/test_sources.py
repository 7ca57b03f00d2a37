"""Docker's own packages and DigitalOcean's agent, from repositories signed as theirs are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from docker import DockerClient

from tests.ansible.packages import Package, Served, engine_called, served
from tests.ansible.playbook import Site
from tests.lab import images
from tests.lab.droplet import Droplet, DropletFailed
from tests.lab.visitor import Visitor

pytestmark = [pytest.mark.lab, pytest.mark.full, pytest.mark.timeout(1200)]

ROLES = ("base", "docker", "monitoring")


@pytest.fixture(scope="module")
def repository(engine: DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Both repositories in one place."""
    with Visitor(engine) as visitor:
        docker = engine_called("docker-ce", visitor)
    others = ("docker-ce-cli", "containerd.io", "docker-buildx-plugin", "docker-compose-plugin")
    agent = Package("do-agent", program="opt/digitalocean/bin/do-agent")
    suites = {
        ("bookworm", "stable"): [docker, *(Package(name) for name in others)],
        ("main", "main"): [agent],
    }
    with served(tmp_path_factory.mktemp("packages"), suites) as found:
        yield found


def test_both_are_installed_and_a_key_that_is_another_one_is_refused(
    engine: DockerClient,
    repository: Served,
    lab_key: Path,
    lab_settings: dict[str, Any],
    tmp_path: Path,
) -> None:
    settings = lab_settings | {
        "ansible_user": "root",
        "base_upgrade": False,
        "docker_source": "docker",
        "docker_repository": repository.url,
        "docker_repository_key": repository.key,
        "docker_repository_key_checksum": repository.key_checksum,
        "monitoring_do_agent": True,
        "monitoring_do_agent_repository": repository.url,
        "monitoring_do_agent_key": repository.key,
        "monitoring_node_exporter": True,
    }
    with Droplet(engine, image=images.bare(engine)) as droplet:
        site = Site(tmp_path, [droplet], lab_key, settings)
        refused = site.run_roles(*ROLES, docker_repository_key_checksum=f"sha256:{'0' * 64}")
        with pytest.raises(DropletFailed):
            droplet.exec(["dpkg", "--status", "docker-ce"])
        done = site.run_roles(*ROLES)
        again = site.run_roles(*ROLES)

        assert "checksum" in refused.told
        assert (done.status, again.status) == (0, 0), done.told + again.told
        assert again.changed == []
        assert droplet.exec(["docker", "info", "--format", "{{.LiveRestoreEnabled}}"]) == "true\n"
        held = droplet.exec(["apt-mark", "showhold"]).split()
        assert set(held) == {"docker-ce", "docker-ce-cli", "containerd.io"}
        droplet.exec(["test", "-x", "/opt/digitalocean/bin/do-agent"])
        answer = droplet.exec(["curl", "-sf", "http://127.0.0.1:9100/metrics"])
        assert "node_cpu_seconds_total" in answer
