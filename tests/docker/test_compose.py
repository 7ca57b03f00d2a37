"""Both compose files come up side by side, on servers with their real entrypoints and checks."""

import secrets
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from docker import DockerClient

from tests.docker.api import eventually
from tests.docker.image import Build
from tests.docker.stack import Stack, Watch, docker_config
from tests.docker.workspace import WORKSPACE
from tests.docs_shell import lines, typed
from tests.lab import cache, stack_images

pytestmark = [pytest.mark.lab, pytest.mark.full]

DEVELOPMENT, STAGING = "docker-compose.dev.yml", "docker-compose.staging.yml"
SERVICES = {"api", "postgres", "redis", "adminer"}
CONTROLLER = "apps/api/src/health/health.controller.ts"
CHECK = "packages/health/src/check.ts"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the Turborepo, to edit."""
    folder = tmp_path_factory.mktemp("stack") / "docker"
    unwanted = shutil.ignore_patterns("node_modules", ".turbo", "dist", ".test")
    shutil.copytree(WORKSPACE, folder, ignore=unwanted)
    return folder


def official(engine: DockerClient) -> dict[str, str]:
    """Return the lab's images by the names that the compose files use."""
    made = stack_images.services(engine)
    return {
        "postgres:15-alpine": made["postgres"],
        "redis:7-alpine": made["redis-server"],
        "adminer:5.4.1": made["adminer"],
    }


@pytest.fixture(scope="module")
def stacks(engine: DockerClient, tree: Path) -> Iterator[tuple[Stack, Stack]]:
    """Development and staging, both up at the same time."""
    node, key = stack_images.node(engine), secrets.token_hex(4)
    images = {target: f"{cache.LABEL}/api:{target}-{key}" for target in ("builder", "production")}
    with ExitStack() as undo:
        undo.enter_context(stack_images.serving_as(engine, official(engine)))
        for target, tag in images.items():
            arguments = (("RELEASE_SHA", "abc1234"),) if target == "production" else ()
            Build(tag, node, tree, target, arguments).run()
            undo.callback(engine.images.remove, tag, force=True)
        development = undo.enter_context(Stack(tree, DEVELOPMENT, images["builder"]))
        staging = undo.enter_context(Stack(tree, STAGING, images["production"]))
        with ThreadPoolExecutor() as pool:
            list(pool.map(Stack.up, (development, staging)))
        yield development, staging


def test_all_services_of_both_are_healthy_side_by_side(stacks: tuple[Stack, Stack]) -> None:
    for stack, release in zip(stacks, ("development", "abc1234"), strict=True):
        services = stack.services()
        assert {name: it["Health"] for name, it in services.items()} == dict.fromkeys(
            SERVICES, "healthy"
        )
        # The first compilation in the container may restart what was healthy already.
        told = eventually(stack.ask, lambda answer: answer.status == 200)
        assert told.services == ("connected", "connected")
        assert told.json["release"]["sha"] == release
        assert all(it["Networks"] == f"{stack.name}_app" for it in services.values())


def test_ports_are_open_on_this_machine_only_and_passwords_in_no_argument(
    engine: DockerClient, stacks: tuple[Stack, Stack]
) -> None:
    for stack in stacks:
        for service in stack.services().values():
            attrs = engine.containers.get(service["ID"]).attrs
            ports = [
                it for found in attrs["NetworkSettings"]["Ports"].values() for it in found or []
            ]
            assert {it["HostIp"] for it in ports} == {"127.0.0.1"}
            assert stack.password not in str([attrs["Path"], attrs["Args"]])


def test_staging_runs_the_image_as_a_host_would(
    engine: DockerClient, stacks: tuple[Stack, Stack]
) -> None:
    _, staging = stacks
    attrs = engine.containers.get(staging.services()["api"]["ID"]).attrs

    assert attrs["HostConfig"]["ReadonlyRootfs"]
    assert attrs["HostConfig"]["CapDrop"] == ["ALL"]
    assert staging.execute("api", "id", "-u") == "1001"
    assert staging.execute("api", "cat", "/proc/1/comm") == "dumb-init"


def test_an_edit_is_seen_at_once_in_the_app_and_in_a_package(
    stacks: tuple[Stack, Stack], tree: Path
) -> None:
    development, staging = stacks
    with Watch(development):
        edit(
            tree / CONTROLLER,
            "return { status: 'ok' };",
            "return { status: 'ok', at: 1 } as never;",
        )
        eventually(lambda: development.ask("/live"), lambda answer: '"at":1' in answer.text)

        edit(tree / CHECK, "status: 'connected',", "status: 'connected', reason: 'edited',")
        eventually(development.ask, lambda answer: '"reason":"edited"' in answer.text)

    assert '"at":1' not in staging.ask("/live").text


def edit(path: Path, old: str, new: str) -> None:
    """Replace a text in a file, where it has to be."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_adminer_shows_the_database(stacks: tuple[Stack, Stack]) -> None:
    for stack in stacks:
        login = {"driver": "pgsql", "server": "postgres", "username": "app", "db": "app"}
        form = {f"auth[{name}]": value for name, value in login.items()}
        url = f"http://127.0.0.1:{stack.ports['ADMINER_PORT']}/"
        with httpx.Client(follow_redirects=True) as browser:
            assert "Login - Adminer" in browser.get(url).text
            page = browser.post(url, data={**form, "auth[password]": stack.password})

        assert (page.status_code, "Schema: public" in page.text) == (200, True), page.text


def test_data_survive_a_restart_by_the_lines_that_are_shown(
    engine: DockerClient, stacks: tuple[Stack, Stack], tree: Path, tmp_path: Path
) -> None:
    _, staging = stacks
    sql = ("psql", "--username", "app", "--tuples-only", "--no-align", "--quiet", "--command")
    staging.execute("postgres", *sql, "CREATE TABLE dishes AS SELECT 'soup' AS name")
    staging.execute("redis", "redis-cli", "SET", "dish", "soup")

    up, down = lines("compose staging")
    config = {"DOCKER_CONFIG": str(docker_config(tmp_path / "config"))}
    typed(down, tree, **staging.environment | config)
    assert staging.services() == {}
    with stack_images.trusting(engine, stack_images.node(engine)) as node:
        typed(up, tree, **staging.environment | config | {"NODE_IMAGE": node})

    assert staging.execute("postgres", *sql, "SELECT name FROM dishes") == "soup"
    assert staging.execute("redis", "redis-cli", "GET", "dish") == "soup"
    assert staging.ask().status == 200
