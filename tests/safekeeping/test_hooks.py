"""The hooks that run before a commit: they find what they are for, and nothing in this repository.

Those of pre-commit itself and gitleaks' run here as pre-commit runs them; `make check` and
`tests/terraform` run the rest.
"""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.safekeeping.canaries import leak
from tests.safekeeping.stage import Project
from tests.safekeeping.test_repository import ROOT, hooks

BIN = Path(sys.executable).parent
THEIRS = {
    name: hook for name, hook in hooks().items() if hook["of"]["repo"].endswith("/pre-commit-hooks")
}
PROGRAMS = {"trailing-whitespace": "trailing-whitespace-fixer"}
"""Those that are not named as their hook."""
GITLEAKS = ["gitleaks", "git", "--pre-commit", "--redact", "--staged", "--verbose"]
BAD: dict[str, Callable[[Project], object]] = {
    "trailing-whitespace": lambda it: it.write("a.txt", "a \n"),
    "end-of-file-fixer": lambda it: it.write("a.txt", "a"),
    "check-added-large-files": lambda it: it.write("a.txt", "a" * 513 * 1024),
    "check-merge-conflict": lambda it: it.write("a.txt", "<<<<<<< HEAD\n"),
    "detect-private-key": lambda it: it.write("a.txt", f"-----BEGIN RSA {'PRIVATE'} KEY-----\n"),
}


def git(folder: Path, *words: str) -> list[str]:
    argv = ["git", "-c", "safe.directory=*", "-C", str(folder), *words]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    return done.stdout.split("\0")[:-1]


def run(name: str, folder: Path, files: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a hook on those of the files that it looks at."""
    hook = THEIRS[name]
    wanted = [it for it in files if not re.search(hook.get("exclude", "^$"), it)]
    argv = [str(BIN / PROGRAMS.get(name, name)), *hook.get("args", []), *wanted]
    return subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """What is tracked, in a repository of its own: hooks put right what they find. Its texts."""
    folder = tmp_path_factory.mktemp("copy")
    git(ROOT, "checkout-index", "--all", f"--prefix={folder}/")
    git(folder, "init", "--quiet")
    git(folder, "add", "--all", "--force")
    return folder, git(folder, "grep", "--cached", "-Ilz", "")


def test_those_that_run_here_are_of_the_version_that_commits_are_checked_by() -> None:
    locked = re.findall(r"^pre_commit_hooks==(.*)", (ROOT / "requirements.lock").read_text(), re.M)
    text = (ROOT / ".pre-commit-config.yaml").read_text()

    assert re.findall(r"pre-commit-hooks\n +rev: \w+ # frozen: v(.*)", text) == locked
    assert THEIRS.keys() == BAD.keys()


@pytest.mark.parametrize("name", THEIRS)
def test_it_finds_nothing_in_this_repository(name: str, copy: tuple[Path, list[str]]) -> None:
    folder, files = copy

    done = run(name, folder, files)

    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("name", THEIRS)
def test_it_finds_what_it_is_for(name: str, project: Project) -> None:
    BAD[name](project)
    project.git("add", "--all")

    assert run(name, project.folder, ["a.txt"]).returncode == 1


@pytest.mark.parametrize("has_leak", [False, True])
def test_gitleaks_looks_at_what_is_staged(project: Project, has_leak: bool) -> None:
    project.write("README", "")
    project.commit()
    leak(project)
    if has_leak:
        project.git("add", "--all")

    argv = [str(BIN / GITLEAKS[0]), *GITLEAKS[1:]]
    done = subprocess.run(argv, cwd=project.folder, capture_output=True, text=True, check=False)

    assert done.returncode == (1 if has_leak else 0), done
