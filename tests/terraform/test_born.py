"""A bare machine on which all was done that cloud-init is told takes a deploy at once."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from docker import DockerClient

from tests.e2e.inside import answering
from tests.lab import images, network
from tests.lab.droplet import Droplet
from tests.lab.images import App
from tests.lab.operator import Operator
from tests.lab.patience import eventually
from tests.lab.registry import Registry
from tests.lab.releases import Releases
from tests.lab.visitor import Visitor
from tests.terraform.test_first_boot import Config, applied

pytestmark = pytest.mark.lab

DAEMON = "/etc/docker/daemon.json"
OF_THE_LAB: dict[str, Any] = {
    "bip": "10.200.0.1/24",
    "default-address-pools": [{"base": "10.201.0.0/16", "size": 24}],
    "insecure-registries": [network.SUBNET],
}
"""What an engine within an engine needs besides, and a registry without TLS."""
ELSEWHERE = {"docker-buildx", "docker-compose-v2"}
"""Packages of Ubuntu; the lab's machine is a Debian, and a deploy needs neither."""
USER = """
for group in $3; do getent group "$group" || groupadd "$group"; done
useradd --create-home --uid "$2" --shell /bin/bash --password '*' "$1"
for group in $3; do usermod --append --groups "$group" "$1"; done
install -d -m 0700 -o "$1" -g "$1" "/home/$1/.ssh"
printf '%s\\n' "$4" >"/home/$1/.ssh/authorized_keys"
chown "$1:" "/home/$1/.ssh/authorized_keys"
printf '%s %s\\n' "$1" "$5" >/etc/sudoers.d/90-cloud-init-users
"""
INSTALL = "DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install"


def be_born(droplet: Droplet, config: Config) -> None:
    """Do what cloud-init does with a configuration, in its order."""
    for file in config["write_files"]:
        droplet.exec(["mkdir", "-p", str(Path(file["path"]).parent)])
        droplet.write(file["path"], file["content"], int(file["permissions"], 8))
    droplet.exec(["sh", "-c", "rm -f /etc/ssh/ssh_host_*"])
    droplet.write("/etc/ssh/ssh_host_ed25519_key", config["ssh_keys"]["ed25519_private"], 0o600)
    droplet.write("/etc/ssh/ssh_host_ed25519_key.pub", config["ssh_keys"]["ed25519_public"] + "\n")
    [user] = config["users"]
    about = (user["name"], str(user["uid"]), " ".join(user["groups"]))
    keys = "\n".join(user["ssh_authorized_keys"])
    droplet.exec(["sh", "-ec", USER, "user", *about, keys, user["sudo"]])
    droplet.exec(["systemctl", "restart", "ssh"])
    packages = " ".join(it for it in config["packages"] if it not in ELSEWHERE)
    droplet.exec(["sh", "-ec", f"{INSTALL} {packages}"])
    for command in config["runcmd"]:
        droplet.exec(command)


def new_host_key(folder: Path) -> dict[str, str]:
    file = folder / "host_key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file], check=True)
    return {"private": file.read_text(), "public": file.with_suffix(".pub").read_text().strip()}


@pytest.fixture(scope="module")
def born(
    engine: DockerClient,
    registry: Registry,
    lab_key: Path,
    proxy_images: tuple[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Operator]:
    """An operator with a droplet that has had its first boot."""
    folder = tmp_path_factory.mktemp("born")
    host_key = new_host_key(folder)
    # Its agent comes from the Internet.
    _, texts = applied(folder, host_keys={"a": host_key}, monitoring=False)
    config: Config = yaml.safe_load(texts["a"])
    config["users"][0]["ssh_authorized_keys"] = [lab_key.with_suffix(".pub").read_text().strip()]
    for file in config["write_files"]:
        if file["path"] == DAEMON:
            file["content"] = json.dumps(json.loads(file["content"]) | OF_THE_LAB)
    (folder / "home").mkdir()
    with Droplet(engine, image=images.bare(engine)) as droplet:
        be_born(droplet, config)
        # Known before the machine was there: nothing is asked for it.
        droplet.host_key = " ".join(host_key["public"].split()[:2])
        droplet.has_engine = True
        yield Operator(folder / "home", droplet, registry, lab_key, proxy_images[0])


def test_nothing_is_missing_after_the_first_boot(born: Operator) -> None:
    doctor = born.run("doctor", "staging", "--json")

    assert doctor.status == 0, doctor
    assert {event["result"] for event in doctor.events if "result" in event} <= {"ok", "warning"}


def test_a_droplet_is_deployed_to_and_serves_after_a_reboot(
    born: Operator, releases: Releases
) -> None:
    pushed = releases.push(App("b0e4000", start_delay_s=0))

    born.deploy(pushed.tag)

    assert answering(born.url) == "b0e4000"
    born.droplet.reboot()
    assert eventually(lambda: answering(born.url) == "b0e4000")
    assert born.droplet.exec(["sh", "-c", "ufw status | head -n 1"]).strip() == "Status: active"
    rules = born.droplet.exec(["iptables", "-S", "DOCKER-USER"])
    assert rules.count("-d 169.254.169.254/32 -j REJECT") == 1


def test_only_deploy_logs_in(born: Operator, engine: DockerClient, lab_key: Path) -> None:
    with Visitor(engine) as visitor:
        told = visitor.ssh(f"root@{born.droplet.address}", lab_key)
        assert visitor.ssh(f"deploy@{born.droplet.address}", lab_key).endswith("deploy")

    assert "Permission denied" in told


def test_a_first_boot_can_be_run_again(born: Operator) -> None:
    command = ["/usr/local/sbin/restoops-first-boot", "3001", "10.10.0.0/16", "no-monitoring"]
    before = born.droplet.exec(["ufw", "status", "numbered"])

    born.droplet.exec(command)

    assert born.droplet.exec(["ufw", "status", "numbered"]) == before
