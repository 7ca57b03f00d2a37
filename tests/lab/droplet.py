"""A droplet look-alike: a container with systemd, sshd and an engine of its own."""

import io
import shlex
import socket
import tarfile
import time
import uuid
from ipaddress import IPv4Network
from itertools import islice
from typing import Any, Self

from docker import DockerClient
from docker.errors import NotFound
from docker.models.containers import Container
from docker.types import EndpointConfig

from tests.lab import cache, images, network

READY_TIMEOUT_S = 60.0
_FRAME_HEAD = 8
"""Bytes before each part of an output; the last four are its length."""
_DROP = """\
iptables -w -N LAB
iptables -w -A LAB ${1:+-p tcp --dport "$1"} -j DROP
iptables -w -A LAB ${1:+-p tcp --sport "$1"} -j DROP
iptables -w -I INPUT -i eth0 -j LAB
iptables -w -I OUTPUT -o eth0 -j LAB
"""
_PASS = """\
iptables -w -D INPUT -i eth0 -j LAB
iptables -w -D OUTPUT -o eth0 -j LAB
iptables -w -F LAB
iptables -w -X LAB
true
"""
AWAIT_SSHD = "until ss -Hltn 'sport = :22' | grep -q .; do sleep .05; done"
AWAIT_ENGINE = (
    "until curl -sf --unix-socket /run/docker.sock http://engine/_ping; do sleep .05; done"
)


def _executed(container: Container, argv: list[str]) -> tuple[int, bytes]:
    """Run `argv` in a container; return its status and what it printed.

    `exec_run` reads from the socket itself, past what was read ahead with the head of the answer:
    once in some hundred times the beginning is lost, and the heads of frames are taken for text.
    """
    assert container.client
    api = container.client.api
    number = api.exec_create(container.id, argv)["Id"]
    url = f"{api.base_url}/v{api.api_version}/exec/{number}/start"
    answer = api.post(url, json={"Detach": False, "Tty": False})
    answer.raise_for_status()
    stream, at, parts = answer.content, 0, []
    while at < len(stream):
        begin = at + _FRAME_HEAD
        at = begin + int.from_bytes(stream[at + 4 : begin], "big")
        parts.append(stream[begin:at])
    return int(api.exec_inspect(number)["ExitCode"]), b"".join(parts)


class DropletFailed(Exception):
    """A droplet did not come up, or a command on it failed."""


