"""`make dev` builds the API, starts the stack, copies edits in, and ends with Ctrl-C."""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from docker import DockerClient

from tests.docker.api import eventually
from tests.docker.stack import COMPOSE, Stack, docker_config
from tests.docker.test_compose import CONTROLLER, DEVELOPMENT, edit, official
from tests.docker.workspace import PROJECT, WORKSPACE
from tests.docs_shell import lines, typed
from tests.lab import cache, stack_images


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What `make dev` needs of this repository, with the Compose that `make setup-venv` brings."""
    unwanted = shutil.ignore_patterns("node_modules", ".turbo", "dist", ".test")
    shutil.copytree(WORKSPACE, tmp_path / "docker", ignore=unwanted)
    shutil.copytree(PROJECT / "scripts", tmp_path / "scripts")
    shutil.copy(PROJECT / "Makefile", tmp_path)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "docker-compose").symlink_to(COMPOSE)
    return tmp_path


@pytest.mark.lab
@pytest.mark.full
def test_the_stack_starts_follows_an_edit_and_ends(engine: DockerClient, checkout: Path) -> None:
    image = f"{cache.LABEL}/api:make-dev"
    with (
        stack_images.serving_as(engine, official(engine)),
        Stack(checkout / "docker", DEVELOPMENT, image) as stack,
    ):
        (checkout / "docker" / ".env.development").write_text(
            f"NODE_IMAGE={stack_images.node(engine)}\nPOSTGRES_DB=orders\n"
        )
        [line], [down] = lines("make dev"), lines("compose down")
        process = subprocess.Popen(
            ["bash", "-c", line], cwd=checkout, env=stack.environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        try:
            assert process.stdout
            told = ""
            while "Watch enabled" not in told:
                line = process.stdout.readline()
                assert line, told
                told += line
            eventually(stack.ask, lambda answer: answer.status == 200, timeout_s=120)
            edit(
                checkout / "docker" / CONTROLLER,
                "{ status: 'ok' };",
                "{ status: 'ok', at: 1 } as never;",
            )
            eventually(lambda: stack.ask("/live"), lambda answer: '"at":1' in answer.text)
            assert "orders" in stack.execute("postgres", "psql", "-U", "app", "-l", "orders")
        finally:
            os.killpg(process.pid, signal.SIGINT)
            rest, _ = process.communicate(timeout=60)

        assert re.search(
            rf"^==> API +http://127.0.0.1:{stack.ports['API_PORT']}/health$", told, re.M
        )
        assert process.returncode in (0, 130, 2), rest  # make's own is 2
        assert stack.services() == {}  # those that run
        kept = {"filters": {"label": f"com.docker.compose.project={stack.name}"}}
        assert engine.volumes.list(**kept)
        config = {"DOCKER_CONFIG": str(docker_config(checkout / "config"))}
        typed(down, checkout, **stack.environment | config)
        assert engine.volumes.list(**kept) == []
    engine.images.remove(image, force=True)


def test_an_engine_that_does_not_answer_is_told(checkout: Path) -> None:
    done = subprocess.run(
        [str(checkout / "scripts" / "dev")], env={**os.environ, "DOCKER_HOST": "tcp://127.0.0.1:1"},
        capture_output=True, text=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip

    said = "error: no Docker engine answers\n hint: Start Docker, then `make dev` again.\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", said)
