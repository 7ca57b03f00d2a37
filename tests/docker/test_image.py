"""The image of the API: small, without a secret, not run by root, quick to make again."""

import json
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from docker import DockerClient
from docker.models.containers import Container

from tests.docker.api import ask, eventually
from tests.docker.image import Build, BuildFailed, export, files_with, leaks, reused
from tests.docker.servers import Postgres, Redis
from tests.docker.workspace import WORKSPACE, run
from tests.lab import cache, stack_images

pytestmark = pytest.mark.lab

MIB = 1024 * 1024
TAG = f"{cache.LABEL}/api"
OFFICIAL_ALPINE_BYTES = 140 * MIB
"""About what the official Node 20 Alpine takes, which cannot be pulled here."""


@pytest.fixture(scope="session")
def node(engine: DockerClient) -> str:
    """The base image of this lab."""
    return stack_images.node(engine)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Turborepo that tests may edit, with secrets in it that no image may hold."""
    folder = tmp_path_factory.mktemp("turborepo") / "it"
    # What is built there may be written just now, and is in no image.
    made = shutil.ignore_patterns("node_modules", ".turbo", ".test", "dist")
    shutil.copytree(WORKSPACE, folder, ignore=made)
    for name in (".env", "apps/api/.env.production", ".env.staging"):
        (folder / name).write_text(f"PASSWORD={secret_of(folder)}\n")
    return folder


def secret_of(folder: Path) -> str:
    """Return a secret that is the folder's own."""
    return f"lab-secret-{cache.digest_of(str(folder))}"


@pytest.fixture(scope="module")
def image(engine: DockerClient, node: str, tree: Path) -> Iterator[str]:
    """The production image, built with an npm configuration that holds a secret."""
    own = Path.home() / ".npmrc"
    npmrc = tree.parent / "npmrc"
    npmrc.write_text(f"{own.read_text() if own.exists() else ''}\n# {secret_of(tree)}\n")
    tag = f"{TAG}:{secrets.token_hex(4)}"
    arguments = (("RELEASE_SHA", "abc1234"),)
    Build(tag, node, tree, arguments=arguments, npmrc=npmrc).run()
    yield tag
    engine.images.remove(tag, force=True)


@pytest.fixture(scope="module")
def exported(
    image: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, object]]:
    """Every layer of the image, unpacked, and its configuration."""
    folder = tmp_path_factory.mktemp("layers")
    return folder, export(image, folder)


@pytest.fixture
def container(
    engine: DockerClient, image: str, postgres: Postgres, redis: Redis
) -> Iterator[Container]:
    """The image as it runs, with its own health check made impatient."""
    running = engine.containers.run(
        image, detach=True, network_mode="host", labels={cache.LABEL: "1"}, read_only=True,
        environment={"DATABASE_URL": postgres.url, "REDIS_URL": redis.url, "PORT": "3091",
                     "HEALTH_CACHE_MS": "50"},
        healthcheck={"interval": 1_000_000_000, "retries": 2},
    )  # fmt: skip
    yield running
    running.remove(force=True)


def test_the_image_is_small_and_says_what_it_is(
    engine: DockerClient, image: str, node: str
) -> None:
    base, made = (engine.images.get(name).attrs for name in (node, image))

    added = made["Size"] - base["Size"]
    print(f"image: {made['Size'] / MIB:.0f} MiB, {added / MIB:.1f} MiB of it on top of its base")
    assert added < 200 * MIB - OFFICIAL_ALPINE_BYTES
    config = made["Config"]
    assert (config["User"], config["WorkingDir"]) == ("1001:1001", "/app/apps/api")
    assert config["Entrypoint"] == ["dumb-init", "--"]
    assert config["Labels"]["org.opencontainers.image.revision"] == "abc1234"


