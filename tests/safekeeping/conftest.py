"""What tests of secrets work on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.github import Github
from tests.safekeeping.stage import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty repository; its home is beside it."""
    folder = tmp_path / "project"
    folder.mkdir()
    made = Project(folder, {"HOME": str(tmp_path / "home")})
    made.git("init", "--quiet", "--initial-branch=main")
    return made


@pytest.fixture
def github() -> Iterator[Github]:
    """GitHub, with the environment `staging`."""
    with Github("staging") as running:
        yield running
