"""Real `ansible-playbook` against droplets of the lab, and what it said in the end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.lab.droplet import Droplet

PROJECT = Path(__file__).parent.parent.parent
ANSIBLE = PROJECT / "ansible"
PROGRAMS = Path(sys.executable).parent
SETUP = ANSIBLE / "playbooks" / "setup-api.yml"
ONE_ROLE = Path(__file__).with_name("one_role.yml")
PATIENCE_S = 500


@dataclass(frozen=True, slots=True)
class Run:
    """How a playbook ended."""

    status: int
    stats: Mapping[str, Mapping[str, int]]
    tasks: Mapping[str, Mapping[str, Any]]
    """Result of each task on the first host, by the name of the task without its role."""
    told: str

    def count(self, what: str) -> int:
        """Add up what the recap says of all hosts but our own: `changed`, `failed`."""
        return sum(stats[what] for host, stats in self.stats.items() if host != "localhost")

    @property
    def changed(self) -> list[str]:
        """The tasks that changed something."""
        return [name for name, result in self.tasks.items() if result.get("changed")]


class Site:
    """Droplets as the group `api` of an inventory, and what is set for them."""

    def __init__(
        self, folder: Path, droplets: Sequence[Droplet], key: Path, settings: Mapping[str, Any]
    ) -> None:
        self._folder = folder
        known = folder / "known_hosts"
        known.write_text("".join(f"{droplet.known_hosts_line}\n" for droplet in droplets))
        common = {
            "ansible_user": "deploy",
            "ansible_ssh_private_key_file": str(key),
            "ansible_ssh_common_args": f"-o UserKnownHostsFile={known} -o IdentitiesOnly=yes",
        }
        hosts = {droplet.name: {"ansible_host": droplet.address} for droplet in droplets}
        self.inventory = {"api": {"hosts": hosts, "vars": {**common, **settings}}}
        (folder / "hosts.yml").write_text(json.dumps(self.inventory))

    def run(self, *options: str, playbook: Path = SETUP, **settings: Any) -> Run:
        """Run a playbook; `settings` go over those of the inventory."""
        done = subprocess.run(
            [
                *(PROGRAMS / "ansible-playbook", "-i", self._folder / "hosts.yml", playbook),
                *(f"--extra-vars={json.dumps(settings)}", *options),
            ],
            cwd=self._folder,
            env=environment(self._folder) | {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        _, brace, text = done.stdout.partition("{\n")
        report = json.loads(brace + text) if brace else {"plays": [], "stats": {}}
        tasks: dict[str, dict[str, Any]] = {
            task["task"]["name"].rpartition(" : ")[2]: next(iter(task["hosts"].values()), {})
            for play in report["plays"]
            for task in play["tasks"]
        }
        told = f"{done.stderr}\n{failures(tasks) or done.stdout[-3000:]}"
        return Run(done.returncode, report["stats"], tasks, told)

    def run_roles(self, *roles: str, **settings: Any) -> Run:
        """Run some of the roles, and nothing of the playbook."""
        return self.run(playbook=ONE_ROLE, roles_to_run=roles, **settings)


def failures(tasks: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the tasks that failed, with their message."""
    return "\n".join(
        f"{name}: {result.get('msg')} {result.get('stderr', '')} {result.get('results', '')}"
        for name, result in tasks.items()
        if result.get("failed") or result.get("unreachable")
    )


def environment(home: Path) -> dict[str, str]:
    """Return an environment in which Ansible reads our configuration and nobody's home."""
    return {
        "PATH": f"{PROGRAMS}:{os.environ['PATH']}",
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_CONFIG": str(ANSIBLE / "ansible.cfg"),
        "ANSIBLE_NOCOLOR": "1",
    }
