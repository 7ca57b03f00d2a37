"""The roles keep to their own contract and to what the rest of restoops says."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml

from restoops.config.schema import Proxy
from tests.ansible.playbook import ANSIBLE, PROGRAMS, PROJECT, SETUP, environment
from tests.ansible.roles import ORDER, ROLES, options, purpose, read
from tests.terraform.estate import ENVIRONMENTS

RENDER = Path(__file__).with_name("render.yml")
FILES = [
    f"{role}/{part}/main.yml"
    for role in ORDER
    for part in ("defaults", "vars")
    if (ROLES / role / part).exists()
]
VERBS = {
    "Add", "Allow", "Arm", "Change", "Check", "Close", "Compare", "Fetch", "Find", "Finish",
    "Forget", "Give", "Go", "Have", "Hold", "Install", "Keep", "Let", "Limit", "Log", "Look",
    "Make", "Open", "Prepare", "Read", "Refuse", "Reload", "Restart", "Say", "Set", "Start",
    "Stop", "Switch", "Take", "Trust", "Upgrade", "Use", "Write",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Distribution:
    """What a host says of itself."""

    name: str
    release: str


DEBIAN = Distribution("Debian", "bookworm")
JAMMY, NOBLE = Distribution("Ubuntu", "jammy"), Distribution("Ubuntu", "noble")
OLD = Distribution("Ubuntu", "focal")


def run(home: Path, program: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run one of Ansible's programs here."""
    return subprocess.run(
        [PROGRAMS / program, *words],
        cwd=ANSIBLE,
        env=environment(home) | {"ANSIBLE_CACHE_PLUGIN": "memory"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


def rendered(home: Path, distribution: Distribution, **settings: Any) -> dict[str, Any]:
    """Return what the roles make of a host and of settings."""
    given = {
        **settings,
        "render_distribution": distribution.name,
        "render_release": distribution.release,
        "render_roles": str(ROLES),
        "render_files": FILES,
    }
    extra = f"--extra-vars={json.dumps(given)}"
    done = run(home, "ansible-playbook", "-i", "host,", RENDER, extra)
    assert done.returncode == 0, done.stdout + done.stderr
    told = done.stdout[done.stdout.index('ok: [host] => {\n    "msg"') :]
    found: dict[str, Any] = json.loads(told[told.index("{") : told.index("\n}\n") + 2])["msg"]
    return found


def test_lint_finds_nothing(tmp_path: Path) -> None:
    done = run(tmp_path, "ansible-lint", "--offline", "--profile=production", "--nocolor")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Passed" in done.stdout + done.stderr


def test_lint_finds_a_fault(tmp_path: Path) -> None:
    play = tmp_path / "play.yml"
    play.write_text("---\n- hosts: api\n  tasks:\n    - command: date\n")

    done = run(tmp_path, "ansible-lint", "--offline", "--profile=production", "--nocolor", play)

    assert done.returncode != 0
    assert "fqcn" in done.stdout


@pytest.mark.parametrize("role", ORDER)
def test_a_role_says_what_it_takes_and_what_it_does_without(role: str) -> None:
    defaults = read(role, "defaults/main")

    assert purpose(role).endswith(".")
    assert set(options(role)) == set(defaults)
    for name, option in options(role).items():
        assert name.startswith(f"{role}_")
        assert option["description"].strip().endswith(".")
        assert {"type", "default"} <= set(option)
        if "{{" not in str(defaults[name]):
            assert option["default"] == defaults[name], name


def test_all_roles_are_run_and_the_one_that_shuts_root_out_is_the_last() -> None:
    plays = yaml.safe_load(SETUP.read_text())

    assert tuple(plays[-1]["roles"]) == ORDER
    assert {path.name for path in ROLES.iterdir()} == set(ORDER)
    assert ORDER[-1] == "ssh_hardening"


def names_of(tasks: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the names of tasks, those in blocks included."""
    for task in tasks:
        yield task["name"]
        yield from names_of(task.get("block", []))


def test_every_task_begins_with_what_it_does() -> None:
    files = [path for path in ROLES.rglob("*.yml") if path.parent.name in ("tasks", "handlers")]
    names = [name for path in files for name in names_of(yaml.safe_load(path.read_text()))]

    assert len(names) > 80
    assert {name.split()[0] for name in names} - VERBS == set()


def test_every_playbook_that_is_shown_is_there_and_understood(tmp_path: Path) -> None:
    page = (PROJECT / "docs" / "ansible.md").read_text()
    lines = re.findall(r"^\$ ansible-playbook (.*)$", page, re.MULTILINE)

    assert len(lines) >= 4
    for line in lines:
        done = run(tmp_path, "ansible-playbook", *shlex.split(line), "--syntax-check")
        assert done.returncode == 0, done.stderr


def test_collections_are_pinned_to_those_that_the_ansible_package_carries(tmp_path: Path) -> None:
    pinned = yaml.safe_load((ANSIBLE / "requirements.yml").read_text())["collections"]
    told = run(tmp_path, "ansible-galaxy", "collection", "list", "--format=json").stdout
    carried = {
        name: about["version"]
        for collections in json.loads(told).values()
        for name, about in collections.items()
    }

    used = {
        word.rpartition(".")[0]
        for path in ROLES.rglob("*.yml")
        for word in path.read_text().replace(":", " ").split()
        if word.startswith(("community.", "ansible.posix."))
        if word.count(".") == 2
    }

    page = (PROJECT / "docs" / "ansible.md").read_text()
    assert f"`pip install ansible=={version('ansible')}`" in page
    assert {it["name"]: it["version"] for it in pinned} == {name: carried[name] for name in used}


def test_the_image_of_the_proxy_is_the_one_that_restoops_runs() -> None:
    assert options("proxy")["proxy_image"]["default"] == Proxy().image


def test_what_a_first_boot_writes_is_taken_over_and_not_written_twice() -> None:
    files = PROJECT / "terraform" / "modules" / "api-cluster" / "files"
    unit = ROLES / "docker" / "files" / "restoops-metadata.service"

    assert unit.read_text() == (files / "metadata.service").read_text()
    boot = (files.parent / "user_data.tf").read_text()
    for path in ("/etc/ssh/sshd_config.d/10-restoops.conf", "/etc/apt/apt.conf.d/52restoops"):
        assert path in boot
        assert any(path in tasks.read_text() for tasks in ROLES.rglob("tasks/*.yml")), path


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_an_inventory_knows_its_environment_and_its_network(name: str, tmp_path: Path) -> None:
    hosts = tmp_path / "hosts.yml"
    hosts.write_text("api: {hosts: {a: {ansible_host: 203.0.113.10}}}\n")
    folder = ANSIBLE / "inventories" / name
    code = (PROJECT / "terraform" / "environments" / name / "main.tf").read_text()
    code += (PROJECT / "terraform" / "environments" / name / "variables.tf").read_text()

    told = json.loads(
        run(tmp_path, "ansible-inventory", "-i", folder, "-i", hosts, "--list").stdout
    )

    of_a = told["_meta"]["hostvars"]["a"]
    assert (of_a["restoops_environment"], of_a["ansible_user"]) == (name, "deploy")
    [network] = of_a["firewall_trusted"]
    assert network in code


def test_an_inventory_without_hosts_is_no_success(tmp_path: Path) -> None:
    done = run(tmp_path, "ansible-playbook", "-i", "inventories/dev", SETUP)

    assert done.returncode != 0
    assert "The group `api` of this inventory has no hosts" in done.stdout


def test_when_the_first_host_fails_the_others_are_left_alone(tmp_path: Path) -> None:
    hosts = tmp_path / "hosts.yml"
    nobody = {"ansible_host": "127.0.0.1", "ansible_port": 1}
    hosts.write_text(json.dumps({"api": {"hosts": {"a": nobody, "b": nobody}}}))

    done = run(tmp_path, "ansible-playbook", "-i", hosts, SETUP)

    assert done.returncode != 0
    asked = done.stdout.partition("TASK [Gather what the roles ask for]")[2]
    assert "[a]: UNREACHABLE!" in asked
    assert "[b]: UNREACHABLE!" not in asked


@pytest.mark.parametrize(
    ("distribution", "source", "engine", "plugins"),
    [
        pytest.param(DEBIAN, "docker", ["docker-ce", "docker-ce-cli", "containerd.io"],
                     ["docker-buildx-plugin", "docker-compose-plugin"], id="Debian, Docker's own"),
        pytest.param(JAMMY, "docker", ["docker-ce", "docker-ce-cli", "containerd.io"],
                     ["docker-buildx-plugin", "docker-compose-plugin"], id="22.04, Docker's own"),
        pytest.param(NOBLE, "distribution", ["docker.io", "containerd", "runc"],
                     ["docker-buildx", "docker-compose-v2"], id="24.04, Ubuntu's own"),
        pytest.param(DEBIAN, "distribution", ["docker.io", "containerd", "runc"], [],
                     id="Debian's own has no Buildx and no Compose v2"),
    ],
)  # fmt: skip
def test_docker_comes_from_where_it_is_asked_from(
    distribution: Distribution, source: str, engine: list[str], plugins: list[str], tmp_path: Path
) -> None:
    found = rendered(tmp_path, distribution, docker_source=source)

    assert found["supported"]
    assert found["packages"] == {"engine": engine, "plugins": plugins}
    assert found["repository"].endswith(f"docker.com/linux/{distribution.name.lower()}")
    assert all(f'"{name}' in found["updates"].replace("\\", "") for name in engine)
    daemon = json.loads(found["daemon"])
    assert daemon["default-ulimits"]["nofile"] == {"Name": "nofile", "Soft": 65536, "Hard": 65536}


def test_ubuntu_takes_ubuntus_security_upgrades_and_an_old_one_is_refused(tmp_path: Path) -> None:
    found = rendered(tmp_path, NOBLE)

    assert '"origin=Ubuntu,archive=${distro_codename}-security";' in found["updates"]
    assert "Debian" not in found["updates"].replace("on Debian", "")
    assert not rendered(tmp_path, OLD)["supported"]


def test_rules_are_those_of_the_settings(tmp_path: Path) -> None:
    found = rendered(
        tmp_path,
        DEBIAN,
        firewall_ssh_from=["203.0.113.0/24", "2001:db8::/32"],
        firewall_open_ports=[443],
        restoops_api_port="8443",
        firewall_trusted=["10.20.0.0/16"],
    )

    assert found["rules"] == [
        "restoops: SSH on 22 from 203.0.113.0/24",
        "restoops: SSH on 22 from 2001:db8::/32",
        "restoops: port 443",
        "restoops: port 8443",
        "restoops: network 10.20.0.0/16",
    ]


@pytest.mark.parametrize("role", ORDER)
def test_a_switch_that_the_command_line_turns_off_is_off(role: str) -> None:
    """`-e docker_upgrade=false` is a text that is not empty, and so true, without `| bool`."""
    used = "".join(path.read_text() for path in sorted((ROLES / role / "tasks").glob("*.yml")))
    for name, option in options(role).items():
        if option["type"] == "bool":
            uses = re.findall(rf"\b{name}\b(?: \| bool\b)?", used)
            assert uses, name
            assert set(uses) == {f"{name} | bool"}