def test_it_runs_as_nestjs_below_dumb_init_and_is_found_healthy(
    container: Container, postgres: Postgres
) -> None:
    def health() -> str:
        container.reload()
        return str(container.attrs["State"]["Health"]["Status"])

    told = eventually(lambda: ask(3091), lambda answer: answer.status == 200).json

    assert told["release"]["sha"] == "abc1234"
    assert container.exec_run(["id"]).output == (
        b"uid=1001(nestjs) gid=1001(nodejs) groups=1001(nodejs)\n"
    )
    assert container.exec_run(["cat", "/proc/1/comm"]).output == b"dumb-init\n"
    assert container.exec_run(["touch", "dist/main.js"]).exit_code != 0
    await_health(health, "healthy")
    postgres.stop()
    try:
        await_health(health, "unhealthy")
        container.stop(timeout=9)
        container.reload()
        assert container.attrs["State"]["ExitCode"] == 0
    finally:
        postgres.start()


def await_health(health: object, wanted: str) -> None:
    """Wait until Docker says that the container is as wanted."""
    assert callable(health)
    deadline = time.monotonic() + 120
    while health() != wanted:
        assert time.monotonic() < deadline, f"is {health()}, not {wanted}"
        time.sleep(0.1)


def test_nothing_of_development_is_inside(exported: tuple[Path, dict[str, object]]) -> None:
    folder, _ = exported
    store = {it.name.split("@")[0] for it in folder.glob("layers/*/app/node_modules/.pnpm/*")}
    app = [it for it in folder.glob("layers/*/app") if (it / "apps").is_dir()]

    assert {"pg", "ioredis", "express"} <= store
    assert store.isdisjoint({"typescript", "turbo", "turbo-linux-64", "eslint", "prettier"})
    assert not list(folder.glob("layers/*/app/node_modules/.pnpm/@types*"))
    assert not list(folder.glob("layers/*/usr/**/node_modules/pnpm"))
    names = {path.name for root in app for path in root.glob("apps/api/*")}
    assert names <= {"dist", "package.json", "node_modules"}


def test_no_layer_holds_a_secret(
    engine: DockerClient, node: str, exported: tuple[Path, dict[str, object]], tree: Path
) -> None:
    folder, config = exported
    below = len(engine.images.get(node).attrs["RootFS"]["Layers"])
    ours = layers(folder)[below:]
    assert len(ours) >= 3
    (ours[-1] / "config.json").write_text(json.dumps(config))

    for layer in ours:
        status, told = leaks(layer)
        assert status == 0, told
    assert files_with(folder, secret_of(tree)) == []


def layers(folder: Path) -> list[Path]:
    """Return the layers of an image that was exported to a folder, the lowest first."""
    return sorted((folder / "layers").iterdir(), key=lambda it: int(it.name))


@pytest.mark.full
def test_a_secret_that_a_later_layer_removes_is_found(
    engine: DockerClient, image: str, tmp_path: Path
) -> None:
    key = f"ghp_{secrets.token_urlsafe(40).replace('-', 'x').replace('_', 'y')[:36]}"
    (tmp_path / "Dockerfile").write_text(
        f"FROM {image}\nUSER root\nRUN echo token={key} >/etc/token\nRUN rm /etc/token\n"
    )
    engine.images.build(path=str(tmp_path), tag=f"{TAG}:leaky", rm=True, forcerm=True)
    try:
        (tmp_path / "out").mkdir()
        export(f"{TAG}:leaky", tmp_path / "out")
        assert leaks(layers(tmp_path / "out")[-2])[0] == 42
    finally:
        engine.images.remove(f"{TAG}:leaky", force=True)


def test_a_change_of_source_makes_no_dependency_anew(
    engine: DockerClient, node: str, tree: Path
) -> None:
    before, _ = built_after_an_edit(engine, node, tree)
    after, steps = built_after_an_edit(engine, node, tree)

    dependencies = {
        step: was for step, was in steps.items()
        if step.startswith(("[base", "[dependencies", "[production-deps"))
    }  # fmt: skip
    assert len(dependencies) >= 6
    assert all(dependencies.values()), dependencies
    assert not all(was for step, was in steps.items() if step.startswith("[builder"))
    new = set(after) - set(before)
    assert len(new) <= 2  # what was built, and the empty one of the check that it was
    print(f"after a change of source: {len(new)} of {len(after)} layers are new")


