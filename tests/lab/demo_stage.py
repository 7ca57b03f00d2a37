"""Where the demo plays: a registry with releases, this machine's engine, variables for restoops.

There is no restoops.yaml: the embedded default is in force, environment `local`. Whatever a
stage of the same name left when it was killed is removed by the next one.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, ip_network
from pathlib import Path
from typing import IO

from docker import DockerClient
from docker.errors import APIError, NotFound

from tests.lab import cache, images
from tests.lab.images import App
from tests.lab.patience import PATIENCE_S
from tests.lab.ports import is_free
from tests.lab.registry import Registry

SOCKET = "unix:///var/run/docker.sock"
"""The engine that restoops uses for `local`, whatever DOCKER_HOST says."""
COMMAND = Path(sys.executable).with_name("restoops")
ROUTES = Path("/proc/net/route")
PRIVATE = ("172.30", "10.213", "192.168")
FIRST_PORT, FIRST_REGISTRY_PORT = 8080, 5000
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Stage:
    """What restoops is run with; made by `stage`."""

    app: str
    engine: DockerClient
    registry: Registry
    settings: Mapping[str, str]
    """The variables that say what differs from the embedded default."""
    folder: Path
    """Where commands are run: an empty directory."""

    @property
    def url(self) -> str:
        """Where clients reach the application."""
        return f"http://127.0.0.1:{self.settings['RESTOOPS_PROXY__PORT']}/"

    @property
    def environment(self) -> dict[str, str]:
        """This process's variables without settings of its owner, and those of the stage."""
        own = {name: value for name, value in os.environ.items() if "RESTOOPS_" not in name}
        login = {
            "REGISTRY_USERNAME": self.registry.username,
            "GITHUB_TOKEN": self.registry.password,
            # A proxy for the internet is not for this machine's own addresses.
            "NO_PROXY": ",".join(filter(None, [own.get("NO_PROXY"), "127.0.0.1"])),
        }
        return own | login | dict(self.settings)

    def push(self, app: App, tag: str) -> None:
        """Put a release into the registry."""
        image = images.testapp(self.engine, app)
        self.registry.push(self.engine, image, _repository(self.app), tag)

    def start(
        self, *arguments: str, stdin: int | IO[bytes] = subprocess.DEVNULL, is_quiet: bool = False
    ) -> subprocess.Popen[str]:
        """Start a command; it prints where we do, or into pipes."""
        output = subprocess.PIPE if is_quiet else None
        return subprocess.Popen(
            [str(COMMAND), *arguments],
            cwd=self.folder,
            env=self.environment,
            stdin=stdin,
            stdout=output,
            stderr=output,
            text=True,
        )

    def run(self, *arguments: str) -> int:
        """Run a command where its output is seen, and return its exit status."""
        process = self.start(*arguments)
        try:
            return process.wait()
        finally:
            end(process)

    def answer(self) -> str:
        """Ask the application as a client would: it answers with the name of its release."""
        # Straight to this machine, whatever proxy is set for the internet.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(self.url, timeout=10) as response:
            return str(response.read().decode().strip())


@contextmanager
def stage(app: str) -> Iterator[Stage]:
    """Have a stage; all that was started on it is gone afterwards, also when it failed."""
    # One at a time: ports and addresses that are free now shall be so when they are used.
    with cache.locked("stage"), _folder(app) as folder:
        engine = DockerClient(base_url=SOCKET)
        try:
            clear(engine, app)
            with Registry(first_free_port(FIRST_REGISTRY_PORT)) as registry:
                settings = _settings(app, engine, registry, folder)
                (work := Path(folder) / "work").mkdir()
                yield Stage(app, engine, registry, settings, work)
        finally:
            with undisturbed():
                clear(engine, app)
                engine.close()


@contextmanager
def _folder(app: str) -> Iterator[str]:
    for left in Path(tempfile.gettempdir()).glob(f"{app}-*"):
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f"{app}-") as folder:
        yield folder


def clear(engine: DockerClient, app: str) -> None:
    """Remove the containers, the network and the images of `app`."""
    for container in engine.containers.list(all=True, filters={"label": f"restoops.app={app}"}):
        with suppress(NotFound):
            container.remove(force=True, v=True)
    for network in engine.networks.list(names=[f"^{app}$"]):
        with suppress(NotFound):
            network.remove()
    for name in pulled(engine, app):
        with suppress(NotFound, APIError):
            engine.images.remove(name)


def pulled(engine: DockerClient, app: str) -> list[str]:
    """Return the images of `app` that were pulled, by digest."""
    found = engine.api.images()
    names = [name for entry in found for name in entry.get("RepoDigests") or ()]
    return [name for name in names if f"/{_repository(app)}@" in name]


def end(process: subprocess.Popen[str]) -> None:
    """Let a command that still runs end as it would for an operator: in order."""
    if process.poll() is None:
        with undisturbed():
            process.terminate()
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let no Ctrl-C cut short what tidies up."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def first_free_port(first: int) -> int:
    """Return the first port from `first` on that nothing listens on."""
    return next(port for port in range(first, 65536) if is_free(port))


def free_subnet(engine: DockerClient) -> str:
    """Return a private network of 256 addresses that nothing on this machine uses."""
    taken = [*_routes(), *_bridges(engine)]
    candidates = (IPv4Network(f"{start}.{n}.0/24") for start in PRIVATE for n in range(256))
    return str(next(c for c in candidates if not any(c.overlaps(other) for other in taken)))


def _routes() -> Iterator[IPv4Network]:
    for line in ROUTES.read_text().splitlines()[1:]:
        fields = line.split()
        address, mask = (IPv4Address(bytes.fromhex(fields[n])[::-1]) for n in (1, 7))
        if int(mask):
            yield IPv4Network(f"{address}/{mask}")


def _bridges(engine: DockerClient) -> Iterator[IPv4Network]:
    for network in engine.networks.list():
        for pool in network.attrs["IPAM"]["Config"] or ():
            subnet = ip_network(pool["Subnet"])
            if isinstance(subnet, IPv4Network):
                yield subnet


def _settings(app: str, engine: DockerClient, registry: Registry, folder: str) -> dict[str, str]:
    return {
        "RESTOOPS_APP__NAME": app,
        "RESTOOPS_REGISTRY__HOST": registry.local,
        "RESTOOPS_IMAGE__REPOSITORY": _repository(app),
        "RESTOOPS_PROXY__IMAGE": images.haproxy(engine),
        "RESTOOPS_PROXY__PORT": str(first_free_port(FIRST_PORT)),
        "RESTOOPS_NETWORK__SUBNET": free_subnet(engine),
        "RESTOOPS_HOST__STATE_DIR": f"{folder}/state",
    }


def _repository(app: str) -> str:
    return f"example/{app}"
