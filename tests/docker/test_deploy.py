"""The reference API goes through restoops: swaps under load, and a database that is down."""

from collections.abc import Iterator

import pytest
from docker import DockerClient

from tests.docker.api import Answer, ask, eventually
from tests.docker.image import Build
from tests.docker.servers import Postgres, Redis
from tests.e2e.running import result
from tests.lab import cache, network, stack_images
from tests.lab.droplet import Droplet
from tests.lab.loadrun import LoadRun
from tests.lab.operator import PORT, Operator
from tests.lab.registry import Registry

pytestmark = pytest.mark.lab

REPOSITORY = "restoops/reference-api"
FIRST, SECOND, THIRD, STALE = "a1a1a1a", "b2b2b2b", "c3c3c3c", "d4d4d4d"
RATE = 100
URLS = "/etc/app"
"""Where the addresses of the servers are, on the droplet and in the container."""


@pytest.fixture(scope="module")
def database() -> Iterator[Postgres]:
    """A PostgreSQL that droplets reach."""
    with Postgres(network.GATEWAY) as server:
        yield server


@pytest.fixture(scope="module")
def counter() -> Iterator[Redis]:
    """A Redis that droplets reach."""
    with Redis(network.GATEWAY) as server:
        yield server


@pytest.fixture(scope="module")
def pushed(engine: DockerClient, registry: Registry) -> str:
    """The repository with three releases, and a stale one under a tag of its own."""
    node = stack_images.node(engine)
    for sha, tag in ((FIRST, FIRST), (SECOND, SECOND), (THIRD, THIRD), (FIRST, STALE)):
        name = f"{cache.LABEL}/api:{sha}"
        Build(name, node, arguments=(("RELEASE_SHA", sha),)).run()
        registry.push(engine, name, REPOSITORY, f"sha-{tag}")
        engine.images.remove(name)
    return REPOSITORY


@pytest.fixture(scope="module")
def desk(operator: Operator, database: Postgres, counter: Redis, pushed: str) -> Operator:
    """An operator whose application is the reference API, which serves its first release."""
    operator.droplet.exec(["mkdir", "-p", URLS])
    for name, server in (("database_url", database), ("redis_url", counter)):
        operator.droplet.write(f"{URLS}/{name}", server.url)
    operator.settings |= {
        "image": {"repository": pushed},
        "health": {"timeout_s": 30},
        "container": {
            # Files, because `docker inspect` shows the environment.
            "environment": {
                "DATABASE_URL_FILE": f"{URLS}/database_url",
                "REDIS_URL_FILE": f"{URLS}/redis_url",
            },
            "volumes": [f"{URLS}:{URLS}:ro"],
        },
    }
    operator.deploy(f"sha-{FIRST}")
    return operator


@pytest.fixture
def load(desk: Operator) -> Iterator[LoadRun]:
    """Visits, half of them counted, which nobody may repeat."""
    url = desk.url.rstrip("/") + "/visits"
    with LoadRun(url, RATE) as running:
        running.wait_for_traffic()
        yield running


def health(droplet: Droplet) -> Answer:
    """Ask as a client would."""
    return ask(PORT, host=droplet.address)


def test_two_releases_under_load_lose_no_request_and_what_serves_is_what_was_asked_for(
    desk: Operator, load: LoadRun, counter: Redis
) -> None:
    for sha in (SECOND, FIRST, SECOND):
        load.expect_change()
        ended = result(desk.deploy(f"sha-{sha}", "--json"))
        assert ended["cut"] == 0
        load.wait_for_release(sha)
        assert health(desk.droplet).json["release"]["sha"] == sha

    outcome = load.stop()
    print(outcome)
    assert (outcome.failed, outcome.mixed) == (0, 0), str(outcome)
    assert outcome.sequence == [FIRST, SECOND, FIRST, SECOND]
    assert int(counter.ask("GET", "visits")) == outcome.posts


def test_no_secret_is_in_what_docker_shows(desk: Operator, database: Postgres) -> None:
    shown = desk.droplet.exec(["sh", "-c", "docker inspect $(docker ps -q)"])

    assert "DATABASE_URL_FILE" in shown
    assert database.password not in shown


def test_with_the_database_down_a_good_release_is_not_blamed(
    desk: Operator, load: LoadRun, database: Postgres
) -> None:
    serving = health(desk.droplet).json["release"]["sha"]
    database.stop()
    try:
        eventually(lambda: health(desk.droplet), lambda answer: answer.status == 503)
        outcome = desk.run("deploy", f"sha-{THIRD}", "staging", "--timeout", "10")
    finally:
        database.start()

    assert outcome.status == 1
    assert "the release before answers 503 as well: not the new one's fault" in outcome.stderr
    assert "Is a database or a cache down that both need?" in outcome.stderr
    record = desk.must("history", "staging", "--json").events[0]
    assert record["error"].endswith("not the new one's fault")
    eventually(lambda: health(desk.droplet), lambda answer: answer.status == 200)
    result(desk.deploy(f"sha-{THIRD}", "--json"))
    load.wait_for_release(THIRD)
    told = load.stop()
    # Nobody was taken out of service: what needs no database was served throughout.
    assert (told.failed, told.sequence) == (0, [serving, THIRD]), str(told)


def test_a_deploy_that_meets_the_database_down_waits_until_it_is_back(
    desk: Operator, database: Postgres
) -> None:
    database.stop()
    process = desk.start("deploy", f"sha-{SECOND}", "staging", "--json")
    try:
        assert process.stdout
        while '"await_healthy"' not in (line := process.stdout.readline()) or "planned" in line:
            assert line, "it ended before it asked"
        eventually(lambda: health(desk.droplet), lambda answer: answer.status == 503)
    finally:
        database.start()

    told, said = process.communicate(timeout=120)

    assert process.returncode == 0, told + said
    assert health(desk.droplet).json["release"]["sha"] == SECOND


def test_a_stale_image_under_a_new_tag_does_not_go_live(desk: Operator) -> None:
    outcome = desk.run("deploy", f"sha-{STALE}", "staging")

    assert outcome.status == 1
    assert f"was started as sha-{STALE}, but says on /health that it is {FIRST}" in outcome.stderr
    assert health(desk.droplet).json["release"]["sha"] == SECOND
