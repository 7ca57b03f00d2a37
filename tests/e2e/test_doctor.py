"""`restoops doctor` finds what is missing, here and on the host, and says how to get it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from tests.e2e import conditions
from tests.e2e.conditions import settings, unchanged
from tests.lab.droplet import Droplet
from tests.lab.images import App
from tests.lab.operator import PORT, Operator, Outcome
from tests.lab.registry import Registry
from tests.lab.releases import Releases

pytestmark = pytest.mark.lab

HERE = ["Python", "restoops.yaml", "SSH key or agent", "registry"]
THERE = [
    "known_hosts entry", "SSH login", "bash", "flock", "state directory", "docker command",
    "Docker engine", "disk", "subnet", "port", "proxy",
]  # fmt: skip
RELEASE = "aaaaaa1"
Fault = Callable[[Droplet], AbstractContextManager[None]]


@pytest.fixture(scope="module")
def ready(operator: Operator, releases: Releases) -> Operator:
    releases.push(App(RELEASE))
    return operator


def checks(outcome: Outcome) -> dict[str, dict[str, Any]]:
    """What was found, by name of the check."""
    return {event["what"]: event for event in outcome.events if "what" in event}


def not_ok(outcome: Outcome) -> set[tuple[str, str]]:
    return {
        (name, check["result"])
        for name, check in checks(outcome).items()
        if check["result"] not in ("ok", "not checked")
    }


def test_a_fresh_host_that_is_ready_and_one_that_serves(ready: Operator) -> None:
    fresh = ready.must("doctor", "staging", "--json")
    assert list(checks(fresh)) == HERE + THERE
    assert not_ok(fresh) == set()
    assert checks(fresh)["port"]["found"] == f"{PORT} is free"
    ready.deploy(RELEASE)

    with unchanged(ready.droplet):
        serving = ready.must("doctor", "staging", "--json")

    assert not_ok(serving) == set()
    assert checks(serving)["port"]["found"] == f"{PORT} is held by our proxy"
    assert "agrees with its configuration" in checks(serving)["proxy"]["found"]


def test_without_a_name_all_environments_are_looked_at(ready: Operator) -> None:
    both = {**ready.settings["environments"], "here": {"connection": "local"}}
    with settings(ready, environments=both):
        outcome = ready.run("doctor", "--json")

    assert {event.get("environment") for event in outcome.events} >= {"staging", "here"}


@pytest.mark.parametrize(
    ("fault", "what", "fix", "status"),
    [
        pytest.param(conditions.docker_missing, {"docker command", "Docker engine"},
                     "apt-get install docker.io", 5, id="docker missing"),
        pytest.param(conditions.engine_stopped, {"Docker engine"}, "systemctl start docker", 5,
                     id="engine stopped"),
        pytest.param(conditions.not_in_group, {"Docker engine"}, "usermod -aG docker deploy", 5,
                     id="user not in group docker"),
        pytest.param(lambda droplet: conditions.away(droplet, "/usr/bin/flock"), {"flock"},
                     "util-linux", 1, id="flock missing"),
    ],
)  # fmt: skip
def test_what_a_host_lacks(
    ready: Operator, fault: Fault, what: set[str], fix: str, status: int
) -> None:
    with fault(ready.droplet):
        outcome = ready.run("doctor", "staging", "--json")

    assert outcome.status == status, outcome
    found = checks(outcome)
    assert list(found) == HERE + THERE
    assert not_ok(outcome) == {(name, "missing") for name in what}
    assert all(fix in found[name]["fix"] for name in what), outcome


def test_faults_of_settings_on_a_host(ready: Operator) -> None:
    """An application that is new there and collides in all it can."""
    with (
        conditions.no_sudo(ready.droplet),
        conditions.port_taken(ready.droplet, 3050),
        conditions.overlapping_network(ready.droplet, "172.31.0.0/16"),
        settings(
            ready,
            app={"name": "other"},
            host={"state_dir": "/srv/x"},
            proxy={"port": 3050},
            network={"subnet": "172.31.7.0/24"},
        ),
    ):
        outcome = ready.run("doctor", "staging", "--json")

    assert outcome.status == 1
    found = checks(outcome)
    assert not_ok(outcome) == {
        ("state directory", "missing"), ("port", "missing"), ("subnet", "missing"),
    }  # fmt: skip
    assert "install -d -o deploy -m 0750 /srv/x/other" in found["state directory"]["fix"]
    assert "172.31.0.0/16 of network intruder" in found["subnet"]["found"]
    assert "sport = :3050" in found["port"]["fix"]


def test_a_host_that_cannot_be_reached(ready: Operator) -> None:
    with settings(ready, ssh={"port": 2}):
        outcome = ready.run("doctor", "staging", "--json")

    assert outcome.status == 5
    assert not_ok(outcome) == {("SSH login", "missing")}
    found = checks(outcome)
    assert {found[name]["result"] for name in THERE[2:]} == {"not checked"}
    assert found["registry"]["result"] == "ok"


def test_a_host_that_is_not_known(ready: Operator) -> None:
    known = ready.known_hosts.read_text()
    ready.known_hosts.unlink()
    try:
        outcome = ready.run("doctor", "staging", "--json")
    finally:
        ready.known_hosts.write_text(known)

    assert outcome.status == 5
    assert not_ok(outcome) == {("known_hosts entry", "missing")}
    assert ready.droplet.host_key in checks(outcome)["known_hosts entry"]["fix"]


def test_a_registry_that_refuses_and_one_that_is_down(ready: Operator, registry: Registry) -> None:
    refused = ready.run("doctor", "staging", "--json", env={"GITHUB_TOKEN": "wrong"})
    registry.stop()
    try:
        down = ready.run("doctor", "staging", "--json")
    finally:
        registry.start()

    for outcome in (refused, down):
        assert outcome.status == 5
        assert not_ok(outcome) == {("registry", "missing")}
    assert "GITHUB_TOKEN" in checks(refused)["registry"]["fix"]


def test_settings_that_are_faulty(ready: Operator) -> None:
    with settings(ready, proxy={"port": "many"}):
        outcome = ready.run("doctor", "staging", "--json")

    assert outcome.status == 2
    assert not_ok(outcome) == {("restoops.yaml", "missing")}
    assert "proxy.port" in checks(outcome)["restoops.yaml"]["found"]


def test_terraform_is_asked_for_only_where_it_is_used(ready: Operator) -> None:
    uses = {"staging": {"terraform": {"directory": "infra"}}}
    (ready.folder / "infra").mkdir()
    with settings(ready):
        ready.settings["environments"] = uses
        outcome = ready.run("doctor", "staging", "--json", env={"PATH": "/nowhere"})

    assert outcome.status == 2
    assert not_ok(outcome) == {("terraform", "missing")}
    assert "developer.hashicorp.com/terraform/install" in checks(outcome)["terraform"]["fix"]


def test_the_proxy_with_settings_of_before(ready: Operator) -> None:
    with settings(ready, proxy={"timeout_s": 33}):
        outcome = ready.run("doctor", "staging", "--json")

    assert outcome.status == 0
    assert not_ok(outcome) == {("proxy", "warning")}


def test_a_table_with_each_fix_on_a_line_of_its_own(ready: Operator) -> None:
    with conditions.not_in_group(ready.droplet):
        outcome = ready.run("doctor", "staging")

    lines = outcome.stdout.splitlines()
    [row] = [line for line in lines if "deploy may not use Docker" in line]
    assert row.startswith("missing")
    [fix] = [line for line in lines if "usermod" in line]
    assert fix.endswith("On the host: `sudo usermod -aG docker deploy`.")
    assert "not ready for a deploy: Docker engine" in outcome.stderr
