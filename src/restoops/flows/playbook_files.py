"""What a run of a playbook reads: inventory, variables, host keys, and how ssh is to behave."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from restoops.adapters import ansible
from restoops.adapters.private import write_private
from restoops.config.hosts import select
from restoops.config.load import Loaded
from restoops.config.playbooks import Project
from restoops.plan.inventory import (
    USUAL_KEYS,
    InventoryHost,
    SshWishes,
    inventory_for,
    known_hosts,
    ssh_config,
)


@dataclass(frozen=True, slots=True)
class Job:
    """A playbook to run, on which hosts.

    Attributes:
        droplets: Terraform's output of hosts, with their host keys; empty without Terraform.
        only: names or addresses of the hosts to act on; all of them when there are none.
        variables: win over all that the inventory says.
        check: whether nothing is to be changed.
        afterwards: what the operator is told to do when it did not come to its end.
    """

    loaded: Loaded
    project: Project
    droplets: Mapping[str, Any] = field(default_factory=dict)
    only: tuple[str, ...] = ()
    variables: Mapping[str, Any] = field(default_factory=dict)
    check: bool = False
    afterwards: str = ""


def prepared(job: Job, folder: Path) -> ansible.Playbook:
    """Write inventory and variables into `folder`, and return how to run the playbook."""
    hosts = folder / "inventory"
    hosts.mkdir(mode=0o700)
    for directory in job.project.variables_of(job.loaded.environment):
        (hosts / directory.name).symlink_to(directory)
    inventory = inventory_for(_hosts(job, folder), variables_for(job.loaded))
    write_private(hosts / "hosts.json", json.dumps(inventory, indent=2))
    own = {"restoops_python": sys.executable, **job.variables}
    write_private(folder / "variables.json", json.dumps(own))
    return ansible.Playbook(
        directory=job.project.directory,
        file=job.project.file,
        inventory=hosts / "hosts.json",
        sockets=folder / "sockets",
        variables=folder / "variables.json",
        limit=tuple(it.name for it in select(job.loaded.targets, job.only)) if job.only else (),
        check=job.check,
    )


def variables_for(loaded: Loaded) -> dict[str, Any]:
    """Return what playbooks need to know of the environment's settings."""
    settings = loaded.settings
    return {
        "restoops_environment": loaded.environment,
        "restoops_api_port": settings.proxy.port,
        "restoops_app": settings.app.name,
        "restoops_state_dir": settings.host.state_dir,
    }


def _hosts(job: Job, folder: Path) -> Iterator[InventoryHost]:
    loaded, ssh = job.loaded, job.loaded.settings.ssh
    if loaded.connection == "local":
        yield from (InventoryHost(it.name, it.address, is_local=True) for it in loaded.targets)
        return
    file = folder / "ssh_config"
    home = Path("~/.ssh").expanduser()
    wishes = SshWishes(
        home=str(home),
        keys=tuple(str(home / it) for it in USUAL_KEYS if not ssh.key and (home / it).is_file()),
        known_hosts=path_of(ssh.known_hosts),
        more_known_hosts=_born_keys(job, folder),
        only_key=bool(ssh.key),
    )
    write_private(file, ssh_config(wishes))
    for target in loaded.targets:
        droplet = job.droplets.get(target.name) or {}
        yield InventoryHost(
            name=target.name,
            address=target.address,
            user=ssh.user or "",
            port=ssh.port,
            key=path_of(ssh.key),
            private_address=str(droplet.get("private") or ""),
            ssh_config=str(file),
        )


def path_of(name: str | None) -> str:
    """Return the path of a file that settings name, for programs that run elsewhere."""
    return str(Path(name).expanduser().absolute()) if name else ""


def _born_keys(job: Job, folder: Path) -> str:
    """Write the host keys that droplets have from their birth; return where, if there are any."""
    lines, _ = known_hosts({"hosts": {"value": job.droplets}})
    if not lines:
        return ""
    file = folder / "known_hosts"
    write_private(file, "".join(f"{line}\n" for line in lines))
    return str(file)
