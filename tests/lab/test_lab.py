"""The lab is what it says: machines, a registry and releases that behave as described."""

import http.client
import json
import socket
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from docker import DockerClient
from docker.models.containers import Container

from tests.lab import images, naive
from tests.lab.droplet import Droplet, DropletFailed
from tests.lab.images import App
from tests.lab.patience import eventually
from tests.lab.registry import Registry, RegistryFailed
from tests.lab.releases import Releases

pytestmark = pytest.mark.lab


@dataclass(frozen=True, slots=True)
class Reply:
    """What the test app answered."""

    status: int
    body: str
    release: str | None


def ask(host: str, path: str, method: str = "GET") -> Reply:
    connection = http.client.HTTPConnection(host, naive.APP_PORT, timeout=10)
    try:
        connection.request(method, path, body=b"x" * 20_000 if method == "POST" else None)
        answer = connection.getresponse()
        return Reply(answer.status, answer.read().decode(), answer.getheader("X-Release"))
    finally:
        connection.close()


def health(host: str) -> tuple[int, dict[str, str]]:
    reply = ask(host, "/health")
    return reply.status, json.loads(reply.body)


def ssh(droplet: Droplet, key: Path, known_hosts: Path, command: str) -> str:
    known_hosts.write_text(droplet.known_hosts_line + "\n")
    options = ["BatchMode=yes", "StrictHostKeyChecking=yes", f"UserKnownHostsFile={known_hosts}"]
    argv = ["ssh", "-F", "none", "-i", str(key), *(f"-o{option}" for option in options)]
    done = subprocess.run(
        [*argv, f"deploy@{droplet.address}", command], check=True, capture_output=True, text=True
    )
    return done.stdout


def login(droplet: Droplet, registry: Registry) -> None:
    argv = ["docker", "login", "-u", registry.username, "-p", registry.password, registry.host]
    droplet.exec(argv)


def test_a_droplet_lets_deploy_in_with_strict_host_key_checking(
    droplet: Droplet, lab_key: Path, tmp_path: Path
) -> None:
    known_hosts = tmp_path / "known_hosts"
    assert ssh(droplet, lab_key, known_hosts, "id -un; sudo id -un").split() == ["deploy", "root"]
    version = ssh(droplet, lab_key, known_hosts, "docker version -f '{{.Server.Version}}'")
    assert version.startswith("20.10")


def test_every_droplet_has_its_own_host_key(
    droplet: Droplet, make_droplet: Callable[[], Droplet]
) -> None:
    other = make_droplet()
    assert other.host_key.startswith("ssh-ed25519 ")
    assert other.host_key != droplet.host_key
    other.close()


def test_a_droplet_pulls_a_release_and_runs_it_through_a_reboot(
    droplet: Droplet, registry: Registry, releases: Releases
) -> None:
    pushed = releases.push(App("r1"))
    with pytest.raises(DropletFailed, match="no basic auth credentials"):
        droplet.exec(["docker", "pull", pushed.reference])
    login(droplet, registry)
    droplet.exec(
        ["docker", "run", "-d", "--restart=always", "-p", "3001:3001", pushed.reference]
    )  # fmt: skip
    assert ask(droplet.address, "/") == Reply(200, "r1", "r1")

    before = droplet.known_hosts_line
    droplet.reboot()
    assert droplet.known_hosts_line == before
    naive.await_listening(droplet.address, naive.APP_PORT)
    assert ask(droplet.address, "/").body == "r1"


def test_a_paused_droplet_does_not_answer(droplet: Droplet) -> None:
    droplet.pause()
    try:
        with socket.create_connection((droplet.address, 22), timeout=1) as connection:
            connection.settimeout(0.3)
            with pytest.raises(TimeoutError):
                connection.recv(4)
    finally:
        droplet.unpause()


def test_a_file_can_be_put_on_a_droplet(droplet: Droplet) -> None:
    droplet.write("/etc/motd", "hello\n")
    assert droplet.exec(["cat", "/etc/motd"]) == "hello\n"


@pytest.mark.full
def test_a_large_output_comes_whole_each_time(droplet: Droplet) -> None:
    text = "".join(f"line {number}\n" for number in range(10_000))
    droplet.write("/root/large", text)

    assert {droplet.exec(["cat", "/root/large"]) == text for _ in range(200)} == {True}


def test_the_registry_moves_and_deletes_tags(registry: Registry, releases: Releases) -> None:
    first, second = (releases.push(App(name), "restoops/tags") for name in ("t1", "t2"))
    assert first.digest != second.digest
    registry.move_tag(first.repository, "production", to=first.tag)
    registry.move_tag(first.repository, "production", to=second.digest)
    assert registry.digest(first.repository, "production") == second.digest
    assert registry.tags(first.repository) == ["production", "sha-t1", "sha-t2"]

    registry.delete(first.repository, second.digest)
    assert registry.tags(first.repository) == ["sha-t1"]
    with pytest.raises(RegistryFailed, match="404"):
        registry.digest(first.repository, "production")
    assert f"DELETE /v2/{first.repository}" in registry.log.read_text()


