"""Projects for the tests of `restoops infra`; none needs the lab.

What many tests begin with is made once, and each has a copy.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.infra.stage import Stage, entered, stage


@pytest.fixture(scope="session")
def set_up(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a project that is set up, which no test changes."""
    folder = tmp_path_factory.mktemp("set-up")
    with stage(folder) as made:
        made.good("init", "dev")
    return folder


@pytest.fixture(scope="session")
def all_there(set_up: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a project with all of it applied, which no test changes."""
    folder = tmp_path_factory.mktemp("all-there")
    shutil.copytree(set_up, folder, symlinks=True, dirs_exist_ok=True)
    with entered(folder) as made:
        made.good("apply", "dev", "--yes")
    return folder


@pytest.fixture
def project(tmp_path: Path, set_up: Path) -> Iterator[Stage]:
    """A project that is set up, with nothing applied."""
    shutil.copytree(set_up, tmp_path, symlinks=True, dirs_exist_ok=True)
    with entered(tmp_path) as made:
        yield made


@pytest.fixture
def applied(tmp_path: Path, all_there: Path) -> Iterator[Stage]:
    """A project with all of it applied."""
    shutil.copytree(all_there, tmp_path, symlinks=True, dirs_exist_ok=True)
    with entered(tmp_path) as made:
        yield made
