"""What a droplet is told at its first boot, checked by the programs that will read it."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.dostub.serve import running
from tests.terraform.estate import PUBLIC_KEY, SSH_KEY, TREE, copy_tree, new_cloud
from tests.terraform.program import PROJECT, Terraform

FILES = TREE / "modules" / "api-cluster" / "files"
SHOWN = 'output "user_data" {\n  value     = local.user_data\n  sensitive = true\n}\n'
HOST_KEY = {
    "private": "-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n-----END OPENSSH PRIVATE KEY-----\n",
    "public": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHost a",
}
EXTRA = "#cloud-config\npackages: [htop]\nruncmd:\n  - [touch, /root/done]\n"
MODES = {"0644", "0755"}

Config = dict[str, Any]


def applied(folder: Path, **values: object) -> tuple[Terraform, dict[str, str]]:
    """Apply the module with these variables; return it, and the user data of each droplet."""
    root = copy_tree(folder) / "modules" / "api-cluster"
    (root / "shown.tf").write_text(SHOWN)
    cloud = new_cloud(folder / "cloud.json")
    vpc = {"id": "vpc", "ip_range": "10.10.0.0/16", "region": "fra1"}
    with cloud.open() as account:
        account["objects"]["digitalocean_vpc"] = {"vpc": vpc}
    needed = {
        "name": "shop-dev",
        "region": "fra1",
        "vpc": {"id": "vpc", "ip_range": "10.10.0.0/16"},
        "droplets": {"a": {}},
        "ssh_key_names": [SSH_KEY],
    }
    (root / "terraform.tfvars.json").write_text(json.dumps(needed | values))
    with running(cloud) as extra:
        terraform = Terraform(root, extra)
        terraform.run("init")
        terraform.apply()
        return terraform, terraform.outputs()["user_data"]


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """The configuration of a droplet that has all that can be asked for."""
    droplets = {"a": {"volumes": {"data": {"size_gb": 10}, "logs": {"size_gb": 5}}}}
    folder = tmp_path_factory.mktemp("rich")
    _, texts = applied(folder, droplets=droplets, host_keys={"a": HOST_KEY}, api_port=8443)
    config: Config = yaml.safe_load(texts["a"])
    return config


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> str:
    return applied(tmp_path_factory.mktemp("plain"))[1]["a"]


def files_of(config: Config) -> dict[str, str]:
    return {file["path"]: file["content"] for file in config["write_files"]}


def with_cloud_init(*words: str | Path, told: str = "") -> subprocess.CompletedProcess[str]:
    """Run Python with the modules of the real cloud-init: installed, or unpacked by set-up."""
    packages = PROJECT / ".venv/cloud-init/usr/lib/python3/dist-packages"
    is_there = shutil.which("cloud-init") or packages.exists()
    assert is_there, "no cloud-init to check with: `scripts/setup tools` fetches one"
    return subprocess.run(
        ["/usr/bin/python3", *words],
        env=os.environ | {"PYTHONPATH": str(packages)},
        input=told,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def judge(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    """Let cloud-init check a configuration."""
    file = folder / "user-data"
    file.write_text(text)
    return with_cloud_init("-m", "cloudinit.cmd.main", "schema", "--config-file", file)


def test_cloud_init_takes_it(plain: str, rich: Config, tmp_path: Path) -> None:
    for text in (plain, f"#cloud-config\n{yaml.safe_dump(rich)}"):
        judged = judge(tmp_path, text)
        assert judged.returncode == 0, judged.stdout + judged.stderr
        assert "deprecat" not in (judged.stdout + judged.stderr).lower()


def test_cloud_init_finds_a_fault(plain: str, tmp_path: Path) -> None:
    judged = judge(tmp_path, plain.replace('"runcmd":', '"runcmd": 3\n"other":'))

    assert judged.returncode == 1
    assert "runcmd: 3 is not of type 'array'" in judged.stdout + judged.stderr


def test_deploy_has_what_a_deploy_needs(plain: str) -> None:
    config = yaml.safe_load(plain)
    [user] = config["users"]

    assert (user["name"], user["uid"], user["groups"]) == ("deploy", 1001, ["docker"])
    assert user["ssh_authorized_keys"] == [PUBLIC_KEY]
    assert user["lock_passwd"] is True
    assert {"docker.io", "docker-buildx", "docker-compose-v2", "ufw"} <= set(config["packages"])
    assert (config["disable_root"], config["ssh_pwauth"]) == (True, False)


def test_a_droplet_without_a_pinned_key_makes_its_own(plain: str) -> None:
    assert "ssh_keys" not in yaml.safe_load(plain)


def test_a_pinned_host_key_is_the_only_one(rich: Config) -> None:
    assert rich["ssh_keys"] == {
        "ed25519_private": HOST_KEY["private"],
        "ed25519_public": HOST_KEY["public"],
    }


def test_docker_is_set_up_as_required(plain: str) -> None:
    daemon = json.loads(files_of(yaml.safe_load(plain))["/etc/docker/daemon.json"])

    assert daemon == {
        "live-restore": True,
        "log-driver": "json-file",
        "log-opts": {"max-size": "10m", "max-file": "3"},
        "userland-proxy": False,
    }


def test_the_first_boot_is_told_port_network_and_volumes(rich: Config, plain: str) -> None:
    program = "/usr/local/sbin/restoops-first-boot"

    assert rich["runcmd"] == [[program, "8443", "10.10.0.0/16", "monitoring", "data", "logs"]]
    assert yaml.safe_load(plain)["runcmd"] == [[program, "3001", "10.10.0.0/16", "monitoring"]]
    assert program in files_of(rich)
    assert {file["permissions"] for file in rich["write_files"]} == MODES


def test_volumes_are_mounted_where_they_are_asked_for(rich: Config) -> None:
    files = files_of(rich)

    for key in ("data", "logs"):
        mount = files[f"/etc/systemd/system/mnt-{key}.mount"]
        assert f"What=/dev/disk/by-id/scsi-0DO_Volume_shop-dev-a-{key}\n" in mount
        assert f"Where=/mnt/{key}\n" in mount
        assert f"Where=/mnt/{key}\n" in files[f"/etc/systemd/system/mnt-{key}.automount"]


def test_systemd_takes_the_units(rich: Config, tmp_path: Path) -> None:
    units = {Path(path).name: text for path, text in files_of(rich).items() if "/systemd/" in path}
    assert len(units) == 5
    for name, text in units.items():
        (tmp_path / name).write_text(text)
        assert re.search(r"^\[(Service|Mount|Automount)\]$", text, re.MULTILINE), name
        assert "${" not in text
    command = ["systemd-analyze", "verify", "--man=no", *(str(tmp_path / name) for name in units)]

    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert [line for line in run.stderr.splitlines() if str(tmp_path) in line] == []


@pytest.fixture
def room_for_sshd() -> Iterator[None]:
    """The directory that sshd asks for even to read its configuration; a boot makes it."""
    room, rights = Path("/run/sshd"), [] if os.geteuid() == 0 else ["sudo", "-n"]
    was_there = room.exists()
    if not was_there:
        subprocess.run([*rights, "install", "-d", "-m", "0755", room], check=True)
    yield
    if not was_there:
        subprocess.run([*rights, "rmdir", room], check=True)


@pytest.mark.usefixtures("room_for_sshd")
def test_sshd_takes_its_configuration(plain: str, tmp_path: Path) -> None:
    text = files_of(yaml.safe_load(plain))["/etc/ssh/sshd_config.d/10-restoops.conf"]
    file, key = tmp_path / "sshd_config", tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    file.write_text(f"HostKey {key}\n{text}")
    sshd = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
    assert sshd

    shown = subprocess.run([sshd, "-T", "-f", file], capture_output=True, text=True, check=True)

    settings = dict(line.split(" ", 1) for line in shown.stdout.splitlines())
    names = ("permitrootlogin", "passwordauthentication", "kbdinteractiveauthentication")
    assert {settings[name] for name in names} == {"no"}


def test_the_engine_is_not_upgraded_at_night(plain: str) -> None:
    text = files_of(yaml.safe_load(plain))["/etc/apt/apt.conf.d/52restoops"]

    for package in ("docker.io", "containerd", "runc"):
        assert f'"{package}";' in text
    assert 'Unattended-Upgrade::Automatic-Reboot "false";' in text


def test_scripts_are_clean() -> None:
    shellcheck = shutil.which("shellcheck")
    assert shellcheck, "no shellcheck: `scripts/setup tools` installs it"

    ours = [PROJECT / "scripts" / name for name in ("setup", "provide-terraform")]
    subprocess.run([shellcheck, "-x", FILES / "first-boot.sh", *ours], cwd=PROJECT, check=True)


def test_an_unclean_script_is_found(tmp_path: Path) -> None:
    (tmp_path / "bad.sh").write_text("#!/bin/sh\nrm -rf $1\n")

    run = subprocess.run(
        ["shellcheck", tmp_path / "bad.sh"], capture_output=True, text=True, check=False
    )

    assert "SC2086" in run.stdout


def test_the_first_boot_opens_what_is_required_and_nothing_else(tmp_path: Path) -> None:
    done = played(tmp_path, "3001", "10.10.0.0/16", "no-monitoring", "data")

    assert [line for line in done if line.startswith("ufw")] == [
        "ufw default deny incoming",
        "ufw default allow outgoing",
        "ufw limit 22/tcp",
        "ufw allow 80/tcp",
        "ufw allow 443/tcp",
        "ufw allow 3001/tcp",
        "ufw allow from 10.10.0.0/16",
        "ufw --force enable",
    ]
    assert "install -d -o deploy -g deploy -m 0750 /opt/app /var/lib/restoops" in done
    assert "systemctl enable --now mnt-data.automount" in done
    assert "systemctl enable --now docker.service" in done
    assert not [line for line in done if line.startswith("curl")]


def test_the_monitoring_agent_is_fetched_where_it_is_missing(tmp_path: Path) -> None:
    done = played(tmp_path, "3001", "10.10.0.0/16", "monitoring")

    fetched = [line for line in done if line.startswith("curl")]
    assert len(fetched) == 1
    assert "https://repos.insights.digitalocean.com/install.sh" in fetched[0]


def played(folder: Path, *arguments: str) -> list[str]:
    """Run the script of the first boot with programs that only write down what they were told."""
    log, programs = folder / "done", folder / "bin"
    programs.mkdir()
    for name in ("install", "ufw", "systemctl", "curl"):
        program = programs / name
        program.write_text(f'#!/bin/sh\necho "{name} $*" >>"{log}"\n')
        program.chmod(0o755)
    path = f"{programs}:{os.environ['PATH']}"
    subprocess.run(
        ["/bin/sh", FILES / "first-boot.sh", *arguments],
        env={"PATH": path, "TMPDIR": str(folder)},
        check=True,
        timeout=60,
    )
    return log.read_text().splitlines()


def taken_apart(text: str) -> tuple[Config, list[str]]:
    """Return the configuration and the scripts that cloud-init makes of user data."""
    run = with_cloud_init(PROJECT / "tests" / "terraform" / "cloud_init_parts.py", told=text)
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    return yaml.safe_load(told["config"]), told["scripts"]


def test_more_configuration_is_added_to_ours(tmp_path: Path, plain: str) -> None:
    ours, _ = taken_apart(plain)

    config, scripts = taken_apart(applied(tmp_path, extra_user_data=EXTRA)[1]["a"])

    assert scripts == []
    assert config == ours | {
        "packages": [*ours["packages"], "htop"],
        "runcmd": [*ours["runcmd"], ["touch", "/root/done"]],
    }


def test_a_script_runs_after_what_is_ours(tmp_path: Path, plain: str) -> None:
    text = applied(tmp_path, extra_user_data="#!/bin/sh\ntouch /root/done\n")[1]["a"]

    config, [script] = taken_apart(text)

    assert config == taken_apart(plain)[0]
    # Scripts run in the order of their names, and cloud-init calls ours so.
    assert script > "runcmd"


def test_the_state_has_no_private_host_key_and_outputs_have_the_public_one(tmp_path: Path) -> None:
    terraform, _ = applied(tmp_path, host_keys={"a": HOST_KEY})
    (terraform.folder / "shown.tf").unlink()
    with running(new_cloud(tmp_path / "cloud.json")) as extra:
        Terraform(terraform.folder, extra).apply("-refresh=false")

    state = (terraform.folder / "terraform.tfstate").read_text()
    outputs = Terraform(terraform.folder).outputs()
    assert outputs["hosts"]["a"]["host_key"] == HOST_KEY["public"]
    assert "c2VjcmV0" not in state


def test_a_host_key_that_comes_late_is_not_told_until_the_droplet_is_replaced(
    tmp_path: Path,
) -> None:
    terraform, _ = applied(tmp_path)
    variables = terraform.folder / "terraform.tfvars.json"
    late = json.loads(variables.read_text()) | {"host_keys": {"a": HOST_KEY}}
    variables.write_text(json.dumps(late, indent=2))
    with running(new_cloud(tmp_path / "cloud.json")) as extra:
        ready = Terraform(terraform.folder, extra)
        ready.apply()
        assert ready.outputs()["hosts"]["a"]["host_key"] is None

        ready.apply('-replace=digitalocean_droplet.api["a"]')

        assert ready.outputs()["hosts"]["a"]["host_key"] == HOST_KEY["public"]
