"""Playbooks are the repository's own, and where it has none those that come with restoops."""

from pathlib import Path

import pytest

from restoops.config.load import load
from restoops.config.playbooks import find_project
from restoops.config.shipped import shipped_files
from restoops.errors import UsageError

PLAYBOOK = "playbooks/update-api.yml"


def found(folder: Path, **environ: str) -> Path:
    loaded = load("local", start=folder, environ=environ, terraform_outputs=None)
    return find_project(loaded, PLAYBOOK, start=folder).file


def test_those_of_the_repository_come_first(tmp_path: Path) -> None:
    own = tmp_path / "ansible" / PLAYBOOK
    own.parent.mkdir(parents=True)
    own.write_text("[]")
    (tmp_path / "deep").mkdir()

    assert found(tmp_path / "deep") == own


def test_without_any_those_that_come_with_restoops_are_used(tmp_path: Path) -> None:
    assert found(tmp_path) == shipped_files() / "ansible" / PLAYBOOK


def test_a_directory_without_it_is_no_reason_to_take_another(tmp_path: Path) -> None:
    (tmp_path / "ansible").mkdir()

    with pytest.raises(UsageError, match=f"no playbook ansible/{PLAYBOOK}"):
        found(tmp_path)


def test_a_directory_that_is_named_is_meant(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"no playbook elsewhere/{PLAYBOOK}"):
        found(tmp_path, RESTOOPS_ANSIBLE__DIRECTORY="elsewhere")
