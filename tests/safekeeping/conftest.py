"""What tests of secrets work on."""

from pathlib import Path

import pytest

from tests.safekeeping.stage import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty repository; its home is beside it."""
    folder = tmp_path / "project"
    folder.mkdir()
    made = Project(folder, {"HOME": str(tmp_path / "home")})
    made.git("init", "--quiet", "--initial-branch=main")
    return made
