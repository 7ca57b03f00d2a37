"""`setup-api.yml` makes a deploy target of a bare droplet, and says what it would do first."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from docker import DockerClient

from tests.ansible.conftest import NOFILE, Place
from tests.e2e.inside import answering
from tests.lab.images import App
from tests.lab.operator import Operator
from tests.lab.patience import eventually
from tests.lab.registry import Registry
from tests.lab.releases import Releases
from tests.lab.visitor import Visitor

# The first test waits for three runs of the playbook, on a machine that may be busy.
pytestmark = [pytest.mark.lab, pytest.mark.timeout(1200)]


def told_by(place: Place, command: str) -> str:
    return place.droplet.exec(["bash", "-c", command]).strip()


def as_deploy(place: Place, command: str) -> str:
    return told_by(place, f"runuser --login deploy --command {json.dumps(command)}")


def test_a_dry_run_tells_what_would_change_and_changes_nothing(place: Place) -> None:
    assert place.dry.status == 0, place.dry.told
    assert {"Install Docker", "Write daemon.json", "Install UFW"} <= set(place.dry.changed)
    assert not place.dry_left_traces


def test_a_set_up_succeeds_and_a_second_one_changes_nothing(place: Place) -> None:
    assert place.first.status == 0, place.first.told
    assert place.first.count("changed") > 20
    assert place.again.status == 0, place.again.told
    assert place.again.changed == []
    assert place.again.count("changed") == 0


def test_the_user_has_its_number_its_group_and_the_keys_that_stood_without_options(
    place: Place, visitor: Visitor, lab_key: Path
) -> None:
    deploy = f"deploy@{place.droplet.address}"
    keys = told_by(place, "cat /home/deploy/.ssh/authorized_keys").splitlines()

    assert told_by(place, "id -u deploy") == "1001"
    assert "docker" in told_by(place, "id -nG deploy").split()
    assert len(keys) == 1
    assert keys[0].startswith("ssh-ed25519 ")
    assert visitor.ssh(deploy, lab_key, command="ulimit -n").endswith(str(NOFILE))
    assert as_deploy(place, "touch /var/lib/restoops/x /opt/app/x && rm /var/lib/restoops/x") == ""


def test_the_daemon_keeps_containers_rotates_logs_and_has_no_proxy_of_its_own(
    place: Place,
) -> None:
    asked = "docker info --format '{{.LiveRestoreEnabled}} {{.LoggingDriver}}'"
    daemon = json.loads(told_by(place, "cat /etc/docker/daemon.json"))

    assert told_by(place, asked) == "true json-file"
    assert daemon["log-opts"] == {"max-size": "10m", "max-file": "3"}
    assert daemon["userland-proxy"] is False
    assert daemon["bip"] == "10.200.0.1/24"


def test_upgrades_are_for_security_leave_the_engine_alone_and_never_reboot(place: Place) -> None:
    settings = told_by(place, "apt-config dump Unattended-Upgrade").splitlines()
    tried = told_by(place, "unattended-upgrade --dry-run --debug 2>&1")

    assert 'Unattended-Upgrade::Automatic-Reboot "false";' in settings
    [origins] = [line for line in tried.splitlines() if line.startswith("Allowed origins are")]
    assert "codename=bookworm-security,label=Debian-Security" in origins
    assert origins.count("origin=") == 1
    assert "containerd$" in tried
    held = set(told_by(place, "apt-mark showhold").split())
    assert held == {"docker.io", "containerd", "runc"}
    for timer in ("apt-daily.timer", "apt-daily-upgrade.timer"):
        assert told_by(place, f"systemctl is-active {timer}") == "active"


def test_haproxys_image_waits_for_the_first_deploy(place: Place, resident: Operator) -> None:
    wanted = resident.settings["proxy"]["image"]

    assert wanted in told_by(place, "docker images --format '{{.Repository}}:{{.Tag}}'").split()


def test_a_deploy_works_on_it_and_all_is_in_force_after_a_reboot(
    place: Place, resident: Operator, engine: DockerClient, open_registry: Registry
) -> None:
    pushed = Releases(engine, open_registry).push(App("a5e7000", start_delay_s=0))

    doctor = resident.run("doctor", "staging", "--json")
    resident.deploy(pushed.tag)

    assert doctor.status == 0, doctor
    assert {event["result"] for event in doctor.events if "result" in event} <= {"ok", "warning"}
    assert answering(resident.url) == "a5e7000"
    place.droplet.reboot()
    assert eventually(lambda: answering(resident.url) == "a5e7000")
    assert told_by(place, "ufw status | head -n 1") == "Status: active"
    assert told_by(place, "systemctl is-active fail2ban docker ssh").split() == ["active"] * 3
    assert told_by(place, "systemctl is-failed restoops-sshd-restore || true") == "inactive"
    assert told_by(place, "sysctl -n net.core.somaxconn net.ipv4.tcp_tw_reuse").split() == [
        "4096",
        "1",
    ]
    assert told_by(place, "iptables -S DOCKER-USER | grep -c 169.254.169.254") == "1"
