"""What goes wrong is told with its exit status and what to do now, and nothing has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from docker import DockerClient

from tests.e2e import conditions
from tests.e2e.conditions import (
    held_lock,
    refused,
    settings,
    shell,
    unchanged,
    wait_until_resolved,
)
from tests.e2e.inside import answering, assert_at_rest
from tests.lab.droplet import Droplet
from tests.lab.images import App
from tests.lab.operator import APP, PORT, Operator, finish
from tests.lab.patience import eventually
from tests.lab.registry import Registry
from tests.lab.releases import REPOSITORY, Releases

pytestmark = pytest.mark.lab

OLD, NEW = "bbbbbb1", "bbbbbb2"
IMPATIENT: dict[str, object] = {"connect_timeout_s": 2}
"""For who is to find out that nobody answers."""


@pytest.fixture(scope="module")
def serving(operator: Operator, releases: Releases) -> Operator:
    """An operator on whose host OLD serves; NEW is in the registry and not on the host."""
    releases.push(App(OLD))
    releases.push(App(NEW))
    operator.deploy(OLD)
    return operator


@pytest.fixture(autouse=True)
def _still_serving(request: pytest.FixtureRequest) -> Iterator[None]:
    """After each fault has gone, the release from before serves and the host is at peace."""
    yield
    if "serving" in request.fixturenames:
        operator: Operator = request.getfixturevalue("serving")
        status = operator.status()
        assert status["serving"]["release"]["tag"] == f"sha-{OLD}", status
        assert status["open_run"] is None


# The registry


def test_a_registry_that_is_down(serving: Operator, registry: Registry) -> None:
    registry.stop()
    try:
        with unchanged(serving.droplet):
            outcome = serving.run("deploy", NEW, "staging")
    finally:
        registry.start()

    refused(outcome, 5, f"registry {registry.host} does not answer", "refused", "rollback")


@pytest.mark.full
def test_a_registry_that_says_nothing(serving: Operator) -> None:
    with (
        conditions.silent_server() as port,
        settings(serving, registry={"host": f"127.0.0.1:{port}"}),
        unchanged(serving.droplet),
    ):
        outcome = serving.run("deploy", NEW, "staging")

    refused(outcome, 5, f"registry 127.0.0.1:{port} does not answer", "timed out")


def test_wrong_credentials(serving: Operator, registry: Registry) -> None:
    wrong = {"GITHUB_TOKEN": "ghp_wrong-and-secret"}
    with unchanged(serving.droplet):
        outcome = serving.run("deploy", NEW, "staging", env=wrong)

    refused(outcome, 5, f"{registry.host} refused user restoops", "GITHUB_TOKEN", "docker login")
    assert "ghp_wrong-and-secret" not in outcome.stdout + outcome.stderr


def test_no_credentials(serving: Operator, registry: Registry) -> None:
    with unchanged(serving.droplet):
        outcome = serving.run("deploy", NEW, "staging", env={"REGISTRY_USERNAME": ""})

    refused(outcome, 5, f"{registry.host} refused us without credentials", "REGISTRY_USERNAME")


def test_a_tag_that_is_missing(serving: Operator) -> None:
    with unchanged(serving.droplet):
        outcome = serving.run("deploy", f"{OLD[:6]}9", "staging")

    refused(outcome, 1, f"{REPOSITORY}:sha-{OLD[:6]}9 is not in the registry", f"sha-{OLD}")


def test_an_image_that_is_deleted_between_resolve_and_pull(
    serving: Operator, releases: Releases, registry: Registry
) -> None:
    gone = releases.push(App("bbbbbb3"))
    history = shell(serving.droplet, f"wc -l <{conditions.STATE}/{APP}/history.jsonl")
    with held_lock(serving.droplet):
        process = serving.start("deploy", gone.tag, "staging", "--wait", "60")
        wait_until_resolved(registry, gone.tag)
        registry.delete(REPOSITORY, gone.digest)
    outcome = finish(process)

    refused(outcome, 1, f"pull of {gone.reference} failed", "--list")
    after = shell(serving.droplet, f"wc -l <{conditions.STATE}/{APP}/history.jsonl")
    assert int(after) == int(history) + 1
    assert gone.digest not in shell(serving.droplet, "docker ps -a --format '{{.Labels}}'")


# The host is not reached


def test_a_host_that_refuses_connections(serving: Operator) -> None:
    with settings(serving, ssh={"port": 2}), unchanged(serving.droplet):
        outcome = serving.run("deploy", NEW, "staging")

    address = serving.droplet.address
    refused(outcome, 5, f"deploy@{address} port 2: cannot connect", "refused", "Is the droplet on")


def test_a_host_behind_a_firewall_that_drops(serving: Operator) -> None:
    with (
        conditions.dropping(serving.droplet),
        settings(serving, ssh=IMPATIENT),
        unchanged(serving.droplet),
    ):
        outcome = serving.run("deploy", NEW, "staging")

    refused(outcome, 5, "port 22: cannot connect: timed out", "Is the droplet on")


def test_a_host_that_accepts_and_hangs(serving: Operator) -> None:
    with (
        conditions.silent_server() as port,
        settings(serving, ssh={"port": port, **IMPATIENT}, environments=staging("127.0.0.1")),
    ):
        outcome = serving.run("deploy", NEW, "staging")

    where = f"deploy@127.0.0.1 port {port}: cannot connect: "
    refused(outcome, 5, where, "accepts connections there, but says nothing", "Is the droplet on")


def test_a_host_that_hangs_while_we_wait_for_its_lock(serving: Operator) -> None:
    with settings(serving, ssh={"answer_timeout_s": 3}), held_lock(serving.droplet):
        process = serving.start("deploy", NEW, "staging", "--wait", "600")
        assert process.stderr
        assert "waiting for" in process.stderr.readline()
        serving.droplet.pause()
        try:
            outcome = finish(process)
        finally:
            process.kill()
            serving.droplet.unpause()

    refused(outcome, 5, "the SSH connection was lost: the host does not answer any more")


def test_a_wrong_user(serving: Operator) -> None:
    with settings(serving, ssh={"user": "ubuntu"}), unchanged(serving.droplet):
        outcome = serving.run("deploy", NEW, "staging")

    refused(outcome, 5, "ubuntu@", "login refused", "`ssh.user`", "ssh-add -l")


def test_a_key_that_is_not_there(serving: Operator) -> None:
    with settings(serving, ssh={"key": "~/.ssh/moved"}), unchanged(serving.droplet):
        outcome = serving.run("deploy", NEW, "staging")

    refused(outcome, 5, "login refused", "~/.ssh/moved", "is not there")


# The host lacks something

Fault = Callable[[Droplet], AbstractContextManager[None]]


@pytest.mark.parametrize(
    ("fault", "message", "hint"),
    [
        pytest.param(conditions.docker_missing, "docker is not installed",
                     "apt-get install docker.io", id="Docker missing"),
        pytest.param(conditions.engine_stopped, "the Docker engine does not run",
                     "systemctl start docker", id="Docker stopped"),
        pytest.param(conditions.not_in_group, "deploy may not use Docker",
                     "usermod -aG docker deploy", id="user not in group docker"),
    ],
)  # fmt: skip
def test_docker_out_of_reach(serving: Operator, fault: Fault, message: str, hint: str) -> None:
    before = conditions.snapshot(serving.droplet)
    with fault(serving.droplet):
        outcome = serving.run("deploy", NEW, "staging")

    refused(outcome, 5, f"{serving.droplet.address}: {message}", hint)
    assert conditions.snapshot(serving.droplet) == before


def test_a_state_directory_that_cannot_be_made(serving: Operator) -> None:
    with (
        conditions.no_sudo(serving.droplet),
        settings(serving, host={"state_dir": "/srv/elsewhere"}),
        unchanged(serving.droplet),
    ):
        outcome = serving.run("deploy", NEW, "staging")

    refused(
        outcome,
        1,
        "/srv/elsewhere/testapp cannot be made",
        "sudo install -d -o $(id -un) -m 0750 /srv",
    )


def test_a_host_without_flock(serving: Operator) -> None:
    with conditions.away(serving.droplet, "/usr/bin/flock"), unchanged(serving.droplet):
        outcome = serving.run("deploy", NEW, "staging")

    refused(outcome, 5, "flock is not installed", "util-linux")


def test_a_subnet_that_another_network_has(serving: Operator) -> None:
    """A second application on the host that was given a range in use."""
    taken = conditions.overlapping_network(serving.droplet, "172.31.0.0/16")
    with taken, other_app(serving, "172.31.7.0/24"):
        outcome = serving.run("deploy", NEW, "staging")
        left = shell(serving.droplet, "docker ps -aq -f label=restoops.app=other")

    refused(outcome, 1, "cannot make network other (172.31.7.0/24)", "set `network.subnet`")
    assert left == ""


def test_a_port_that_is_taken(serving: Operator) -> None:
    with (
        conditions.port_taken(serving.droplet, 3055),
        other_app(serving, "172.30.9.0/24", port=3055),
    ):
        outcome = serving.run("deploy", NEW, "staging")
        left = shell(serving.droplet, "docker ps -aq -f label=restoops.app=other")

    refused(outcome, 1, "port 3055 is taken by another program", "sport = :3055", "proxy.port")
    assert left == ""


def test_a_new_port_of_ours_that_is_taken_leaves_the_proxy_alone(serving: Operator) -> None:
    with (
        conditions.port_taken(serving.droplet, 3056),
        settings(serving, proxy={"port": 3056}),
    ):
        outcome = serving.run("deploy", NEW, "staging")
        served = shell(serving.droplet, f"curl -sD - localhost:{PORT}/")
        files = shell(serving.droplet, f"ls {conditions.STATE}/{APP}/proxy")
        (proxy,) = assert_at_rest(serving.droplet).proxies.values()
        shell(serving.droplet, f"docker restart {proxy.id}")
        still_serves = eventually(lambda: answering(serving.url) == OLD)

    refused(outcome, 1, "port 3056 is taken by another program")
    assert f"x-release: {OLD}" in served.lower()
    assert files.count("haproxy-") == 1, files
    assert still_serves, "what a restarted proxy reads is what it was started with"


def test_a_container_of_somebody_else_with_our_name(serving: Operator) -> None:
    image = shell(serving.droplet, "docker ps -q --no-trunc | xargs docker inspect -f '{{.Image}}'")
    name = f"{APP}-green"
    foreign = conditions.done_and_undone(
        serving.droplet, f"docker create --name {name} {image.split()[0]}", f"docker rm {name}"
    )
    with foreign:
        outcome = serving.run("deploy", NEW, "staging")
        assert shell(serving.droplet, f"docker ps -aqf name={APP}-green") != ""

    refused(outcome, 1, f"/{APP}-green", "is already in use", "docker rename")


def test_a_health_path_that_is_not_there(serving: Operator) -> None:
    with settings(serving, health={"path": "/helth"}):
        outcome = serving.run("deploy", NEW, "staging")
    # As long as HAProxy needs to find a release unhealthy.
    answers = shell(
        serving.droplet,
        f"for n in $(seq 30); do curl -so /dev/null -w '%{{http_code}} ' localhost:{PORT}/; "
        "sleep .1; done",
    )

    refused(outcome, 1, "on /helth within 5 s; last answer: 404", "`health.path`")
    assert set(answers.split()) == {"200"}
    serving.deploy(OLD)  # The proxy goes back to the settings of before.


# A disk that is full


def test_a_disk_without_room_for_our_files(serving: Operator) -> None:
    with (
        conditions.full(serving.droplet, "/srv/small", "64k"),
        other_app(serving, "172.30.9.0/24"),
        settings(serving, host={"state_dir": "/srv/small"}),
    ):
        outcome = serving.run("deploy", NEW, "staging")
        left = shell(serving.droplet, "docker ps -aq -f label=restoops.app=other")

    refused(outcome, 1, "cannot write to /srv/small/other", "No space left", "`df -h` there")
    assert left == ""


def test_a_disk_without_room_for_the_image(
    serving: Operator, engine: DockerClient, registry: Registry
) -> None:
    """Docker stages what it pulls in `tmp` of its directory: that file system is full."""
    # Releases of the test app share their one layer, which is on the host already.
    with conditions.image_of_random_bytes(engine) as image:
        registry.push(engine, image, REPOSITORY, "sha-bbbbbb6")
    fills_up = conditions.full(serving.droplet, "/var/lib/docker/tmp", "64k")
    with fills_up, conditions.unchanged_but_for_history(serving.droplet):
        outcome = serving.run("deploy", "bbbbbb6", "staging")

    refused(outcome, 1, "pull of ", "no space left", "docker system df")


# Files, locks, configuration


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param("{not json", "flock -n lock mv run.json", id="no JSON"),
        pytest.param('{"v": 2}', "by another version of restoops", id="of another version"),
        pytest.param("[" * 100_000, "flock -n lock mv run.json", id="nested beyond measure"),
        pytest.param("\\xff\\x00\\xfe binary\\n\\xe2", "flock -n lock mv run.json",
                     id="no text at all"),
    ],
)  # fmt: skip
def test_a_run_file_that_cannot_be_read(serving: Operator, content: str, told: str) -> None:
    path = f"{conditions.STATE}/{APP}/run.json"
    serving.droplet.write("/root/run", content)
    broken = conditions.done_and_undone(
        serving.droplet, f"printf '%b' \"$(cat /root/run)\" >{path}", f"rm {path}"
    )
    with broken, unchanged(serving.droplet):
        outcome = serving.run("deploy", NEW, "staging")
        looked = serving.run("status", "staging")

    refused(outcome, 3, path, told)
    refused(looked, 3, path, told)


def test_a_lock_that_another_run_holds(serving: Operator) -> None:
    with held_lock(serving.droplet), unchanged(serving.droplet):
        outcome = serving.run("deploy", NEW, "staging")

    refused(outcome, 4, "another run holds the lock", "lab from lab, for `a test`", "--wait")


def test_one_of_two_hosts_that_is_not_there(serving: Operator) -> None:
    hosts = staging(serving.droplet.address, "198.18.23.250")
    with settings(serving, ssh=IMPATIENT, environments=hosts), unchanged(serving.droplet):
        outcome = serving.run("deploy", NEW, "staging")

    refused(outcome, 5, "198.18.23.250: ", "Is the droplet on")


def test_a_tag_that_moves_between_resolve_and_pull(
    serving: Operator, releases: Releases, registry: Registry
) -> None:
    """What was resolved is deployed; where the tag went later does not matter."""
    wanted, other = releases.push(App("bbbbbb4")), releases.push(App("bbbbbb5"))
    with held_lock(serving.droplet):
        process = serving.start("deploy", wanted.tag, "staging", "--wait", "60")
        wait_until_resolved(registry, wanted.tag)
        registry.move_tag(REPOSITORY, wanted.tag, other.tag)
    outcome = finish(process)

    assert outcome.status == 0, outcome
    assert registry.digest(REPOSITORY, wanted.tag) == other.digest
    assert serving.status()["serving"]["release"]["digest"] == wanted.digest
    assert shell(serving.droplet, f"curl -s localhost:{PORT}/").strip() == "bbbbbb4"
    serving.rollback()


def staging(*hosts: str) -> dict[str, object]:
    return {"staging": {"hosts": list(hosts)}}


def other_app(operator: Operator, subnet: str, port: int = 3050) -> AbstractContextManager[None]:
    """Let the operator deploy another application to the same host."""
    return settings(
        operator, app={"name": "other"}, network={"subnet": subnet}, proxy={"port": port}
    )
