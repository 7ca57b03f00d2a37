"""Faults that a host can have, each put right again at the end, and what a host looks like."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import socket
import tarfile
import threading
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from docker import DockerClient

from tests.lab import cache
from tests.lab.droplet import AWAIT_ENGINE, Droplet
from tests.lab.operator import APP, Operator, Outcome
from tests.lab.patience import eventually
from tests.lab.registry import Registry

STATE = "/var/lib/restoops"
SNAPSHOT = f"""
docker ps -a --no-trunc --format '{{{{.ID}}}} {{{{.Names}}}} {{{{.State}}}}' | sort
docker network ls --no-trunc --format '{{{{.ID}}}} {{{{.Name}}}}' | sort
docker images --digests --no-trunc --format '{{{{.ID}}}} {{{{.Digest}}}}' | sort
find {STATE} -type f ! -name lock -print0 2>/dev/null | sort -z | xargs -0r sha256sum
"""


def shell(droplet: Droplet, line: str) -> str:
    """Run a line of shell as root on the host, past SSH."""
    return droplet.exec(["bash", "-c", line])


def snapshot(droplet: Droplet) -> str:
    """Return containers, networks, images and all our files on the host, the lock excepted."""
    return shell(droplet, SNAPSHOT)


@contextmanager
def unchanged(droplet: Droplet) -> Iterator[None]:
    """Demand that the host is the same before and after."""
    before = snapshot(droplet)
    yield
    after = snapshot(droplet)
    assert after == before, f"before:\n{before}\nafter:\n{after}"


@contextmanager
def done_and_undone(droplet: Droplet, do: str, undo: str) -> Iterator[None]:
    """Run one line as root, and another at the end."""
    shell(droplet, do)
    try:
        yield
    finally:
        shell(droplet, undo)


def docker_missing(droplet: Droplet) -> AbstractContextManager[None]:
    """Take the docker command away."""
    return away(droplet, "/usr/bin/docker")


def away(droplet: Droplet, program: str) -> AbstractContextManager[None]:
    """Take a program away."""
    return done_and_undone(droplet, f"mv {program} {program}.away", f"mv {program}.away {program}")


def engine_stopped(droplet: Droplet) -> AbstractContextManager[None]:
    """Stop the engine, so that nothing starts it again."""
    return done_and_undone(
        droplet,
        "systemctl stop docker.socket docker.service 2>/dev/null; "
        "mv /usr/bin/dockerd /usr/bin/dockerd.away; rm -f /run/docker.sock",
        "mv /usr/bin/dockerd.away /usr/bin/dockerd; systemctl reset-failed docker; "
        f"systemctl start docker; {AWAIT_ENGINE}",
    )


def not_in_group(droplet: Droplet) -> AbstractContextManager[None]:
    """Take `deploy` out of group docker."""
    return done_and_undone(droplet, "gpasswd -d deploy docker", "gpasswd -a deploy docker")


def no_sudo(droplet: Droplet) -> AbstractContextManager[None]:
    """Let sudo want a password."""
    return done_and_undone(
        droplet,
        "mv /etc/sudoers.d/deploy /root/sudo-deploy",
        "mv /root/sudo-deploy /etc/sudoers.d/deploy",
    )


def port_taken(droplet: Droplet, port: int) -> AbstractContextManager[None]:
    """Let another program listen on a port."""
    server = f"python3 -m http.server {port} --bind 0.0.0.0"
    return done_and_undone(
        droplet,
        f"systemd-run --quiet --unit=squatter-{port} {server}; "
        f"until curl -s -o /dev/null localhost:{port}; do sleep .1; done",
        f"systemctl stop squatter-{port}",
    )


def overlapping_network(droplet: Droplet, subnet: str) -> AbstractContextManager[None]:
    """Let another network of Docker's have some of our addresses."""
    return done_and_undone(
        droplet, f"docker network create --subnet {subnet} intruder", "docker network rm intruder"
    )


