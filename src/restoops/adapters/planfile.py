"""Saved plans: terraform's own file, with what restoops has to know about it inside.

Terraform passes over an entry that it does not know, so that one file can be handed from job to
job and still be applied by `terraform apply`.
"""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

from restoops.adapters.private import write_private
from restoops.errors import UsageError

_ENTRY = "restoops.json"
_STATE = "tfstate"
"""The state that the plan was made from, as refreshed; its position is that of the one stored."""
_HINT = "`restoops infra plan ENVIRONMENT --out FILE` writes one."


def save_plan(made: Path, target: Path, origin: dict[str, Any]) -> None:
    """Write the plan `made` to `target` with `origin` in it, readable by its owner only.

    Raises:
        Refused: it cannot be written.
    """
    buffer = io.BytesIO(made.read_bytes())
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(_ENTRY, json.dumps({"v": 1, **origin}))
    write_private(target, buffer.getvalue())


def read_origin(path: Path) -> dict[str, Any]:
    """Return the `origin` of a plan that `save_plan` wrote.

    Raises:
        UsageError: it is no such file.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            origin: dict[str, Any] = json.loads(archive.read(_ENTRY))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", hint=_HINT) from error
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise UsageError(f"{path} is no plan that restoops has saved", hint=_HINT) from error
    return origin


def state_position(path: Path) -> tuple[str, int]:
    """Return lineage and serial of the state that a plan was made from."""
    with zipfile.ZipFile(path) as archive:
        state = json.loads(archive.read(_STATE))
    return str(state["lineage"]), int(state["serial"])
