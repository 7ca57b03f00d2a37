"""A project of somebody who has secrets, in a directory of its own with git."""

import contextlib
import io
import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from restoops.cli.app import run

_NOBODY = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def all(self) -> str:
        return self.out + self.err


@dataclass(frozen=True)
class Project:
    """Where commands run, and the variables beside our own."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    def write(self, name: str, text: str, mode: int = 0o644) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path

    def git(self, *words: str) -> None:
        argv = ["git", "-C", str(self.folder), *_NOBODY, *words]
        subprocess.run(argv, check=True, capture_output=True)

    def commit(self) -> None:
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", "--message", "a change")

    def run(self, *words: str, env: Mapping[str, str] | None = None) -> Done:
        """Run `restoops secrets` with `words`."""
        return self.restoops("secrets", *words, env=env)

    def restoops(self, *words: str, env: Mapping[str, str] | None = None) -> Done:
        """Run a command in this process: one of its own takes longer than all the rest."""
        out, err = io.StringIO(), io.StringIO()
        with ExitStack() as around:
            around.enter_context(contextlib.chdir(self.folder))
            around.enter_context(_environment({**self.env, **(env or {})}))
            around.enter_context(contextlib.redirect_stdout(out))
            around.enter_context(contextlib.redirect_stderr(err))
            status = run(words)
        return Done(status, out.getvalue(), err.getvalue())


@contextlib.contextmanager
def _environment(more: Mapping[str, str]) -> Iterator[None]:
    """Lend our own variables, without settings of restoops, and `more`."""
    before = dict(os.environ)
    kept = {
        name: value
        for name, value in before.items()
        if not name.startswith(("RESTOOPS_", "GITHUB_"))
    }
    try:
        _set({**kept, **more})
        yield
    finally:
        _set(before)


def _set(variables: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(variables)
