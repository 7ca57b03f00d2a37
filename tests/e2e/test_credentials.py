"""The registry's password is in no argv on either side, in no log and in no file on the host."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass

import pytest

from tests.e2e.conditions import shell
from tests.e2e.watching import Machine, watching_inside
from tests.lab.images import App
from tests.lab.operator import Operator, Outcome
from tests.lab.registry import Registry
from tests.lab.releases import Releases

pytestmark = pytest.mark.lab

PLACES = "/root /home /var/lib/restoops /var/log /run /tmp /etc /var/tmp /var/lib/docker/containers"
INSPECT = "docker ps -aq | xargs -r docker inspect; journalctl --no-pager; ps auxeww"


def forms(registry: Registry) -> list[str]:
    """The password, and what a careless program would make of it."""
    pair = f"{registry.username}:{registry.password}"
    login = {"username": registry.username, "password": registry.password}
    return [
        registry.password,
        base64.b64encode(pair.encode()).decode(),
        base64.b64encode(registry.password.encode()).decode().rstrip("="),
        base64.urlsafe_b64encode(json.dumps(login).encode()).decode(),
        registry.password.encode().hex(),
    ]


@dataclass(frozen=True)
class Seen:
    """What the commands printed, and the argv of all processes of this machine meanwhile."""

    outcomes: list[Outcome]
    argv: set[bytes]


@pytest.fixture(scope="module")
def seen(operator: Operator, releases: Releases) -> Seen:
    """Deploys with a pull, one each for plain output and `--json`, one that fails, a rollback."""
    for number in (1, 2, 3):
        releases.push(App(f"ddddd0{number}"))
    bad = releases.push(App("ddddd04", mode="never-healthy"))
    short = {"RESTOOPS_HEALTH__TIMEOUT_S": "1"}
    machine = Machine()
    with machine.watching(), watching_inside(operator.droplet):
        done = [
            operator.deploy("ddddd01"),
            operator.deploy("ddddd02", "--json"),
            operator.run("deploy", bad.tag, "staging", env=short),
            operator.deploy("ddddd03"),
            operator.rollback(),
            operator.run("doctor", "staging", "--json"),
            operator.run("rollback", "--list", "staging"),
            operator.run("history", "staging", "--json"),
        ]
    assert any(b"restoops" in argv and b"ddddd03" in argv for argv in machine.seen)
    return Seen(done, machine.seen)


def test_the_deploys_pulled(seen: Seen, registry: Registry) -> None:
    """Or nothing below would show anything."""
    assert [outcome.status for outcome in seen.outcomes] == [0, 0, 1, 0, 0, 0, 0, 0]
    assert registry.log.read_text().count("http.request.method=GET") > 4


def test_it_is_in_no_argv_on_this_machine(seen: Seen, registry: Registry) -> None:
    everything = b"\n".join(seen.argv)

    assert [form for form in forms(registry) if form.encode() in everything] == []


@pytest.mark.usefixtures("seen")
def test_it_is_in_no_argv_and_no_environment_on_the_host(
    operator: Operator, registry: Registry
) -> None:
    file = "/root/seen"
    assert int(shell(operator.droplet, f"grep -c restoops-lock {file}")) > 0
    assert int(shell(operator.droplet, f"grep -c ^environ {file}")) > 0
    for form in forms(registry):
        assert shell(operator.droplet, f"grep -cF -e '{form}' {file} || true").strip() == "0"


def test_it_is_in_nothing_that_was_printed(seen: Seen, registry: Registry) -> None:
    everything = "".join(outcome.stdout + outcome.stderr for outcome in seen.outcomes)

    assert [form for form in forms(registry) if form in everything] == []


@pytest.mark.usefixtures("seen")
def test_it_is_in_no_file_and_no_log_on_the_host(operator: Operator, registry: Registry) -> None:
    droplet = operator.droplet
    shell(droplet, f"rm -f /root/seen; mkdir /root/look; ({INSPECT}) >/root/look/all")
    droplet.write("/root/look/control", f"here: {registry.password}")
    for form in forms(registry):
        # The control shows that the search finds what is there.
        expected = ["/root/look/control"] if form == registry.password else []
        droplet.write("/root/look.pattern", form)
        found = shell(
            droplet,
            f"grep -rlsF -f /root/look.pattern --exclude=look.pattern --devices=skip {PLACES} "
            "|| true",
        )
        assert found.split() == expected
    assert "history.jsonl" in shell(droplet, "ls /var/lib/restoops/testapp")


@pytest.mark.usefixtures("seen")
@pytest.mark.parametrize("home", ["/root", "/home/deploy"])
def test_nobody_is_logged_in_at_the_registry(operator: Operator, home: str) -> None:
    assert shell(operator.droplet, f"cat {home}/.docker/config.json 2>/dev/null || true") == ""


@pytest.mark.usefixtures("seen")
def test_it_is_in_no_file_of_the_operator(operator: Operator, registry: Registry) -> None:
    files = [path for path in operator.folder.rglob("*") if path.is_file()]
    everything = b"\n".join(path.read_bytes() for path in files)

    assert (operator.folder / "restoops.yaml") in files
    assert [form for form in forms(registry) if form.encode() in everything] == []
