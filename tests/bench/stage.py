"""What benchmarks run against, made when the first one asks for it."""

import tempfile
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Self

import docker
from docker import DockerClient

from tests.lab import cache, images, network
from tests.lab.droplet import Droplet
from tests.lab.images import App
from tests.lab.operator import Operator
from tests.lab.registry import Registry
from tests.lab.releases import Releases

TAGS = ("1111111", "2222222", "3333333")
PROXIES = ("a", "b")
"""Two images of HAProxy that differ."""
RATE = 200
"""Requests a second, where there is load."""


class Stage:
    """An engine, a registry with releases, and a droplet that serves one; each made once."""

    def __init__(self, at_most: int | None = None) -> None:
        """Measure nothing more often than `at_most` times."""
        self._at_most = at_most
        self._whole, self._droplet = ExitStack(), ExitStack()
        self._operator: Operator | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.clear()
        finally:
            self._whole.close()

    def times(self, wanted: int) -> int:
        """Return how often to measure what is worth `wanted` times."""
        return min(wanted, self._at_most or wanted)

    @cached_property
    def engine(self) -> DockerClient:
        """The engine of this machine."""
        engine = docker.from_env()
        self._whole.callback(engine.close)
        return engine

    @cached_property
    def registry(self) -> Registry:
        """A registry that has all releases, and both proxies."""
        self._whole.enter_context(network.used(self.engine))
        registry = self._whole.enter_context(Registry())
        releases = Releases(self.engine, registry)
        for tag in TAGS:
            releases.push(App(tag))
        for variant in PROXIES:
            image = images.haproxy(self.engine, variant)
            registry.push(self.engine, image, "restoops/haproxy", variant)
        return registry

    def operator(self) -> Operator:
        """Return the operator of a droplet that has every release and serves the last one."""
        if not self._operator:
            for tag in TAGS:
                self._made().deploy(tag)
        operator = self._made()
        operator.deploy(TAGS[-1])
        return operator

    def _made(self) -> Operator:
        if not self._operator:
            proxy = f"{self.registry.host}/restoops/haproxy:{PROXIES[0]}"
            droplet = self._droplet.enter_context(Droplet(self.engine))
            folder = Path(self._droplet.enter_context(tempfile.TemporaryDirectory()))
            key = cache.private_key()
            self._operator = Operator(folder, droplet, self.registry, key, proxy)
        return self._operator

    def clear(self) -> None:
        """Take the droplet away: it would take processor time from what does without it."""
        self._operator = None
        self._droplet.close()