class Droplet:
    """One machine of the lab, reached by SSH as `deploy`, or out of band as root by `exec`.

    Use it as a context manager or call `close`: the container and its disk go with it.
    """

    def __init__(
        self, engine: DockerClient, name: str | None = None, image: str | None = None
    ) -> None:
        self.name = name or f"droplet-{uuid.uuid4().hex[:8]}"
        self.has_engine = image is None
        """Whether to wait for an engine at each start; another image than the usual has none."""
        with cache.locked("addresses"):
            made = _create(engine, self.name, image or images.droplet(engine))
        self._container = engine.containers.get(made["Id"])
        self.address = ""
        self.host_key = ""

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def known_hosts_line(self) -> str:
        """The line for a known_hosts file; the key was read out of band, not off the network."""
        return f"{self.address} {self.host_key}"

    def start(self) -> None:
        """Switch the machine on and wait until SSH and the engine inside answer.

        Raises:
            DropletFailed: they did not in a minute, or the address is not the one of before.
        """
        self._container.start()
        self._container.reload()
        address = self._container.attrs["NetworkSettings"]["Networks"][network.NAME]["IPAddress"]
        if self.address not in ("", address):
            raise DropletFailed(f"{self.name} came back as {address}, it was {self.address}")
        self.address = address
        self._await_ready()

    def exec(self, argv: list[str]) -> str:
        """Run `argv` as root, past SSH, and return what it printed.

        Raises:
            DropletFailed: it ended with another status than 0.
        """
        status, output = _executed(self._container, argv)
        text = output.decode()
        if status:
            raise DropletFailed(f"{self.name}: {shlex.join(argv)} gave {status}: {text.strip()}")
        return text

    def write(self, path: str, content: str, mode: int = 0o644) -> None:
        """Write a file as root, past SSH; its directory has to be there, and no tmpfs.

        The machine may be off: docker puts the file on the disk itself.
        """
        buffer, raw = io.BytesIO(), content.encode()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.size, entry.mode = len(raw), mode
            archive.addfile(entry, io.BytesIO(raw))
        self._container.put_archive("/", buffer.getvalue())

    def shut_down(self) -> None:
        """Switch the machine off in order; `start` brings it back."""
        self._container.stop(timeout=20)

    def power_off(self) -> None:
        """Cut the power; `start` brings the machine back."""
        self._container.kill()

    def reboot(self) -> None:
        """Shut the machine down, start it, and wait until it is ready again."""
        self.shut_down()
        self.start()

    def pause(self) -> None:
        """Freeze the machine: connections to it hang and nothing in it runs."""
        self._container.pause()

    def unpause(self) -> None:
        """Let a frozen machine go on."""
        self._container.unpause()

    def drop_packets(self, port: int | None = None) -> None:
        """Lose all packets from and to the machine, or those of one TCP port on it.

        Connections hang: neither side hears that the other is gone. `exec` still works.
        """
        self.pass_packets()
        self.exec(["sh", "-ec", _DROP, "drop", str(port or "")])

    def pass_packets(self) -> None:
        """Undo `drop_packets`; a restart of the machine does it as well."""
        self.exec(["sh", "-c", _PASS])

    def log(self) -> str:
        """Return the journal of the machine, for the message of a test that failed."""
        return self.exec(["journalctl", "--no-pager", "--lines=200"])

    def commit(self, repository: str) -> str:
        """Keep the disk as an image, the engine's own excluded, and return its id."""
        return str(self._container.commit(repository).id)

    def close(self) -> None:
        """Remove the machine and its disk; twice is fine."""
        try:
            self._container.remove(force=True, v=True)
        except NotFound:
            return

    def _await_ready(self) -> None:
        deadline = time.monotonic() + READY_TIMEOUT_S
        # Waited for inside: a firewall that limits SSH would count each attempt of ours.
        self.exec(["timeout", f"{READY_TIMEOUT_S:g}", "sh", "-c", AWAIT_SSHD])
        while not _ssh_answers(self.address):
            if time.monotonic() > deadline:
                raise DropletFailed(f"{self.name}: SSH did not answer in {READY_TIMEOUT_S:g} s")
            time.sleep(0.05)
        key = self.exec(["cat", "/etc/ssh/ssh_host_ed25519_key.pub"])
        self.host_key = " ".join(key.split()[:2])
        if self.has_engine:
            self.exec(["timeout", f"{READY_TIMEOUT_S:g}", "sh", "-c", AWAIT_ENGINE])


def _create(engine: DockerClient, name: str, image: str) -> dict[str, Any]:
    client: Any = engine.api  # docker-py's types do not fit its own use
    place = {network.NAME: EndpointConfig("1.40", ipv4_address=_free_address(engine))}
    made: dict[str, Any] = client.create_container(
        image,
        name=name,
        hostname=name,
        host_config=_host_config(engine),
        networking_config=client.create_networking_config(place),
        volumes=["/var/lib/docker"],
        labels={cache.LABEL: "1"},
        stop_signal="SIGRTMIN+3",
    )
    return made


def _free_address(engine: DockerClient) -> str:
    """Return an address that no droplet has, on or off: each keeps its own over a reboot.

    The engine gives out low addresses by itself; those of droplets begin at 100.
    """
    there = engine.containers.list(all=True, filters={"label": cache.LABEL}, ignore_removed=True)
    taken = {
        (place.get("IPAMConfig") or {}).get("IPv4Address")
        for container in there
        for place in container.attrs["NetworkSettings"]["Networks"].values()
    }
    addresses = islice(IPv4Network(network.SUBNET).hosts(), 99, None)
    return next(str(address) for address in addresses if str(address) not in taken)


def _host_config(engine: DockerClient) -> dict[str, Any]:
    made = engine.api.create_host_config(
        cap_add=["ALL"],
        cap_drop=["SYS_RESOURCE"],
        security_opt=["seccomp=unconfined", "apparmor=unconfined"],
        device_cgroup_rules=["a *:* rwm"],
        cgroupns="private",
        tmpfs={"/run": "", "/run/lock": "", "/tmp": ""},
        network_mode=network.NAME,
    )
    # What the CLI calls systempaths=unconfined; docker-py has no name for it.
    return {**made, "MaskedPaths": [], "ReadonlyPaths": []}


def _ssh_answers(address: str) -> bool:
    try:
        with socket.create_connection((address, 22), timeout=1) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False
