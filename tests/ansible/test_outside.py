"""What a droplet that was set up is to another host: each promise is tried from there."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from docker import DockerClient

from tests.ansible.conftest import LISTENERS, PORTS, Place, joined_v6, listen, listens
from tests.lab import images
from tests.lab.images import App
from tests.lab.operator import PORT
from tests.lab.patience import eventually
from tests.lab.registry import Registry
from tests.lab.releases import Releases
from tests.lab.visitor import Visitor

# The first test waits for three runs of the playbook, on a machine that may be busy.
pytestmark = [pytest.mark.lab, pytest.mark.timeout(1200)]

LET_THROUGH = {22: "open", 80: "refused", 443: "refused"}
"""Nothing listens on 80 and 443 yet: the host answers, so that the firewall lets it be asked."""


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Keys that the droplet does not know."""
    folder = tmp_path_factory.mktemp("keys")
    keys = [folder / str(number) for number in range(3)]
    for key in keys:
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    return keys


@pytest.fixture(autouse=True)
def was_set_up(place: Place) -> None:
    """No test of this module means anything otherwise."""
    assert place.first.status == 0, place.first.told


@pytest.fixture
def published(place: Place, engine: DockerClient, open_registry: Registry) -> Iterator[int]:
    """A port that a container publishes."""
    image = Releases(engine, open_registry).push(App("a5e7000", start_delay_s=0)).reference
    argv = ["docker", "run", "--detach", "--name=published", "--publish=8088:3001"]
    place.droplet.exec([*argv, image])
    yield 8088
    place.droplet.exec(["docker", "rm", "--force", "--volumes", "published"])


def allowed(port_is: str) -> dict[int, str]:
    return LET_THROUGH | {PORT: port_is}


def test_root_is_refused_with_the_key_that_set_the_droplet_up_and_with_the_password(
    place: Place, visitor: Visitor, lab_key: Path
) -> None:
    root = f"root@{place.droplet.address}"

    assert place.before.root_by_password.endswith("root")
    assert "Permission denied (publickey)" in visitor.ssh(root, lab_key)
    assert "Permission denied (publickey)" in visitor.ssh(root, password=images.ROOT_PASSWORD)


def test_passwords_are_not_even_asked_for(place: Place, visitor: Visitor) -> None:
    told = visitor.ssh(f"deploy@{place.droplet.address}", password="anything")

    assert "Permission denied (publickey)" in told


def test_the_third_wrong_key_ends_the_connection_before_the_fourth(
    place: Place, visitor: Visitor, lab_key: Path, strangers: list[Path]
) -> None:
    deploy = f"deploy@{place.droplet.address}"

    assert visitor.ssh(deploy, *strangers[:2], lab_key).endswith("deploy")
    assert "Too many authentication failures" in visitor.ssh(deploy, *strangers, lab_key)


def test_only_what_is_opened_answers_over_ipv4_and_ipv6(place: Place, visitor: Visitor) -> None:
    listen(place.droplet)
    port = "open" if listens(place.droplet, PORT) else "refused"

    over_v4 = visitor.scan(place.droplet.address, PORTS)
    over_v6 = visitor.scan(joined_v6(place.droplet, visitor), PORTS)

    assert over_v4 == allowed(port)
    assert over_v6 == allowed("refused")  # HAProxy listens on IPv4
    for ports in (place.before.ports, place.before.ports_v6):
        assert [ports[listener] for listener in LISTENERS] == ["open", "open"]


@pytest.mark.full
def test_rules_follow_the_settings_and_those_of_others_stay(
    place: Place, visitor: Visitor, engine: DockerClient
) -> None:
    ports, address = f"{PORT},8080,9999", place.droplet.address
    listen(place.droplet)
    place.droplet.exec(["ufw", "allow", "9999/tcp"])
    with Visitor(engine) as friend:
        settings = {"restoops_api_port": 8080, "firewall_trusted": [f"{friend.address}/32"]}
        was = visitor.scan(address, ports)
        moved = place.site.run_roles("firewall", **settings)
        now, of_friend = visitor.scan(address, ports), friend.scan(address, ports)
        logins = [[it.scan(address, "22") for _ in range(8)] for it in (visitor, friend)]
        back = place.site.run_roles("firewall")
        place.droplet.exec(["ufw", "delete", "allow", "9999/tcp"])
        at_last = friend.scan(address, ports)

    assert (moved.status, back.status) == (0, 0), moved.told + back.told
    assert (set(was), set(now), set(at_last)) == ({PORT, 9999}, {8080, 9999}, {PORT})
    assert set(of_friend) == {PORT, 8080, 9999}
    limited, unlimited = logins
    assert limited[:5] == [{22: "open"}] * 5
    assert limited[-1] != {22: "open"}
    assert unlimited == [{22: "open"}] * 8


def test_a_port_that_docker_publishes_is_found_for_it_bypasses_the_firewall(
    place: Place, visitor: Visitor, published: int
) -> None:
    assert eventually(lambda: visitor.scan(place.droplet.address, str(published)) != {})


def test_three_failures_ban_an_address_until_its_time_is_over(
    place: Place, visitor: Visitor
) -> None:
    get = "for it in maxretry findtime bantime; do fail2ban-client get sshd $it; done"
    assert place.droplet.exec(["sh", "-c", get]).split() == ["3", "600", "3600"]
    place.droplet.exec(["fail2ban-client", "set", "sshd", "bantime", "20"])
    try:
        for _ in range(3):
            assert "Permission denied" in visitor.ssh(f"admin@{place.droplet.address}")

        assert eventually(lambda: is_banned(place, visitor))
        assert visitor.scan(place.droplet.address, "22") != {22: "open"}
        assert eventually(lambda: not is_banned(place, visitor))
        assert eventually(lambda: visitor.scan(place.droplet.address, "22") == {22: "open"})
    finally:
        place.droplet.exec(["fail2ban-client", "set", "sshd", "bantime", "3600"])


def test_who_looked_for_the_user_before_it_was_there_is_not_banned_for_it(place: Place) -> None:
    assert not is_banned(place, place.early)
    assert place.early.scan(place.droplet.address, "22") == {22: "open"}


def is_banned(place: Place, visitor: Visitor) -> bool:
    return visitor.address in place.droplet.exec(["fail2ban-client", "get", "sshd", "banip"])
