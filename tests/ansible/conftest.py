"""A bare droplet that the playbook has set up, once for all tests of this package."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from docker import DockerClient

from tests.ansible.playbook import Run, Site
from tests.lab import images, network
from tests.lab.droplet import Droplet
from tests.lab.operator import Operator
from tests.lab.registry import Registry
from tests.lab.visitor import Visitor

LISTENERS = (8080, 9999)
"""Ports on which a program of the host listens, on all addresses, from before the set-up on."""
PORTS = f"1-1024,2375,2376,3001,{','.join(map(str, LISTENERS))}"
NOFILE = 16384  # a container of the lab may not have the 65536 of a droplet
_TRACE = r"""
{ dpkg --get-selections; find /etc /usr/local /opt -type f -printf '%p %T@ %m\n' | sort
} | sha256sum
"""


@dataclass(frozen=True, slots=True)
class Before:
    """What a visitor found on the bare droplet."""

    root_by_password: str
    ports: dict[int, str]
    ports_v6: dict[int, str]


@dataclass(frozen=True, slots=True)
class Place:
    """A droplet, how it was set up, and what was there before."""

    droplet: Droplet
    site: Site
    before: Before
    early: Visitor
    """Tried to log in as `deploy` before there was such a user."""
    dry: Run
    dry_left_traces: bool
    first: Run
    again: Run


@pytest.fixture(scope="session")
def open_registry() -> Iterator[Registry]:
    """A registry that asks for no password, as Docker Hub does for HAProxy."""
    with Registry(is_open=True) as running:
        yield running


@pytest.fixture(scope="session")
def lab_settings(engine: DockerClient, open_registry: Registry) -> dict[str, Any]:
    """What has to be set for a droplet that is a container without the Internet."""
    open_registry.push(engine, images.haproxy(engine), "restoops/haproxy", "a")
    return {
        "docker_source": "distribution",
        "docker_daemon": {
            "bip": "10.200.0.1/24",
            "default-address-pools": [{"base": "10.201.0.0/16", "size": 24}],
            "insecure-registries": [network.SUBNET],
        },
        "docker_nofile": NOFILE,
        "base_nofile": NOFILE,
        "base_kernel_sysctls": False,
        "monitoring_do_agent": False,
        "proxy_image": f"{open_registry.host}/restoops/haproxy:a",
    }


@pytest.fixture(scope="session")
def place(
    engine: DockerClient,
    lab_key: Path,
    lab_settings: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Place]:
    """A droplet after a dry run, a set-up, and the same set-up once more."""
    folder = tmp_path_factory.mktemp("site")
    with (
        Droplet(engine, image=images.bare(engine)) as droplet,
        Visitor(engine) as early,
    ):
        listen(droplet)
        before = look_around(early, droplet)
        for _ in range(3):
            early.ssh(f"deploy@{droplet.address}")
        site = Site(folder, [droplet], lab_key, lab_settings)
        trace = droplet.exec(["sh", "-c", _TRACE])
        dry = site.run("--check")
        dry_left_traces = droplet.exec(["sh", "-c", _TRACE]) != trace
        first = site.run()
        droplet.has_engine = first.status == 0
        again = site.run()
        yield Place(droplet, site, before, early, dry, dry_left_traces, first, again)


@pytest.fixture(scope="session")
def resident(
    place: Place,
    lab_settings: dict[str, Any],
    open_registry: Registry,
    lab_key: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Operator:
    """An operator who deploys to the droplet that was set up."""
    folder = tmp_path_factory.mktemp("resident")
    return Operator(folder, place.droplet, open_registry, lab_key, lab_settings["proxy_image"])


@pytest.fixture
def visitor(engine: DockerClient) -> Iterator[Visitor]:
    """Another host of the same network, one that never was here before."""
    with Visitor(engine) as fresh:
        yield fresh


def look_around(visitor: Visitor, droplet: Droplet) -> Before:
    """Return what a visitor finds on the droplet."""
    return Before(
        visitor.ssh(f"root@{droplet.address}", password=images.ROOT_PASSWORD),
        visitor.scan(droplet.address, PORTS),
        visitor.scan(joined_v6(droplet, visitor), PORTS),
    )


def listen(droplet: Droplet) -> None:
    """Have a program of the host listen, which no firewall rule opens a port for."""
    for port in LISTENERS:
        if listens(droplet, port):
            continue
        server = ["python3", "-m", "http.server", "--bind=::", str(port)]
        droplet.exec(["systemd-run", "--quiet", *server])
        asked = f"until ss -Hltn 'sport = :{port}' | grep -q .; do sleep .05; done"
        droplet.exec(["timeout", "20", "sh", "-c", asked])


def listens(droplet: Droplet, port: int) -> bool:
    """Return whether a program of the host listens on the port."""
    return bool(droplet.exec(["ss", "-Hltn", f"sport = :{port}"]))


def joined_v6(droplet: Droplet, visitor: Visitor) -> str:
    """Put both into an IPv6 network of their own, and return the droplet's address there."""
    prefix = "fd" + ":".join(uuid.uuid4().hex[i : i + 4] for i in range(0, 12, 4))[2:]
    droplet.exec(["sh", "-c", "sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0"])
    droplet.exec(["ip", "-6", "addr", "add", f"{prefix}::1/64", "dev", "eth0", "nodad"])
    status, told = visitor.run(f"ip -6 addr add {prefix}::2/64 dev eth0 nodad")
    assert status == 0, told
    return f"{prefix}::1"
