"""The real `terraform`, run in a folder against an account that a test can look into."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parent.parent.parent
PATIENCE_S = 120
FOREIGN = ("TF_", "DIGITALOCEAN_", "SPACES_", "AWS_")
"""Variables of whoever runs the tests that would reach Terraform."""
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def program() -> str:
    """Return the terraform that set-up made in .venv, else that of this machine."""
    ways = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    found = shutil.which("terraform", path=ways)
    assert found, "no terraform on PATH and none in .venv/bin: `make setup` provides one"
    return found


def environment(extra: dict[str, str]) -> dict[str, str]:
    """Return variables for Terraform in which nothing is the user's own."""
    ours = {name: it for name, it in os.environ.items() if not name.startswith(FOREIGN)}
    return ours | {"DIGITALOCEAN_TOKEN": "no-token", "CHECKPOINT_DISABLE": "1"} | extra


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run of Terraform ended."""

    status: int
    stdout: str
    stderr: str

    @property
    def said(self) -> str:
        """All that it said, in one line: Terraform wraps and frames its errors."""
        text = f"{self.stdout}\n{self.stderr}".replace("│", " ")
        return " ".join(text.split())


@dataclass(frozen=True, slots=True)
class Terraform:
    """Terraform in one folder."""

    folder: Path
    extra: dict[str, str] = field(default_factory=dict)
    path: str = field(default_factory=program)

    def run(self, *words: str, status: int | None = 0) -> Ended:
        """Run a command; it has to end with `status`, unless that is None."""
        run = subprocess.run(
            [self.path, *words],
            cwd=self.folder,
            env=environment(self.extra),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        told, said = COLOUR.sub("", run.stdout), COLOUR.sub("", run.stderr)
        assert status is None or run.returncode == status, f"{words}\n{told}\n{said}"
        return Ended(run.returncode, told, said)

    def apply(self, *words: str) -> Ended:
        """Apply without asking."""
        return self.run("apply", "-auto-approve", "-input=false", *words)

    def outputs(self) -> dict[str, Any]:
        """Return the values of all outputs."""
        told = json.loads(self.run("output", "-json").stdout)
        return {name: output["value"] for name, output in told.items()}
