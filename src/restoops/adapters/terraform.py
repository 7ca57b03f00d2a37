"""The real terraform, run in a root module."""

from __future__ import annotations

import json
from pathlib import Path

from restoops.adapters import process
from restoops.errors import CommandFailed, StepFailed, Unreachable, UsageError


def read_output(root: Path, name: str) -> object:
    """Return the value of one output of the root module's state.

    Raises:
        UsageError: terraform is missing, or the module has no such output.
        Unreachable: its state cannot be read.
    """
    argv = ["terraform", f"-chdir={root}", "output", "-json", "-no-color", name]
    try:
        return json.loads(process.run(argv, timeout_s=120))
    except CommandFailed as error:
        raise Unreachable(
            f"terraform cannot read output `{name}` of {root}: {error.details or error.message}",
            hint=f"`terraform -chdir={root} init` once, with the backend's credentials.",
        ) from error
    except StepFailed as error:
        raise UsageError(
            error.message, hint="https://developer.hashicorp.com/terraform/install"
        ) from error
    except ValueError as error:
        raise UsageError(f"output `{name}` of {root} is not JSON") from error
