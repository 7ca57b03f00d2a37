"""Files that hold secrets, the commit of the code, and what is secret in variables."""

import os
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from restoops.adapters.git import Commit, commit_of
from restoops.adapters.planfile import read_origin, save_plan, state_position
from restoops.adapters.private import private_directory, write_private
from restoops.adapters.variables import sensitive_values
from restoops.errors import Refused, UsageError

VARIABLES = """\
variable "plain" {
  type = string
}

variable "keys" {
  type      = map(object({ private = string }))
  sensitive = true
}

variable "token" {
  sensitive = true
}
"""


def test_a_file_is_replaced_whole_and_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(0o644)

    write_private(path, "new")

    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("new", 0o600)
    assert [it.name for it in tmp_path.iterdir()] == ["file"]


def test_a_file_that_cannot_be_replaced_stays_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "directory"
    path.mkdir()

    with pytest.raises(Refused, match="cannot be written"):
        write_private(path, "new")

    assert [it.name for it in tmp_path.iterdir()] == ["directory"]


def test_a_private_directory_is_gone_afterwards() -> None:
    with private_directory() as folder:
        (folder / "secret").write_text("x")
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700

    assert not folder.exists()


def test_a_saved_plan_keeps_what_terraform_wrote(tmp_path: Path) -> None:
    import zipfile

    made, target = tmp_path / "made", tmp_path / "target"
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("tfplan", b"\x00plan")
        archive.writestr("tfstate", '{"lineage": "l", "serial": 7}')

    save_plan(made, target, {"environment": "dev"})

    with zipfile.ZipFile(target) as archive:
        assert archive.read("tfplan") == b"\x00plan"
    assert read_origin(target) == {"v": 1, "environment": "dev"}
    assert state_position(target) == ("l", 7)
    with pytest.raises(UsageError, match="is no plan that restoops has saved"):
        read_origin(made)


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    argv = ["git", "-C", str(folder), *who, *words]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "main.tf").write_text("")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "a")
    return tmp_path


@pytest.mark.parametrize(
    ("change", "is_clean"),
    [
        ({}, True),
        ({"other.txt": "x"}, True),
        ({"code/dev.plan": "x"}, True),
        ({"code/main.tf": "x"}, False),
        ({"code/new.tf": "x"}, False),
        ({"code/init.yaml": "x"}, False),
        ({"other/main.tf": "x"}, True),
    ],
)
def test_code_that_was_not_committed_is_noticed(
    repository: Path, change: Mapping[str, str], is_clean: bool
) -> None:
    for name, text in change.items():
        (repository / name).parent.mkdir(exist_ok=True)
        (repository / name).write_text(text)

    found = commit_of(repository / "code", repository / "code")

    assert found == Commit(git(repository, "rev-parse", "HEAD"), is_clean)


def test_outside_of_a_repository_there_is_no_commit(tmp_path: Path) -> None:
    assert commit_of(tmp_path, tmp_path).sha == ""


@pytest.mark.parametrize(
    ("files", "environ", "expected"),
    [
        pytest.param({}, {}, set(), id="none"),
        pytest.param({"terraform.tfvars": 'plain = "open"\ntoken = "from-tfvars"'}, {},
                     {"from-tfvars"}, id="a text"),
        pytest.param({"x.auto.tfvars": 'keys = { a = { private = "one\\ntwo" } }'}, {},
                     {"one\ntwo"}, id="within a mapping, with an escape"),
        pytest.param({"host_keys.auto.tfvars.json": '{"keys": {"a": {"private": "in-json"}}}'}, {},
                     {"in-json"}, id="JSON"),
        pytest.param({}, {"TF_VAR_token": "from-environment", "TF_VAR_plain": "open"},
                     {"from-environment"}, id="environment"),
        pytest.param({}, {"TF_VAR_keys": '{ a = { private = "hcl-there" } }'},
                     {"hcl-there", '{ a = { private = "hcl-there" } }'}, id="HCL there"),
        pytest.param({"terraform.tfvars": 'token = "half-written'}, {}, set(), id="unclosed"),
        pytest.param({"terraform.tfvars": 'token = "whole"\nplain = = "x"'}, {}, {"whole", "x"},
                     id="what cannot be read may all be secret"),
        pytest.param({"unread.tfvars": 'token = "not-loaded"'}, {}, set(),
                     id="a file that terraform does not load"),
    ],
)  # fmt: skip
def test_values_of_sensitive_variables_are_found(
    tmp_path: Path, files: Mapping[str, str], environ: Mapping[str, str], expected: set[str]
) -> None:
    (tmp_path / "variables.tf").write_text(VARIABLES)
    for name, text in files.items():
        (tmp_path / name).write_text(text)

    assert set(sensitive_values(tmp_path, environ)) == expected


def test_a_heredoc_is_a_text_as_well(tmp_path: Path) -> None:
    (tmp_path / "variables.tf").write_text(VARIABLES)
    (tmp_path / "terraform.tfvars").write_text("token = <<EOT\nline-of-a-key\nEOT\n")

    assert "line-of-a-key" in "".join(sensitive_values(tmp_path, os.environ))
