"""The Turborepo in docker/, with its packages installed and built where it lies."""

import os
import subprocess
import sys
from collections.abc import Mapping
from functools import cache as once
from pathlib import Path

from tests.lab import cache

PROJECT = Path(__file__).parent.parent.parent
WORKSPACE = PROJECT / "docker"
PROGRAMS = Path(sys.executable).parent
ENVIRONMENT = {
    **os.environ,
    "PATH": f"{os.environ['PATH']}:{PROGRAMS}",
    "CI": "true",
    "NO_COLOR": "1",
    "TURBO_TELEMETRY_DISABLED": "1",
}


class WorkspaceFailed(Exception):
    """A program in the workspace failed; the message carries what it printed."""


def run(*argv: str, env: Mapping[str, str] | None = None) -> str:
    """Run a program in the workspace to its end and return what it printed."""
    done = subprocess.run(
        argv,
        cwd=WORKSPACE,
        env={**ENVIRONMENT, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise WorkspaceFailed(f"{' '.join(argv)} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


@once
def built() -> Path:
    """Return the built API. Tests that run side by side wait for one another."""
    with cache.locked(f"workspace-{cache.digest_of(str(WORKSPACE))}"):
        run("pnpm", "install", "--frozen-lockfile")
        run("pnpm", "exec", "turbo", "run", "build")
    return WORKSPACE / "apps" / "api"
