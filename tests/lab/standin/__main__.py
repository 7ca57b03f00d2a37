"""`python -m tests.lab.standin 10`: ten hosts, until standard input ends.

Prints one line of JSON with their addresses, port and host keys. Each line on standard input is
answered with one line of JSON: `report` with what has been done on each host since the last one.
"""

import argparse
import asyncio
import base64
import json
import sys
import threading
from ipaddress import IPv4Address

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.lab.standin.channels import Channel, Connection, Endpoint
from tests.lab.standin.engine import Engine
from tests.lab.standin.handshake import public
from tests.lab.standin.machine import COLORS, Machine
from tests.lab.standin.programs import execute
from tests.lab.standin.proxy import Admin, Probe
from tests.lab.standin.web import Web

_FIRST = IPv4Address("127.77.0.1")
_WAITING_LOGINS = 16


class Host:
    """A machine that can be reached by SSH."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.key = Ed25519PrivateKey.generate()
        self.connections = 0
        self.channels = 0

    def connection(self) -> Connection:
        """Return the host's end of a new connection."""
        self.connections += 1
        return Connection(self.key, self)

    def execute(self, channel: Channel, command: str) -> Endpoint:
        """Start a program."""
        self.channels += 1
        return execute(self.machine, channel, command)

    def dial(self, channel: Channel, path: str) -> Endpoint | None:
        """Connect to a Unix socket; nothing when nobody listens there."""
        self.channels += 1
        if path == "/var/run/docker.sock":
            return Web(channel, Engine(self.machine).answer)
        if self.machine.proxy and path.endswith("/admin.sock"):
            return Admin(self.machine, channel)
        if self.machine.proxy and path.endswith("/probe.sock"):
            return Web(channel, Probe(self.machine).answer)
        return None

    def report(self) -> dict[str, object]:
        """Return what has been done here since the last report."""
        machine = self.machine
        slots = [found for color in COLORS if (found := machine.running(color))]
        told = {
            "route": machine.route,
            "running": {found.slot: found.labels["restoops.tag"] for found in slots},
            "switches": machine.switches,
            "locked": machine.holder is not None,
            "connections": self.connections,
            "channels": self.channels,
        }
        machine.switches, self.connections, self.channels = [], 0, 0
        return told


async def serve(count: int) -> None:
    """Be `count` hosts until standard input ends."""
    loop = asyncio.get_running_loop()
    hosts = {str(_FIRST + number): Host(Machine(str(_FIRST + number))) for number in range(count)}
    port = 0
    for address, host in hosts.items():
        server = await loop.create_server(host.connection, address, port, backlog=_WAITING_LOGINS)
        port = server.sockets[0].getsockname()[1]
    print(json.dumps({"port": port, "hosts": {
        address: f"ssh-ed25519 {base64.b64encode(public(host.key)).decode()}"
        for address, host in hosts.items()
    }}), flush=True)  # fmt: skip
    ended = asyncio.Event()
    threading.Thread(target=_listen, args=(loop, hosts, ended), daemon=True).start()
    await ended.wait()


def _listen(loop: asyncio.AbstractEventLoop, hosts: dict[str, Host], ended: asyncio.Event) -> None:
    for line in sys.stdin:
        if line.strip() == "report":
            loop.call_soon_threadsafe(_report, hosts)
    loop.call_soon_threadsafe(ended.set)


def _report(hosts: dict[str, Host]) -> None:
    print(json.dumps({address: host.report() for address, host in hosts.items()}), flush=True)


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int)
    asyncio.run(serve(parser.parse_args().count))


if __name__ == "__main__":
    main()
