"""Behind `restoops infra provision`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from restoops.cli.signals import interruptible
from restoops.errors import UsageError

if TYPE_CHECKING:
    from restoops.config.load import Loaded
    from restoops.config.schema import TerraformOutputs

_AFTERWARDS = "What is done stays done; the same command goes on with the rest."


def provision(environment: str, only: tuple[str, ...], *, check: bool, as_json: bool) -> None:
    """Run the playbook that makes droplets ready, and print what came of each."""
    loaded, droplets = load_with_droplets(environment)
    if loaded.connection == "local":
        raise UsageError(
            f"{environment} is this machine, which is not to be made a droplet",
            hint="`infra provision` is for environments with `hosts` or `terraform`.",
        )
    from restoops.config.playbooks import find_project
    from restoops.flows.playbook import run_playbook
    from restoops.flows.playbook_files import Job
    from restoops.report.playbook import show_recap, view

    project = find_project(loaded, loaded.settings.ansible.setup, start=Path.cwd())
    job = Job(loaded, project, droplets, only, check=check, afterwards=_AFTERWARDS)
    shown = view(as_json=as_json)
    with interruptible() as interrupt:
        try:
            run_playbook(job, shown.show, interrupt)
        finally:
            shown.close()
            if shown.board.is_over and not as_json:
                show_recap(environment, shown.board, check=check)


def load_with_droplets(environment: str) -> tuple[Loaded, Mapping[str, Any]]:
    """Load an environment as a deploy does; return Terraform's hosts as well, if it has any."""
    from restoops.config.load import load
    from restoops.flows.connect import terraform_outputs

    droplets: dict[str, Any] = {}

    def read(outputs: TerraformOutputs, root: Path) -> object:
        found = terraform_outputs(outputs, root)
        droplets.update(found if isinstance(found, dict) else {})
        return found

    loaded = load(environment, start=Path.cwd(), environ=os.environ, terraform_outputs=read)
    return loaded, droplets
