"""Runs the jobs of a workflow as the runner does: their own `run:` steps, in order, for real.

What other actions do is declared by a test; one that is not is an error.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.actions.expressions import Scope, as_text
from tests.actions.runner import values_of
from tests.actions.workflows import OWN, PROJECT, read, workflow

StandIn = Callable[[Mapping[str, str]], Mapping[str, str] | None]
"""What an action does: it gets its `with` and returns its outputs."""
_SHELLS = {"bash": ["bash", "--noprofile", "--norc", "-eo", "pipefail"], None: ["bash", "-e"]}
_FILES = {"GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STEP_SUMMARY", "GITHUB_STATE"}
_PATIENCE_S = 280


class ActionFailed(Exception):
    """Raised by what stands in for an action, as one that fails."""


@dataclass(slots=True)
class StepResult:
    """What became of a step."""

    name: str
    outcome: str
    outputs: dict[str, str] = field(default_factory=dict)
    log: str = ""
    summary: str = ""


@dataclass(slots=True)
class JobResult:
    """What became of a job."""

    result: str
    outputs: dict[str, str] = field(default_factory=dict)
    steps: list[StepResult] = field(default_factory=list)

    def step(self, name: str) -> StepResult:
        """Return a step by its name."""
        return next(it for it in self.steps if it.name == name)

    @property
    def log(self) -> str:
        """All that was printed."""
        return "".join(step.log for step in self.steps)


@dataclass(slots=True)
class Runner:
    """A machine that runs jobs for one event."""

    folder: Path
    """Of its own: the workspace and the temporary directory are below."""
    github: Mapping[str, Any]
    """The context `github`: the event."""
    secrets: Mapping[str, str]
    env: Mapping[str, str]
    """What the machine has, such as `HOME`."""
    actions: Mapping[str, StandIn]
    """By name of the action; `name of action/step` takes the place of a step of one of ours, and
    `run/step` that of a step which cannot be run here."""
    cancels: Callable[[str, str], bool] = lambda _name, _log: False
    """Whether somebody cancels the job now: asked with the step and what it has printed so far."""
    ends: Callable[[subprocess.Popen[bytes]], None] = lambda process: cancel(process)
    """How a step is ended then."""

    @property
    def workspace(self) -> Path:
        """Where the repository is checked out."""
        return self.folder / "workspace"

    @property
    def temp(self) -> Path:
        """RUNNER_TEMP."""
        return self.folder / "temp"

    def run(
        self, name: str, inputs: Mapping[str, Any], secrets_: Mapping[str, str] | None = None
    ) -> dict[str, JobResult]:
        """Run a reusable workflow; jobs that it calls are in the result as `job/their job`."""
        found = workflow(name)
        called = found["on"]["workflow_call"]
        asked = _inputs(called.get("inputs", {}), inputs)
        given = self.secrets if secrets_ is None else secrets_
        given = {it: given.get(it, "") for it in called.get("secrets", {})}
        done: dict[str, JobResult] = {}
        for job_name, job in found["jobs"].items():
            needs = {it: done[it] for it in _list(job.get("needs"))}
            self._run_job(job_name, job, Contexts(self.github, asked, given, needs), done)
        return done

    def _run_job(
        self, name: str, job: Mapping[str, Any], contexts: Contexts, done: dict[str, JobResult]
    ) -> None:
        scope = contexts.scope(
            Status(all(it.result == "success" for it in contexts.needs.values()))
        )
        if not scope.holds(job.get("if")):
            done[name] = JobResult("skipped")
        elif "uses" in job:
            called = str(job["uses"]).removeprefix(f"{OWN}.github/workflows/").removesuffix(".yml")
            inner = self.run(called, scope.filled(job["with"]), scope.filled(job["secrets"]))
            done |= {f"{name}/{it}": result for it, result in inner.items()}
            well = all(it.result in ("success", "skipped") for it in inner.values())
            done[name] = JobResult("success" if well else "failure")
        else:
            done[name] = Job(self, job, contexts).run()

    def surroundings(self) -> dict[str, str]:
        """Return the variables that a runner sets for every step."""
        names = (
            "repository",
            "ref",
            "sha",
            "actor",
            "event_name",
            "run_id",
            "ref_name",
            "ref_type",
        )
        known = {f"GITHUB_{it.upper()}": as_text(self.github.get(it)) for it in names}
        return {
            **self.env,
            **known,
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_API_URL": as_text(self.github.get("api_url")),
            "GITHUB_WORKSPACE": str(self.workspace),
            "RUNNER_TEMP": str(self.temp),
            "RUNNER_OS": "Linux",
        }


@dataclass(frozen=True, slots=True)
class Status:
    """How a job stands."""

    is_well: bool = True
    is_cancelled: bool = False


@dataclass(frozen=True, slots=True)
class Contexts:
    """What expressions of a job may refer to."""

    github: Mapping[str, Any]
    inputs: Mapping[str, Any]
    secrets: Mapping[str, str]
    needs: Mapping[str, JobResult]

    def scope(self, status: Status, **more: Any) -> Scope:
        """Return the scope of an expression at one moment."""
        needs = {
            name: {"result": it.result, "outputs": it.outputs} for name, it in self.needs.items()
        }
        contexts = {
            "github": self.github, "inputs": self.inputs, "secrets": self.secrets, "needs": needs,
        }  # fmt: skip
        functions: dict[str, Callable[..., Any]] = {
            "success": lambda: status.is_well,
            "failure": lambda: not status.is_well and not status.is_cancelled,
            "always": lambda: True,
            "cancelled": lambda: status.is_cancelled,
            "hashFiles": lambda *_: "",
        }
        return Scope(contexts | more, functions)


class Job:
    """One job, step by step."""

    def __init__(self, runner: Runner, job: Mapping[str, Any], contexts: Contexts) -> None:
        self._runner = runner
        self._job = job
        self._contexts = contexts
        self._status = Status()
        self._env: dict[str, str] = {}
        self._path: list[str] = []
        self._outputs: dict[str, StepResult] = {}
        self._done: list[StepResult] = []
        for folder in (runner.workspace, runner.temp):
            folder.mkdir(parents=True, exist_ok=True)

    def run(self) -> JobResult:
        """Run all steps; those after one that failed only where their `if:` says so."""
        defaults = self._job.get("defaults", {}).get("run", {})
        for step in self._job["steps"]:
            self._take(step, defaults, self._contexts)
        outputs = {
            name: self._scope(self._contexts).text(value)
            for name, value in self._job.get("outputs", {}).items()
        }
        ended = "cancelled" if self._status.is_cancelled else "failure"
        return JobResult("success" if self._status.is_well else ended, outputs, self._done)

    def _scope(self, contexts: Contexts, **more: Any) -> Scope:
        steps = {
            name: {"outputs": it.outputs, "outcome": it.outcome}
            for name, it in self._outputs.items()
        }
        return contexts.scope(
            self._status, steps=steps, env=self._job_env() | self._env, runner={}, **more
        )

    def _job_env(self) -> dict[str, str]:
        scope = self._contexts.scope(Status())
        return {name: scope.text(value) for name, value in self._job.get("env", {}).items()}

    def _take(
        self, step: Mapping[str, Any], defaults: Mapping[str, Any], contexts: Contexts
    ) -> None:
        name = step.get("name", step.get("uses", ""))
        if not self._scope(contexts).holds(step.get("if")):
            self._keep(step, StepResult(name, "skipped"))
            return
        uses = str(step.get("uses", ""))
        if uses.startswith(f"{OWN}.github/actions/"):
            self._compose(uses.removeprefix(OWN), step, contexts)
        elif uses or f"run/{name}" in self._runner.actions:
            self._stand_in(uses.partition("@")[0] or f"run/{name}", name, step, contexts)
        else:
            self._keep(step, self._execute(name, step, defaults, contexts))

    def _keep(self, step: Mapping[str, Any], result: StepResult) -> None:
        self._done.append(result)
        if "id" in step:
            self._outputs[step["id"]] = result
        if result.outcome in ("failure", "cancelled"):
            self._status = Status(is_well=False, is_cancelled=result.outcome == "cancelled")

    def _stand_in(
        self, action: str, name: str, step: Mapping[str, Any], contexts: Contexts
    ) -> None:
        given = {it: as_text(value) for it, value in self._given(step, contexts).items()}
        try:
            outputs = self._runner.actions[action](given) or {}
        except ActionFailed:
            self._keep(step, StepResult(name, "failure"))
        else:
            self._keep(step, StepResult(name, "success", dict(outputs)))

    def _given(self, step: Mapping[str, Any], contexts: Contexts) -> dict[str, Any]:
        found: dict[str, Any] = self._scope(contexts).filled(step.get("with", {}))
        return found

    def _compose(self, path: str, step: Mapping[str, Any], contexts: Contexts) -> None:
        action = read(PROJECT / path / "action.yml")
        inputs = _inputs(action.get("inputs", {}), self._given(step, contexts))
        inner = Contexts(contexts.github, inputs, {}, {})
        outer, self._status = self._status, Status()  # within, `success()` is about the action
        for one in action["runs"]["steps"]:
            instead = self._runner.actions.get(f"{Path(path).name}/{one['name']}")
            if instead:
                self._path.insert(0, as_text((instead(inputs) or {}).get("path")))
                continue
            place = {"GITHUB_ACTION_PATH": str(PROJECT / path)}
            filled = {**one, "env": {**one.get("env", {}), **place}} if "run" in one else one
            self._take(filled, {}, inner)
        if self._status.is_well:
            self._status = outer

    def _execute(
        self, name: str, step: Mapping[str, Any], defaults: Mapping[str, Any], contexts: Contexts
    ) -> StepResult:
        scope = self._scope(contexts)
        files = {it: self._runner.temp / f"{it}-{secrets.token_hex(8)}" for it in _FILES}
        for file in files.values():
            file.touch()
        script = self._runner.temp / f"{secrets.token_hex(8)}.sh"
        script.write_text(scope.text(step["run"]))
        folder = scope.text(step.get("working-directory", defaults.get("working-directory", ".")))
        process = subprocess.Popen(
            [*_SHELLS[step.get("shell", defaults.get("shell"))], str(script)],
            cwd=self._runner.workspace / folder,
            env=self.environment(step, scope, files),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        outcome, log = self._follow(name, process)
        texts = {it: file.read_bytes().decode() for it, file in files.items()}
        self._env |= values_of(texts["GITHUB_ENV"])
        self._path = [*filter(None, texts["GITHUB_PATH"].splitlines()), *self._path]
        outputs, summary = values_of(texts["GITHUB_OUTPUT"]), texts["GITHUB_STEP_SUMMARY"]
        return StepResult(name, outcome, outputs, log, summary)

    def _follow(self, name: str, process: subprocess.Popen[bytes]) -> tuple[str, str]:
        """Read what a step prints until it ends, or is ended because somebody cancels."""
        log, cancelling = "", None
        guard = threading.Timer(_PATIENCE_S, lambda: kill(process))
        guard.start()
        assert process.stdout
        with process:
            for line in process.stdout:
                log += line.decode(errors="replace")
                if not cancelling and self._runner.cancels(name, log):
                    cancelling = threading.Thread(target=self._runner.ends, args=(process,))
                    cancelling.start()
        status = process.returncode
        guard.cancel()
        if cancelling:
            cancelling.join()
            return "cancelled", log
        return ("failure" if status else "success"), log

    def environment(
        self, step: Mapping[str, Any], scope: Scope, files: Mapping[str, Path]
    ) -> dict[str, str]:
        """Return the variables that a step is started with, the nearer winning."""
        own = {name: scope.text(value) for name, value in step.get("env", {}).items()}
        found = self._runner.surroundings() | self._job_env() | self._env | own
        found |= {name: str(file) for name, file in files.items()}
        found["PATH"] = os.pathsep.join([*self._path, found["PATH"]])
        return found


def cancel(process: subprocess.Popen[bytes]) -> None:
    """End a step as the runner does when a job is cancelled: the first process, then the tree.

    https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-cancellation
    """
    for number, seconds in ((signal.SIGINT, 7.5), (signal.SIGTERM, 2.5)):
        process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
            return
    kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a step with all that it has started, at once."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _inputs(declared: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs, with defaults for those that are not given.

    Raises:
        KeyError: one is given that is not declared, or one that is required is not.
    """
    if unknown := set(given) - set(declared):
        raise KeyError(f"no such inputs: {unknown}")
    return {
        name: given[name] if name in given or of.get("required") else of.get("default", "")
        for name, of in declared.items()
    }


def _list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())
