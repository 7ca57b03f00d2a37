"""Projects for the tests of `restoops infra`; none needs the lab."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.infra.stage import Stage, stage


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Stage]:
    """A project that is set up, with nothing applied."""
    with stage(tmp_path) as made:
        made.good("init", "dev")
        yield made


@pytest.fixture
def applied(project: Stage) -> Stage:
    """A project with all of it applied."""
    project.good("apply", "dev", "--yes")
    return project