def built_after_an_edit(
    engine: DockerClient, node: str, tree: Path
) -> tuple[list[str], dict[str, bool]]:
    """Edit a source, build, and return the layers and which steps were reused."""
    source = tree / "apps" / "api" / "src" / "main.ts"
    source.write_text(source.read_text() + f"\n// {secrets.token_hex(8)}\n")
    tag = f"{TAG}:edited"
    steps = reused(Build(tag, node, tree).run())
    layers_of: list[str] = engine.images.get(tag).attrs["RootFS"]["Layers"]
    engine.images.remove(tag, force=True)
    return layers_of, steps


@pytest.mark.full
def test_a_cold_build_takes_less_than_five_minutes(
    engine: DockerClient, node: str, tree: Path
) -> None:
    began = time.monotonic()
    Build(f"{TAG}:cold", node, tree, is_cold=True).run()
    took_s = time.monotonic() - began
    engine.images.remove(f"{TAG}:cold", force=True)

    print(f"cold build: {took_s:.0f} s")
    assert took_s < 300


def test_another_turborepo_is_built_by_arguments_alone(
    engine: DockerClient, node: str, tree: Path, tmp_path: Path
) -> None:
    """Its app has another name, another path, another entry and a package of another name."""
    other = tmp_path / "other"
    shutil.copytree(tree, other, ignore=shutil.ignore_patterns("apps", "packages", ".env*"))
    write_other_turborepo(other)
    tag = f"{TAG}:other"
    arguments = (
        ("APP_NAME", "@menu/orders"), ("APP_PATH", "apps/orders"),
        ("APP_ENTRY", "lib/server.js"), ("BUILT", "lib assets"),
    )  # fmt: skip

    Build(tag, node, other, arguments=arguments).run()

    try:
        told = engine.containers.run(
            tag, remove=True, network_mode="none", labels={cache.LABEL: "1"}
        )
        assert told == b"one espresso, from /app/apps/orders as 1001\n"
    finally:
        engine.images.remove(tag, force=True)


def test_an_argument_that_cannot_be_right_fails_the_build_and_not_the_container(
    node: str, tree: Path
) -> None:
    with pytest.raises(BuildFailed) as caught:
        Build(f"{TAG}:wrong", node, tree, arguments=(("APP_PATH", "apps/apy"),)).run()

    said = "error: apps/apy/dist/main.js was not built: are APP_PATH, APP_ENTRY and BUILT right?"
    assert said in str(caught.value)


OTHER = {
    "package.json": """{"name": "menu", "private": true, "packageManager": "pnpm@10.34.9",
      "devDependencies": {"turbo": "^2.11.11"}}""",
    "turbo.json": '{"tasks": {"build": {"dependsOn": ["^build"], "outputs": ["lib/**"]}}}',
    "apps/orders/package.json": """{"name": "@menu/orders", "private": true,
      "scripts": {"build": "mkdir -p lib && cp src/server.js lib/"},
      "dependencies": {"@menu/words": "workspace:*"}}""",
    "apps/orders/src/server.js": (
        "const drink = require('fs').readFileSync('assets/drink', 'utf8');"
        "console.log(`${require('@menu/words')}${drink},"
        " from ${process.cwd()} as ${process.getuid()}`);"
    ),
    "apps/orders/assets/drink": "espresso",
    "apps/web/package.json": '{"name": "web", "private": true, "scripts": {"build": "exit 1"}}',
    "packages/words/package.json": """{"name": "@menu/words", "private": true,
      "main": "lib/index.js", "scripts": {"build": "mkdir -p lib && cp index.js lib/"}}""",
    "packages/words/index.js": "module.exports = 'one ';",
}


def write_other_turborepo(folder: Path) -> None:
    """Write a Turborepo without third packages but turbo, whose lock is the reference's in part."""
    for name, text in OTHER.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    run("pnpm", "--dir", str(folder), "install", "--lockfile-only", "--no-frozen-lockfile")
