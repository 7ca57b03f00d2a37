"""Another host of the lab: what it can reach of a droplet is what the world can."""

import json
import random
import shlex
from ipaddress import IPv4Address, IPv4Network
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Self

from docker import DockerClient
from docker.errors import APIError, NotFound
from docker.models.containers import Container
from docker.types import EndpointConfig

from tests.lab import cache, images, network

_SCAN = Path(__file__).with_name("scan.py")
_SSH = """\
ssh -o BatchMode=%(batch)s -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
    -o IdentitiesOnly=yes -o ConnectTimeout=5 -o NumberOfPasswordPrompts=1"""

MOST = 90
_addresses = cycle(random.sample(list(IPv4Network(network.SUBNET).hosts())[9:99], MOST))
"""Each is taken once in a run, for a droplet remembers who was there; droplets have others."""


class Visitor:
    """A container with an address of its own, from which nobody came yet.

    Use it as a context manager: the container goes at the end.
    """

    def __init__(self, engine: DockerClient) -> None:
        address, self._container = next(
            (address, made)
            for address in islice(_addresses, MOST)
            if (made := _started(engine, address))
        )
        self.address = str(address)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._container.remove(force=True, v=True)
        except NotFound:
            return

    def run(self, command: str) -> tuple[int, str]:
        """Run a line of shell; return its status and all that it printed."""
        status, output = self._container.exec_run(["sh", "-c", command])
        assert isinstance(output, bytes)
        assert isinstance(status, int)
        return status, output.decode()

    def ssh(self, where: str, *keys: Path, password: str = "", command: str = "id -un") -> str:
        """Try to log in as `user@address` and run a command; return all that was printed."""
        lines = ["rm -rf /key && install -d -m 700 /key"]
        words = [_SSH % {"batch": "no" if password else "yes"}]
        for number, key in enumerate(keys):
            lines.append(f"printf %s {shlex.quote(key.read_text())} >/key/{number}")
            lines.append(f"chmod 600 /key/{number}")
            words.append(f"-i /key/{number}")
        if password:
            lines.append(f"printf '#!/bin/sh\\necho %s' {shlex.quote(repr(password))} >/key/ask")
            lines.append("chmod 700 /key/ask")
            words.insert(0, "SSH_ASKPASS=/key/ask SSH_ASKPASS_REQUIRE=force")
        lines.append(f"{' '.join(words)} {where} {shlex.quote(command)}")
        return self.run("\n".join(lines))[1].strip()

    def scan(self, address: str, ports: str) -> dict[int, str]:
        """Return how each port of `1-1024,3001` answers: `open` or `refused`; others are silent."""
        script = shlex.quote(_SCAN.read_text())
        status, told = self.run(f"python3 -c {script} {address} {ports}")
        assert status == 0, told
        return {int(port): how for port, how in json.loads(told).items()}


def _started(engine: DockerClient, address: IPv4Address) -> Container | None:
    """Start a container with this address; None when another one has it."""
    client: Any = engine.api  # docker-py's types do not fit its own use
    place = {network.NAME: EndpointConfig("1.40", ipv4_address=str(address))}
    made = client.create_container(
        images.bare(engine),
        entrypoint=["sleep", "infinity"],
        host_config=client.create_host_config(
            cap_add=["NET_ADMIN"],
            init=True,
            network_mode=network.NAME,
            sysctls={"net.ipv6.conf.all.disable_ipv6": "0"},
        ),
        networking_config=client.create_networking_config(place),
        labels={cache.LABEL: "1"},
    )
    container = engine.containers.get(made["Id"])
    try:
        container.start()
    except APIError as error:
        container.remove(force=True, v=True)
        if "Address already in use" in str(error):
            return None
        raise
    return container
