"""The real terraform, run in a root module."""

from __future__ import annotations

import json
import math
import os
import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from restoops.adapters import process
from restoops.adapters.terraform_faults import (
    INSTALL,
    Module,
    explain,
    explain_unread,
    explain_unset,
)
from restoops.adapters.terraform_words import environment_for
from restoops.errors import (
    CommandFailed,
    Interrupted,
    RestoopsError,
    StepFailed,
    UsageError,
)

OLDEST = (1, 6)
"""The oldest terraform that is supported; its JSON has all that is read here."""
_KEPT_LINES = 400
"""Last lines of a run that are searched for why it failed."""
_READ_TIMEOUT_S = 600


@dataclass(frozen=True, slots=True)
class Watch:
    """What is done with the lines of a run, and when it is to end.

    Attributes:
        on_line: is given each line, without secrets.
        mask: takes secrets out of a text.
        is_stopped: whether somebody asked for an end; terraform then ends orderly.
    """

    on_line: Callable[[str], None]
    mask: Callable[[str], str]
    is_stopped: Callable[[], bool] = lambda: False


def backend_in_use(root: Path) -> dict[str, Any]:
    """Return the settings of the backend that `root` was set up with; none when it was not."""
    try:
        found = json.loads((root / ".terraform" / "terraform.tfstate").read_text("utf-8"))
        return dict(found["backend"]["config"])
    except (OSError, ValueError, KeyError, TypeError):
        return {}


@dataclass(frozen=True, slots=True)
class Terraform:
    """Terraform in one root module, with the environment that it needs."""

    module: Module
    watch: Watch
    extra_env: Mapping[str, str] = field(default_factory=dict)

    def check_version(self) -> None:
        """Go on when terraform is there and new enough.

        Raises:
            UsageError: it is not.
        """
        if self.version() < OLDEST:
            found = ".".join(map(str, self.version()))
            raise UsageError(
                f"terraform {found} is too old; restoops needs "
                f"{'.'.join(map(str, OLDEST))} or newer",
                hint=INSTALL,
            )

    def version(self) -> tuple[int, ...]:
        """Return major and minor number."""
        found = str(json.loads(self._run(["version", "-json"]))["terraform_version"])
        return tuple(map(int, re.findall(r"\d+", found)[:2]))

    def stream(self, words: Sequence[str], *, good: Sequence[int] = (0,)) -> int:
        """Run to the end, with each line handed over as it comes, and return the exit status.

        Somebody who asks for an end makes terraform end orderly, with its state saved and
        unlocked, however long that takes.

        Raises:
            Interrupted: somebody asked for an end; terraform has ended.
            RestoopsError: it ended with a status that is not `good`; says why.
        """
        last: deque[str] = deque(maxlen=_KEPT_LINES)

        if self.watch.is_stopped():
            raise Interrupted("interrupted; nothing was begun")

        def on_line(line: str) -> None:
            masked = self.watch.mask(line)
            last.append(masked)
            self.watch.on_line(masked)

        around = process.Surroundings(
            self.module.directory, math.inf, self.extra_env, self.watch.is_stopped
        )
        try:
            process.stream(["terraform", *words], around, on_line)
        except CommandFailed as error:
            if self.watch.is_stopped():
                raise Interrupted("interrupted; terraform has ended orderly") from None
            if error.exit_code in good:
                return error.exit_code
            raise explain("\n".join(last), self.module, error.exit_code) from None
        except StepFailed as error:
            raise UsageError(error.message, hint=INSTALL) from error
        return 0

    def show(self, plan: Path | None = None) -> dict[str, Any]:
        """Return a saved plan, or the state, as JSON; with secrets in clear text."""
        words = ["show", "-json", "-no-color", *([str(plan)] if plan else [])]
        return self._json(words)

    def outputs(self) -> dict[str, Any]:
        """Return all outputs of the state, with their marks; secrets in clear text."""
        return self._json(["output", "-json", "-no-color"])

    def state_position(self) -> tuple[str, int]:
        """Return lineage and serial of the state; an empty lineage before the first apply."""
        text = self._run(["state", "pull", "-no-color"]).strip()
        state = json.loads(text) if text else {}
        return str(state.get("lineage", "")), int(state.get("serial", 0))

    def validate(self) -> list[dict[str, Any]]:
        """Return what terraform says of the code, without asking anybody else."""
        ended = self._finish(["validate", "-json", "-no-color"])
        try:
            found: list[dict[str, Any]] = json.loads(ended.stdout)["diagnostics"]
        except ValueError:
            raise self._failure(ended) from None
        if error := explain_unset(found, self.module):
            raise error
        return found

    def _json(self, words: Sequence[str]) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self._run(words))
        return value

    def _run(self, words: Sequence[str]) -> str:
        ended = self._finish(words)
        if ended.exit_code:
            raise self._failure(ended)
        return ended.stdout.decode()

    def _finish(self, words: Sequence[str]) -> process.Ended:
        argv = ["terraform", f"-chdir={self.module.directory}", *words]
        try:
            return process.finish(argv, timeout_s=_READ_TIMEOUT_S, extra_env=self.extra_env)
        except StepFailed as error:
            raise UsageError(error.message, hint=INSTALL) from error

    def _failure(self, ended: process.Ended) -> RestoopsError:
        if self.watch.is_stopped():  # Ctrl-C reaches what we start as well
            return Interrupted("interrupted while terraform was asked")
        text = self.watch.mask((ended.stderr or ended.stdout).decode(errors="replace"))
        return explain(text, self.module, ended.exit_code)


def read_output(root: Path, name: str) -> object:
    """Return the value of one output of the root module's state.

    Raises:
        UsageError: terraform or the module is missing, or its state has no such output.
        Unreachable: its state cannot be read.
    """
    if not root.is_dir():
        hint = "`terraform.directory` names it, from the folder of restoops.yaml."
        raise UsageError(f"{root} is no directory: Terraform has no outputs there", hint=hint)
    argv = ["terraform", f"-chdir={root}", "output", "-json", "-no-color", name]
    try:
        return json.loads(process.run(argv, timeout_s=120, extra_env=environment_for(os.environ)))
    except CommandFailed as error:
        raise explain_unread(error.details or error.message, root, name) from error
    except StepFailed as error:
        raise UsageError(error.message, hint=INSTALL) from error
    except ValueError as error:
        raise UsageError(f"output `{name}` of {root} is not JSON") from error
