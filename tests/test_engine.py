"""`make` starts a Docker engine where none answers, and leaves one that is there already alone."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from docker import DockerClient

PROJECT = Path(__file__).parent.parent
pytestmark = pytest.mark.lab


def engines() -> Iterator[str]:
    """Yield the processes of all engines of this machine, with when each was started."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            number, _, rest = path.read_text().partition(" (dockerd) ")
        except OSError:  # it has ended meanwhile
            continue
        if rest:
            yield f"{number} {rest.split()[19]}"


def start(**environ: str) -> subprocess.CompletedProcess[str]:
    """Do what each target of `make` that needs an engine does first."""
    return subprocess.run(
        ["scripts/engine", "start"], cwd=PROJECT, env={**os.environ, **environ},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_an_engine_that_answers_is_left_alone(engine: DockerClient) -> None:
    before = set(engines())

    done = start()

    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    assert set(engines()) == before
    assert engine.ping()


@pytest.mark.usefixtures("engine")
def test_no_engine_is_started_in_place_of_one_that_is_elsewhere() -> None:
    before = set(engines())

    done = start(DOCKER_HOST="tcp://127.0.0.1:9")

    assert done.returncode == 1
    assert "no Docker engine answers at DOCKER_HOST=tcp://127.0.0.1:9" in done.stderr
    assert "Unset DOCKER_HOST" in done.stderr
    assert set(engines()) == before