def dropping(droplet: Droplet, port: int = 22) -> AbstractContextManager[None]:
    """Drop every packet to a port, as a firewall of a cloud does."""
    rule = f"INPUT -p tcp --dport {port} -j DROP"
    return done_and_undone(droplet, f"iptables -I {rule}", f"iptables -D {rule}")


@contextmanager
def silent_server() -> Iterator[int]:
    """Accept connections on all addresses and never say a word; gives the port."""
    accepted: list[socket.socket] = []

    def accept() -> None:
        while True:
            try:
                accepted.append(server.accept()[0])
            except OSError:
                return

    with socket.create_server(("0.0.0.0", 0)) as server:
        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield int(server.getsockname()[1])
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in accepted:
                connection.close()


@contextmanager
def settings(operator: Operator, **sections: dict[str, object]) -> Iterator[None]:
    """Change sections of the operator's restoops.yaml for a while."""
    before = dict(operator.settings)
    for name, values in sections.items():
        operator.settings[name] = {**operator.settings.get(name, {}), **values}
    try:
        yield
    finally:
        operator.settings = before


def refused(outcome: Outcome, status: int, *texts: str) -> None:
    """Demand an exit status, texts in the message, and something that can be done now."""
    shown = f"{shlex.join(texts)}\nstatus {outcome.status}\n{outcome.stdout}\n{outcome.stderr}"
    assert outcome.status == status, shown
    lines = outcome.stderr.splitlines()
    errors = [number for number, line in enumerate(lines) if line.startswith("error: ")]
    assert len(errors) == 1, shown
    assert "Traceback" not in outcome.stderr, shown
    for text in texts:
        assert text in outcome.stderr, shown
    hint = [line for line in lines[errors[0] + 1 :] if line.startswith("  ")]
    assert hint, f"no hint\n{shown}"


@contextmanager
def held_lock(droplet: Droplet, app: str = APP) -> Iterator[None]:
    """Hold the lock of an application as another run of restoops would."""
    path = f"{STATE}/{app}/lock"
    holder = {"who": "lab", "origin": "lab", "purpose": "a test", "since": "now"}
    shell(
        droplet,
        f"systemd-run --quiet --unit=holder flock {path} sleep 600; "
        f"while flock -n {path} true; do sleep .05; done; "
        f"echo '{json.dumps(holder)}' >{path}",
    )
    try:
        yield
    finally:
        shell(droplet, "systemctl stop holder")


def wait_until_resolved(registry: Registry, tag: str) -> None:
    """Wait until the registry has been asked for `tag`; its log says so."""
    asked = re.compile(rf"/manifests/{re.escape(tag)}.* 200 ")
    was_asked = eventually(lambda: asked.search(registry.log.read_text()) is not None)
    assert was_asked, registry.log.read_text()[-2000:]


def full(droplet: Droplet, path: str, size: str, leave: str = "0") -> AbstractContextManager[None]:
    """Mount a small file system that is full."""
    return done_and_undone(
        droplet,
        f"mkdir -p {path}; mount -t tmpfs -o size={size},mode=0777 none {path}; "
        f"head -c {leave} /dev/zero >{path}/spare; cat /dev/zero >{path}/filling 2>/dev/null; "
        f"rm {path}/spare",
        f"umount {path}",
    )


@contextmanager
def unchanged_but_for_history(droplet: Droplet) -> Iterator[None]:
    """The run that failed is on record; nothing else is different."""
    before = snapshot(droplet)
    yield
    after = snapshot(droplet)
    different = set(before.splitlines()) ^ set(after.splitlines())
    assert {line.rpartition("/")[2] for line in different} == {"history.jsonl", "history.head"}, (
        different
    )


@contextmanager
def image_of_random_bytes(engine: DockerClient) -> Iterator[str]:
    buffer, content = io.BytesIO(), os.urandom(1_000_000)
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo("noise")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    name = f"{cache.LABEL}/noise-{uuid.uuid4().hex[:8]}"
    engine.api.import_image_from_data(buffer.getvalue(), repository=name, tag="1")
    try:
        yield f"{name}:1"
    finally:
        engine.images.remove(f"{name}:1")
