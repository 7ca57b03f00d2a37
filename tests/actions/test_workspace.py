"""The steps of CI on the reference Turborepo, with the real pnpm, Turborepo and gitleaks."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.actions.job import JobResult, Runner, StandIn
from tests.actions.stage import BIN
from tests.actions.workflows import PROJECT

pytestmark = [pytest.mark.lab, pytest.mark.full]

_GIT = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """A machine with a pull request that changes a package, checked out."""
    workspace = tmp_path / "workspace"
    ignored = shutil.ignore_patterns("node_modules", "dist", ".turbo", ".test")
    shutil.copytree(PROJECT / "docker", workspace, ignore=ignored)
    shutil.copy(PROJECT / ".gitignore", workspace)
    git(workspace, "init", "-q", "--initial-branch", "main")
    git(workspace, "add", "-A")
    git(workspace, "commit", "-q", "-m", "All of it")
    git(workspace, "checkout", "-q", "-b", "$(touch${IFS}owned)")
    with (workspace / "packages/health/src/index.ts").open("a") as file:
        file.write("// changed\n")
    git(workspace, "commit", "-q", "-a", "-m", "`touch owned`")
    github = {
        "event_name": "pull_request", "ref": "refs/pull/1/merge", "ref_name": "1/merge",
        "ref_type": "branch", "sha": "a" * 40, "workflow": "CI", "repository": "menu/menu",
        "run_id": "7", "actor": "a", "token": "", "event": {"pull_request": {"number": 1}},
        "workspace": str(workspace),
    }  # fmt: skip
    path = os.pathsep.join([str(BIN), os.environ["PATH"]])
    env = {"PATH": path, "HOME": os.environ["HOME"], "LC_ALL": "C.UTF-8", "GITHUB_BASE_REF": "main"}
    return Runner(tmp_path, github, {}, env, actions())


def actions() -> dict[str, StandIn]:
    names = (
        "actions/checkout", "actions/setup-python", "actions/setup-node",
        "actions/upload-artifact", "pnpm/action-setup", "aquasecurity/trivy-action",
        "github/codeql-action/upload-sarif",
        # The registry of packages has to be asked, and databases have to be there.
        "run/Look for known faults in packages", "run/Integration tests",
    )  # fmt: skip
    found: dict[str, StandIn] = dict.fromkeys(names, nothing)
    return found | {"setup-restoops/Install restoops": lambda _: {"path": str(BIN)}}


def nothing(_: Mapping[str, str]) -> None:
    return None


def git(folder: Path, *words: str) -> None:
    subprocess.run([*_GIT, *words], cwd=folder, check=True)


def test_a_pull_request_is_checked_tested_and_built_but_not_pushed(runner: Runner) -> None:
    jobs = runner.run("ci-cd", {"image": "ghcr.io/menu/menu-api"})

    assert results(jobs) == {
        "quality": "success", "test": "success", "build": "success",
        "docker-build": "skipped", "deploy-staging": "skipped",
    }, jobs  # fmt: skip
    linted = jobs["quality"].step("Lint and check types, of what changed and what depends on it")
    assert "@repo/health:lint" in linted.log
    assert "api:typecheck" in linted.log
    assert "api:test" in jobs["test"].log
    assert (runner.workspace / "apps/api/dist/main.js").exists()
    assert (runner.workspace / "gitleaks.sarif").exists()
    assert not list(runner.folder.rglob("owned"))


def test_what_is_not_well_formed_goes_no_further(runner: Runner) -> None:
    (runner.workspace / "apps/api/src/main.ts").write_text("const  a=1\n")

    jobs = runner.run("ci-cd", {"image": "ghcr.io/menu/menu-api"})

    assert jobs["quality"].step("Look at the form").outcome == "failure"
    assert set(results(jobs).values()) == {"failure", "skipped"}


def results(jobs: Mapping[str, JobResult]) -> dict[str, str]:
    return {name: it.result for name, it in jobs.items()}
