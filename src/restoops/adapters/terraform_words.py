"""The words and variables that terraform is started with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_QUIET = ("-input=false", "-no-color")


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """How to plan.

    Attributes:
        wait_s: seconds to queue for the lock of the state.
        mode: what kind of plan.
    """

    wait_s: int = 0
    mode: str = "normal"

    def argv(self, out: Path) -> list[str]:
        """Return the words of `terraform plan` that write the plan to `out`."""
        modes = {"normal": [], "destroy": ["-destroy"], "refresh": ["-refresh-only"]}
        words = ["plan", *_QUIET, "-detailed-exitcode", f"-lock-timeout={self.wait_s}s"]
        return [*words, *modes[self.mode], f"-out={out}"]


def apply_argv(plan: Path, wait_s: int) -> list[str]:
    """Return the words of `terraform apply` for a saved plan."""
    return ["apply", *_QUIET, f"-lock-timeout={wait_s}s", str(plan)]


@dataclass(frozen=True, slots=True)
class InitOptions:
    """How to set a root module up.

    Attributes:
        upgrade: take newer providers.
        migrate: move the state to the place that the backend names now.
        reconfigure: the place is the one of before, or the state is there already.
    """

    upgrade: bool = False
    migrate: bool = False
    reconfigure: bool = False

    def argv(self, backend: Path | None) -> list[str]:
        """Return the words of `terraform init`; the backend's file is given when there is one."""
        words = ["init", *_QUIET]
        words += [f"-backend-config={backend.name}"] if backend else []
        words += ["-upgrade"] if self.upgrade else []
        if self.migrate:
            return [*words, "-migrate-state", "-force-copy"]
        return [*words, "-reconfigure"] if self.reconfigure else words


def environment_for(environ: Mapping[str, str]) -> dict[str, str]:
    """Return variables for terraform; its S3 backend only knows the names of Amazon."""
    ours = {"TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "CHECKPOINT_DISABLE": "1"}
    names = ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY")
    if all(environ.get(f"SPACES_{name}") for name in names):
        ours |= {f"AWS_{name}": environ[f"SPACES_{name}"] for name in names}
        ours |= {"AWS_SESSION_TOKEN": ""}
    return ours