def test_the_registry_keeps_its_images_through_an_outage(
    registry: Registry, releases: Releases
) -> None:
    pushed = releases.push(App("r1"))
    registry.stop()
    try:
        with pytest.raises(ConnectionRefusedError):
            registry.digest(pushed.repository, pushed.tag)
    finally:
        registry.start()
    assert registry.digest(pushed.repository, pushed.tag) == pushed.digest


def test_a_healthy_app_answers(engine: DockerClient) -> None:
    with naive.running(engine, App("r1")) as app:
        host = naive.address(app)
        assert health(host) == (200, {"status": "ok", "release": "r1"})
        assert ask(host, "/") == Reply(200, "r1", "r1")
        assert ask(host, "/nowhere").status == 404
        assert ask(host, "/anywhere", "POST") == Reply(200, "r1", "r1")
        ask(host, "/break", "POST")
        assert (health(host)[0], ask(host, "/").status) == (503, 200)
        ask(host, "/mend", "POST")
        assert health(host)[0] == 200


def test_a_slow_starter_becomes_healthy(engine: DockerClient) -> None:
    with naive.running(engine, App("r1", "slow-start", start_delay_s=60)) as app:
        host = naive.address(app)
        assert (health(host)[0], ask(host, "/").status) == (503, 503)
        ask(host, "/mend", "POST")
        assert (health(host)[0], ask(host, "/").status) == (200, 200)
    with naive.running(engine, App("r1", "slow-start", start_delay_s=1)) as app:
        host = naive.address(app)
        assert eventually(lambda: health(host)[0] == 200)


def test_a_flapping_app_alternates(engine: DockerClient) -> None:
    with naive.running(engine, App("r1", "flapping")) as app:
        statuses = [health(naive.address(app))[0] for _ in range(4)]
    assert statuses == [200, 500, 200, 500]


def test_a_crashing_app_says_why(engine: DockerClient) -> None:
    with naive.running(engine, App("r1", "crash")) as app:
        assert app.wait(timeout=10)["StatusCode"] == 3
        log = app.logs().decode().splitlines()
    assert len(log) == 3
    assert log[1].startswith("fatal: cannot read configuration")


def test_an_app_that_never_becomes_healthy_says_why(engine: DockerClient) -> None:
    with naive.running(engine, App("r1", "never-healthy")) as app:
        status, told = health(naive.address(app))
    assert (status, told["reason"]) == (503, "database: connection refused")


def test_the_health_path_can_be_missing(engine: DockerClient) -> None:
    with naive.running(engine, App("r1", health_404=True)) as app:
        assert ask(naive.address(app), "/health").status == 404


def stop_with_a_request_under_way(app: Container) -> tuple[str, list[str]]:
    """Return what became of the request, and what the app logged."""
    host, outcome = naive.address(app), list[str]()

    def request() -> None:
        try:
            outcome.append(ask(host, "/slow?s=3").body)
        except (ConnectionError, http.client.HTTPException):
            outcome.append("cut")

    assert eventually(lambda: established(app) == 0)
    client = threading.Thread(target=request)
    client.start()
    assert eventually(lambda: established(app) > 0)
    app.stop(timeout=10)
    client.join()
    return outcome[0], app.logs().decode().splitlines()


def established(app: Container) -> int:
    """Count the open connections of an app; its image has no program that could be asked."""
    app.reload()
    table = Path(f"/proc/{app.attrs['State']['Pid']}/net/tcp").read_text()
    return sum(line.split()[3] == "01" for line in table.splitlines()[1:])


@pytest.mark.parametrize(
    ("term", "outcome"),
    [
        pytest.param("graceful", "r1", id="a graceful app finishes the request"),
        pytest.param("rude", "cut", id="a rude app cuts the request"),
    ],
)
def test_sigterm(engine: DockerClient, term: str, outcome: str) -> None:
    with naive.running(engine, App("r1", term=term)) as app:
        became, log = stop_with_a_request_under_way(app)
        app.reload()
        assert app.attrs["State"]["ExitCode"] == 0
    assert became == outcome
    assert log == [
        "r1: listening on port 3001 (healthy)",
        f"r1: signal 15, stopping ({term}), 1 connections open",
        "r1: exit 0",
    ]


def test_proxy_images_differ_by_a_label_only(engine: DockerClient) -> None:
    first, second = (engine.images.get(images.haproxy(engine, name)) for name in ("a", "b"))
    assert first.id != second.id
    assert first.attrs["RootFS"] == second.attrs["RootFS"]
    assert first.attrs["Config"]["StopSignal"] == "SIGUSR1"
