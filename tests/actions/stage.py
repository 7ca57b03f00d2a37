"""A repository that is deployed, its machine at GitHub, hosts and a registry of the lab."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.actions.job import JobResult, Runner, StandIn, cancel
from tests.lab import cache
from tests.lab.github import REPOSITORY, Github
from tests.lab.images import App
from tests.lab.inbox import Inbox, inbox
from tests.lab.operator import Desk
from tests.lab.registry import Registry
from tests.lab.releases import Releases

BIN = Path(sys.executable).parent
IMAGE = "restoops/testapp"
DEVELOP = "refs/heads/develop"
_GIT = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]


@dataclass(slots=True)
class Stage:
    """What all runs of a module share."""

    folder: Path
    desk: Desk
    registry: Registry
    releases: Releases
    github: Github
    slack: Inbox
    _commits: int = 0
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    """What other actions were asked for, in order."""

    def push(self, ref: str, *, release: App | None = None, message: str = "Add it") -> Push:
        """Have a commit on a branch, or a tag, with the image that is made of it."""
        self._commits += 1
        runner = self.folder / f"run-{self._commits}"
        settings = {**self.desk.settings, "ssh": {**self.desk.settings["ssh"]}}
        del settings["ssh"]["key"]  # the job brings its own
        (runner / "workspace").mkdir(parents=True)
        (runner / "workspace" / "restoops.yaml").write_text(json.dumps(settings))
        for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", message]):
            subprocess.run([*_GIT, *command], cwd=runner / "workspace", check=True)
        sha = f"{self._commits:x}".rjust(7, "a") + "0" * 33
        app = release or App(sha[:7], start_delay_s=0)
        return Push(self, runner, ref, sha, message, app)

    def secrets(self) -> dict[str, str]:
        """Return the secrets of the environment."""
        return {
            "SSH_PRIVATE_KEY": cache.private_key().read_text(),
            "KNOWN_HOSTS": self.desk.known_hosts.read_text(),
            "SLACK_WEBHOOK_URL": self.slack.url,
        }


@dataclass(frozen=True, slots=True)
class Push:
    """A commit that was pushed."""

    stage: Stage
    folder: Path
    ref: str
    sha: str
    message: str
    app: App

    @property
    def tag(self) -> str:
        """The tag of the image that is made of it."""
        return f"sha-{self.app.release}"

    def runner(self, **more: Any) -> Runner:
        """Return a machine for the event of this push."""
        kind = "tag" if self.ref.startswith("refs/tags/") else "branch"
        github = {
            "event_name": "push",
            "ref": self.ref,
            "ref_name": self.ref.split("/", 2)[-1],
            "ref_type": kind,
            "sha": self.sha,
            "workflow": "CI/CD",
            "repository": REPOSITORY,
            "run_id": "7",
            "actor": self.stage.registry.username,
            "token": self.stage.registry.password,
            "api_url": self.stage.github.api,
            "workspace": str(self.folder / "workspace"),
            "event": {"head_commit": {"message": self.message}},
        }
        return Runner(
            self.folder, github, self.stage.secrets(), self._machine(), self._actions(), **more
        )

    def _machine(self) -> dict[str, str]:
        home, tools = self.folder / "home", self.folder / "tools"
        for it in (home, tools):
            it.mkdir(exist_ok=True)
        # What builds a workspace has tests of its own; here it is enough that it is asked to.
        pnpm = tools / "pnpm"
        pnpm.write_text(f'#!/bin/sh\necho "$@" >>{self.folder}/pnpm.log\n')
        pnpm.chmod(pnpm.stat().st_mode | stat.S_IXUSR)
        path = os.pathsep.join([str(tools), os.environ["PATH"]])
        return {"PATH": path, "HOME": str(home), "LC_ALL": "C.UTF-8", "USER": "runner"}

    def _restoops(self) -> Path:
        folder = self.folder / "bin"
        folder.mkdir(exist_ok=True)
        for name in ("gitleaks", "restoops"):
            (folder / name).unlink(missing_ok=True)
            (folder / name).symlink_to(BIN / name)
        return folder

    def _actions(self) -> dict[str, StandIn]:
        def pushed(_: Mapping[str, str]) -> dict[str, str]:
            return {"digest": self.stage.releases.push(self.app).digest}

        answers: dict[str, StandIn] = {
            "docker/metadata-action": lambda _: {"version": self.tag},
            "docker/build-push-action": pushed,
            "setup-restoops/Install restoops": lambda _: {"path": str(self._restoops())},
        }
        names = (
            "actions/checkout", "actions/setup-python", "actions/setup-node",
            "actions/upload-artifact", "pnpm/action-setup", "aquasecurity/trivy-action",
            "github/codeql-action/upload-sarif", "docker/setup-buildx-action",
            "docker/login-action", "hashicorp/setup-terraform",
        )  # fmt: skip
        for name in names:
            answers[name] = lambda _: None
        return {name: self._noted(name, act) for name, act in answers.items()}

    def _noted(self, name: str, act: StandIn) -> StandIn:
        def noted(given: Mapping[str, str]) -> Mapping[str, str] | None:
            self.stage.asked.append((name, given))
            return act(given)

        return noted


@contextmanager
def staged(folder: Path, desk: Desk, registry: Registry, releases: Releases) -> Iterator[Stage]:
    """Have the repository at a GitHub of its own, and a Slack that is told."""
    with Github("staging") as github, inbox() as slack:
        github.token = registry.password  # one token for both, as in a job
        desk.settings["registry"]["api"] = github.api
        desk.settings["notify"] = {"slack": "SLACK_WEBHOOK_URL"}
        yield Stage(folder, desk, registry, releases, github, slack)


def deploy(
    stage: Stage,
    release: App | None = None,
    cancels: Callable[[str, str], bool] = lambda _name, _log: False,
    ends: Callable[[subprocess.Popen[bytes]], None] = cancel,
) -> JobResult:
    """Run the workflow for deploys alone, of the image of a new commit."""
    push = stage.push(DEVELOP, release=release)
    stage.releases.push(push.app)
    wish = {"environment": "staging", "tag": push.tag}
    return push.runner(cancels=cancels, ends=ends).run("deploy", wish)["deploy"]
