"""Fixtures of the lab. All are lazy: a test that asks for none of them needs no engine."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import docker
import pytest
from docker import DockerClient
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from tests.lab import cache, images, network
from tests.lab.droplet import Droplet
from tests.lab.operator import Operator
from tests.lab.registry import Registry
from tests.lab.releases import Releases

MakeDroplet = Callable[[], Droplet]
FLEET = 4
AT_ONCE = 2
"""Droplets that are started at the same time: as many as suit two processors."""
TOGETHER = {f"tests/ansible/test_{name}.py" for name in ("setup", "outside", "way_back")}
"""Files whose tests share a droplet that takes minutes to set up."""
LONG = tuple(f"tests/{name}" for name in ("ansible/", "docker/", "infra/", "test_package.py"))
"""What takes long without the lab: each test runs other programs."""
UNDER_LOAD = {"tests.lab.loadrun", "tests.e2e.fleets"}
"""Where that is from by which a module of tests puts load on droplets."""

# Examples take as long as they do on a machine that has other things to do.
settings.register_profile(
    "busy", deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("busy")


def file_of(item: pytest.Item) -> str:
    """Return the path of a test's file, from the project on."""
    return item.nodeid.partition("::")[0]


class OneFileEach(LoadFileScheduling):
    """Hands a file of tests at a time to a worker, or several files that share a lot."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return "together" if file in TOGETHER else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> OneFileEach | None:
    """Hand out tests in our way where workers take a file each."""
    return OneFileEach(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say which tests have the machine for themselves, and put first what takes longest.

    Where workers take one file after the other, none is left with a long one at the end.
    """
    in_lab = [it for it in items if it.get_closest_marker("lab")]
    for item in in_lab:
        assert isinstance(item, pytest.Function)
        used = {getattr(it, "__module__", None) for it in vars(item.module).values()}
        if used & UNDER_LOAD:
            item.add_marker("alone")
    tests = Counter(file_of(it) for it in items)
    files = {file_of(it) for it in in_lab}

    def turn(item: pytest.Item) -> tuple[bool, bool, int, str]:
        file = file_of(item)
        is_quick = file not in files and not file.startswith(LONG)
        return file not in TOGETHER, is_quick, -tests[file], file

    items.sort(key=turn)


@contextmanager
def several(count: int, make_droplet: MakeDroplet) -> Iterator[list[Droplet]]:
    """Have so many fresh droplets."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        droplets = list(pool.map(lambda _: make_droplet(), range(count)))
        yield droplets
        list(pool.map(Droplet.close, droplets))


@pytest.fixture(scope="session")
def engine() -> Iterator[DockerClient]:
    """The engine of this machine, with the network of the lab in it."""
    client = docker.from_env()
    try:
        with network.used(client):
            yield client
    finally:
        client.close()


@pytest.fixture(scope="session")
def lab_key() -> Path:
    """The private key that logs in to every droplet as `deploy`."""
    return cache.private_key()


@pytest.fixture(scope="session")
def registry() -> Iterator[Registry]:
    """A registry of this run, empty at first."""
    with Registry() as running:
        yield running


@pytest.fixture(scope="session")
def releases(engine: DockerClient, registry: Registry) -> Releases:
    """Pushes releases of the test app into `registry`."""
    return Releases(engine, registry)


@pytest.fixture(scope="session")
def make_droplet(engine: DockerClient) -> Iterator[MakeDroplet]:
    """Makes droplets that are ready; they last until the end of the run or until `close`."""
    with ExitStack() as made:
        yield lambda: made.enter_context(Droplet(engine))


@pytest.fixture(scope="module")
def droplet(make_droplet: MakeDroplet) -> Iterator[Droplet]:
    """A fresh droplet for the tests of one module."""
    fresh = make_droplet()
    yield fresh
    fresh.close()


@pytest.fixture(scope="session")
def proxy_images(engine: DockerClient, registry: Registry) -> tuple[str, str]:
    """Two HAProxy images that differ, as droplets pull them."""
    names = []
    for variant in ("a", "b"):
        image = images.haproxy(engine, variant)
        registry.push(engine, image, "restoops/haproxy", variant)
        names.append(f"{registry.host}/restoops/haproxy:{variant}")
    return names[0], names[1]


@pytest.fixture(scope="module")
def operator(
    tmp_path_factory: pytest.TempPathFactory,
    droplet: Droplet,
    registry: Registry,
    lab_key: Path,
    proxy_images: tuple[str, str],
) -> Operator:
    """An operator with a fresh droplet, for the tests of one module."""
    folder = tmp_path_factory.mktemp("operator")
    return Operator(folder, droplet, registry, lab_key, proxy_images[0])


@pytest.fixture(scope="module")
def pair(
    tmp_path_factory: pytest.TempPathFactory,
    make_droplet: MakeDroplet,
    registry: Registry,
    lab_key: Path,
    proxy_images: tuple[str, str],
) -> Iterator[Operator]:
    """An operator with two fresh droplets, for the tests of one module."""
    folder = tmp_path_factory.mktemp("pair")
    with several(2, make_droplet) as droplets:
        yield Operator(folder, droplets, registry, lab_key, proxy_images[0])


@pytest.fixture(scope="module")
def fleet(
    tmp_path_factory: pytest.TempPathFactory,
    make_droplet: MakeDroplet,
    registry: Registry,
    lab_key: Path,
    proxy_images: tuple[str, str],
) -> Iterator[Operator]:
    """An operator with four fresh droplets, for the tests of one module."""
    folder = tmp_path_factory.mktemp("fleet")
    with several(FLEET, make_droplet) as droplets:
        yield Operator(folder, droplets, registry, lab_key, proxy_images[0])


@pytest.fixture
def processes(fleet: Operator, request: pytest.FixtureRequest) -> None:
    """How many processes of restoops lead the fleet: two, unless the test is given a number."""
    fleet.settings["fleet"] = {"second_process_from": 500 if _number(request) == 1 else FLEET}


def _number(request: pytest.FixtureRequest) -> int:
    return int(getattr(request, "param", 2))
