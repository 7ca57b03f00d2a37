"""SSH: who a host is, is checked; what `ssh` can reach from here, restoops can."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import MakeDroplet
from tests.e2e.conditions import done_and_undone, refused, settings, shell, unchanged
from tests.lab.droplet import Droplet
from tests.lab.images import App
from tests.lab.operator import Operator
from tests.lab.releases import Releases

pytestmark = pytest.mark.lab

RELEASE = "ccccccc"
SSH_PORT = 2222
HARDENING = """\
Port 22
Port 2222
AllowTcpForwarding no
AllowStreamLocalForwarding no
MaxSessions 10
MaxAuthTries 3
"""


@pytest.fixture(scope="module")
def hardened(operator: Operator, releases: Releases) -> Operator:
    """An operator whose droplet is hardened and listens on two ports."""
    releases.push(App(RELEASE))
    operator.droplet.write("/etc/ssh/sshd_config.d/hardening.conf", HARDENING)
    shell(operator.droplet, "systemctl restart ssh")
    operator.deploy(RELEASE)
    return operator


@pytest.fixture(autouse=True)
def _home(hardened: Operator) -> Iterator[None]:
    """Give the home of the operator back as it was."""
    ssh = hardened.folder / ".ssh"
    kept = hardened.folder / "kept"
    shutil.copytree(ssh, kept)
    yield
    shutil.rmtree(ssh, ignore_errors=True)
    kept.rename(ssh)


def fingerprint(droplet: Droplet) -> str:
    """What a person reads on the droplet's own console."""
    return shell(droplet, "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub").split()[1]


def written(operator: Operator, text: str) -> None:
    """Write `~/.ssh/config`."""
    (operator.folder / ".ssh" / "config").write_text(text)


def hosts(name: str) -> dict[str, object]:
    return {"staging": {"hosts": [name]}}


def from_config(operator: Operator) -> dict[str, object]:
    """Settings that leave all to `~/.ssh/config`."""
    del operator
    return {"user": None, "key": None, "port": None}


# Who the host is


def refused_and_then_known(operator: Operator, name: str) -> None:
    """An unknown host is refused; the line that the hint gives makes it known."""
    with unchanged(operator.droplet):
        outcome = operator.run("deploy", RELEASE, "staging")

    refused(outcome, 5, "unknown host key ssh-ed25519", fingerprint(operator.droplet))
    assert "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub" in outcome.stderr
    [line] = [row.strip() for row in outcome.stderr.splitlines() if "AAAA" in row]
    assert line == f"{name} {operator.droplet.host_key}"
    operator.known_hosts.parent.mkdir(exist_ok=True)
    operator.known_hosts.write_text(line + "\n")
    operator.deploy(RELEASE)


def test_an_unknown_host_is_refused(hardened: Operator) -> None:
    hardened.known_hosts.write_text(f"198.18.23.99 {hardened.droplet.host_key}\n")

    refused_and_then_known(hardened, hardened.droplet.address)


def test_an_unknown_host_is_refused_without_a_known_hosts_file(hardened: Operator) -> None:
    hardened.known_hosts.unlink()

    refused_and_then_known(hardened, hardened.droplet.address)


def test_an_unknown_host_is_refused_without_any_ssh_directory(hardened: Operator) -> None:
    shutil.rmtree(hardened.known_hosts.parent)

    refused_and_then_known(hardened, hardened.droplet.address)


def test_an_unknown_host_on_another_port_is_refused(hardened: Operator) -> None:
    with settings(hardened, ssh={"port": SSH_PORT}):
        refused_and_then_known(hardened, f"[{hardened.droplet.address}]:{SSH_PORT}")


@pytest.mark.parametrize("port", [22, SSH_PORT])
def test_a_changed_host_key_is_refused(hardened: Operator, tmp_path: Path, port: int) -> None:
    other = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(other)], check=True)
    on_record = " ".join(other.with_suffix(".pub").read_text().split()[:2])
    name = hardened.droplet.address if port == 22 else f"[{hardened.droplet.address}]:{port}"
    hardened.known_hosts.write_text(f"{name} {on_record}\n")
    old = subprocess.run(
        ["ssh-keygen", "-lf", str(other)], check=True, capture_output=True, text=True
    ).stdout.split()[1]

    with settings(hardened, ssh={"port": port}), unchanged(hardened.droplet):
        outcome = hardened.run("deploy", RELEASE, "staging")

    now = fingerprint(hardened.droplet)
    refused(outcome, 5, f"the host key has changed: now {now}, on record {old}")
    assert f"ssh-keygen -f ~/.ssh/known_hosts -R '{name}'" in outcome.stderr
    assert f"{name} {hardened.droplet.host_key}" in outcome.stderr


