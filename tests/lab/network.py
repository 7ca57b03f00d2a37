"""The bridge network of the lab, shared by all runs on this machine."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from docker import DockerClient
from docker.errors import APIError, NotFound
from docker.types import IPAMConfig, IPAMPool

from tests.lab import cache

NAME = "restoops-lab"
SUBNET = "198.18.23.0/24"
GATEWAY = "198.18.23.1"


@contextmanager
def used(engine: DockerClient) -> Iterator[str]:
    """Have the network while this lasts; the last of several runs takes it away again."""
    with (cache.directory() / "network.lock").open("w") as file:
        # Shared by all runs that need the network: the last one gets it to itself at the end.
        fcntl.flock(file, fcntl.LOCK_SH)
        _make(engine)
        try:
            yield NAME
        finally:
            with suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove(engine)


def _make(engine: DockerClient) -> None:
    with cache.locked("network-making"):
        if engine.networks.list(names=[f"^{NAME}$"]):
            return
        engine.networks.create(
            NAME,
            driver="bridge",
            options={"com.docker.network.bridge.name": NAME},
            ipam=IPAMConfig(pool_configs=[IPAMPool(subnet=SUBNET, gateway=GATEWAY)]),
            labels={cache.LABEL: "1"},
        )


def _remove(engine: DockerClient) -> None:
    # Containers that a killed run left there keep the network; `python -m tests.lab.clean` helps.
    with suppress(NotFound, APIError):
        engine.networks.get(NAME).remove()