def test_nothing_is_learned_from_a_refusal(hardened: Operator) -> None:
    hardened.known_hosts.unlink()
    hardened.run("deploy", RELEASE, "staging")

    assert not hardened.known_hosts.exists()
    refused(hardened.run("status", "staging"), 5, "unknown host key")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"host ssh-ed25519 A\n", id="cut-off key"),
        pytest.param(b"\xff\xfe\x00", id="no text"),
    ],
)
def test_a_damaged_known_hosts_file(hardened: Operator, content: bytes) -> None:
    hardened.known_hosts.write_bytes(content)

    refused(hardened.run("deploy", RELEASE, "staging"), 5, "known_hosts cannot be read")


def test_hashed_and_port_specific_known_hosts(hardened: Operator) -> None:
    name = f"[{hardened.droplet.address}]:{SSH_PORT}"
    hardened.known_hosts.write_text(f"{name} {hardened.droplet.host_key}\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(hardened.known_hosts)], check=True)
    assert hardened.droplet.address not in hardened.known_hosts.read_text()

    with settings(hardened, ssh={"port": SSH_PORT}):
        hardened.deploy(RELEASE)


def test_a_host_known_by_its_rsa_key_alone(hardened: Operator) -> None:
    make = "ssh-keygen -q -t rsa -b 2048 -N '' -f /etc/ssh/ssh_host_rsa_key"
    line = "HostKey /etc/ssh/ssh_host_rsa_key"
    do = f"{make}; echo {line} >/etc/ssh/sshd_config.d/rsa.conf; systemctl restart ssh"
    undo = "rm /etc/ssh/sshd_config.d/rsa.conf /etc/ssh/ssh_host_rsa_key*; systemctl restart ssh"
    with done_and_undone(hardened.droplet, do, undo):
        key = shell(hardened.droplet, "cat /etc/ssh/ssh_host_rsa_key.pub").split()[:2]
        hardened.known_hosts.write_text(f"{hardened.droplet.address} {' '.join(key)}\n")
        hardened.deploy(RELEASE)


# How it is reached


def test_an_alias_with_all_its_settings(hardened: Operator, lab_key: Path) -> None:
    folder = hardened.folder / ".ssh"
    shutil.copy(lab_key, folder / "a key")
    port = f"[{hardened.droplet.address}]:{SSH_PORT}"
    (folder / "elsewhere").write_text(f"{port} {hardened.droplet.host_key}\n")
    hardened.known_hosts.unlink()
    written(
        hardened,
        f"""
        Host shop
            HostName {hardened.droplet.address}
            Port {SSH_PORT}
            User deploy
            IdentityFile "~/.ssh/a key"
            IdentitiesOnly yes
            UserKnownHostsFile ~/.ssh/elsewhere
        Host *
            User nobody
            Port 1
        """,
    )
    with settings(hardened, ssh=from_config(hardened), environments=hosts("shop")):
        hardened.deploy(RELEASE)
        (folder / "elsewhere").unlink()
        outcome = hardened.run("deploy", RELEASE, "staging")

    refused(outcome, 5, "unknown host key", "add this line to ~/.ssh/elsewhere")


def test_settings_win_over_the_ssh_configuration(hardened: Operator) -> None:
    written(hardened, "Host *\n  Port 1\n  User nobody\n  IdentityFile /nowhere\n")

    with settings(hardened, ssh={"port": 22}):
        hardened.deploy(RELEASE)


def test_a_host_key_alias(hardened: Operator) -> None:
    written(hardened, f"Host {hardened.droplet.address}\n  HostKeyAlias shop-1\n")
    hardened.known_hosts.write_text(f"shop-1 {hardened.droplet.host_key}\n")

    hardened.deploy(RELEASE)


@contextmanager
def agent(operator: Operator, keys: list[Path]) -> Iterator[None]:
    """Run a real ssh-agent with these keys, in this order."""
    path = operator.folder / "agent"
    process = subprocess.Popen(
        ["ssh-agent", "-D", "-a", str(path)], stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL
    )
    try:
        while not path.exists():
            assert process.poll() is None
        env = {**os.environ, "SSH_AUTH_SOCK": str(path)}
        for key in keys:
            subprocess.run(["ssh-add", "-q", str(key)], env=env, check=True)
        operator.env["SSH_AUTH_SOCK"] = str(path)
        yield
    finally:
        operator.env.pop("SSH_AUTH_SOCK", None)
        process.terminate()
        process.wait()


def made_keys(folder: Path, count: int) -> list[Path]:
    paths = [folder / f"key{number}" for number in range(count)]
    for path in paths:
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return paths


def test_an_agent_without_any_key_file(hardened: Operator, lab_key: Path) -> None:
    with agent(hardened, [lab_key]), settings(hardened, ssh={"key": None}):
        hardened.deploy(RELEASE)


def test_an_agent_with_as_many_keys_as_may_be_tried(
    hardened: Operator, lab_key: Path, tmp_path: Path
) -> None:
    keys = [*made_keys(tmp_path, 2), lab_key]
    with agent(hardened, keys), settings(hardened, ssh={"key": None}):
        hardened.deploy(RELEASE)


def test_a_key_that_is_named_is_tried_before_the_many_of_an_agent(
    hardened: Operator, tmp_path: Path
) -> None:
    with agent(hardened, made_keys(tmp_path, 5)):
        hardened.deploy(RELEASE)


def test_an_agent_with_more_keys_than_may_be_tried(
    hardened: Operator, lab_key: Path, tmp_path: Path
) -> None:
    keys = [*made_keys(tmp_path, 5), lab_key]
    with agent(hardened, keys), settings(hardened, ssh={"key": None}):
        outcome = hardened.run("deploy", RELEASE, "staging")

    refused(outcome, 5, "login refused", "after too many keys", "`ssh.key`")


def test_a_jump_host_and_two(hardened: Operator, make_droplet: MakeDroplet) -> None:
    with make_droplet() as first, make_droplet() as second:
        for jump in (first, second):
            with hardened.known_hosts.open("a") as file:
                file.write(jump.known_hosts_line + "\n")
        shell(
            hardened.droplet, f"iptables -I INPUT -p tcp --dport 22 ! -s {second.address} -j DROP"
        )
        try:
            config = "Host {0}\n  ProxyJump {1}\n"
            target = hardened.droplet.address
            with settings(hardened, ssh={"connect_timeout_s": 2}):
                refused(hardened.run("deploy", RELEASE, "staging"), 5, "cannot connect: timed out")
            written(hardened, config.format(target, second.address))
            hardened.deploy(RELEASE)
            shell(second, f"iptables -I INPUT -p tcp --dport 22 ! -s {first.address} -j DROP")
            written(hardened, config.format(target, f"{first.address},deploy@{second.address}:22"))
            hardened.deploy(RELEASE)
            shell(first, "echo AllowTcpForwarding no >/etc/ssh/sshd_config.d/a.conf; "
                  "systemctl restart ssh")  # fmt: skip
            outcome = hardened.run("deploy", RELEASE, "staging")
        finally:
            shell(hardened.droplet, "iptables -F INPUT")

    refused(outcome, 5, "cannot connect through the jump host", "AllowTcpForwarding")


def test_an_unknown_jump_host_is_refused(hardened: Operator, make_droplet: MakeDroplet) -> None:
    with make_droplet() as jump:
        written(hardened, f"Host {hardened.droplet.address}\n  ProxyJump {jump.address}\n")
        with unchanged(hardened.droplet):
            outcome = hardened.run("deploy", RELEASE, "staging")

        refused(outcome, 5, "unknown host key ssh-ed25519", fingerprint(jump), jump.address)
        with hardened.known_hosts.open("a") as file:
            file.write(jump.known_hosts_line + "\n")
        hardened.deploy(RELEASE)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        pytest.param("Host *\n  ProxyJump bastion\n", "in a circle", id="jumps in a circle"),
        pytest.param("Host *\n  Port many\n", "a port that is none", id="a port that is none"),
        pytest.param("Host *\n  ProxyJump [::1]:x\n", "a port that is none", id="port of a jump"),
        pytest.param("Match exec true\n  User deploy\n", "Match exec", id="programs to run"),
        pytest.param("\0\udcff", "cannot be read", id="no text"),
    ],
)
def test_an_ssh_configuration_that_cannot_be_used(
    hardened: Operator, config: str, message: str
) -> None:
    path = hardened.folder / ".ssh" / "config"
    path.write_bytes(config.encode(errors="surrogateescape"))

    refused(hardened.run("deploy", RELEASE, "staging"), 2, message, "~/.ssh/config")


def test_a_host_with_too_few_sessions(hardened: Operator) -> None:
    do = (
        "sed -i 's/MaxSessions.*/MaxSessions 2/' /etc/ssh/sshd_config.d/hardening.conf; "
        "systemctl restart ssh"
    )
    with done_and_undone(hardened.droplet, do, do.replace("MaxSessions 2", "MaxSessions 10")):
        outcome = hardened.run("deploy", RELEASE, "staging")

    refused(outcome, 5, "sshd refuses another session", "MaxSessions")
