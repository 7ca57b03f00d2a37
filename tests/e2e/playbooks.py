"""Teams that live in Ansible: the playbooks of this repository, run by ansible-playbook itself."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.docs_shell import typed
from tests.docs_text import PROJECT
from tests.lab.operator import APP, Operator, Outcome, finish

PROGRAM = str(Path(sys.executable).with_name("ansible-playbook"))
UPDATE, ROLLBACK = "playbooks/update-api.yml", "playbooks/rollback-api.yml"
INVENTORY = "inventories/staging"

# What ansible.cfg sets, and lines that are there when they are written.
_ENVIRONMENT = {"USER": "anton", "PYTHONUNBUFFERED": "1", "ANSIBLE_PIPELINING": "1"}


class Team:
    """Runs playbooks against the droplets of an operator, beside the operator's restoops.yaml."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator
        self.folder = operator.folder / "ansible"
        shutil.copytree(PROJECT / "ansible" / "playbooks", self.folder / "playbooks")
        hosts = self.folder / INVENTORY / "hosts.yml"
        hosts.parent.mkdir(parents=True)
        hosts.write_text(json.dumps(self._inventory()))

    def start(self, playbook: str, *words: str) -> subprocess.Popen[str]:
        """Start a playbook in a session of its own, and leave it running."""
        self._operator.write_settings()
        return subprocess.Popen(
            [PROGRAM, "-i", INVENTORY, playbook, *words],
            cwd=self.folder,
            env={**self._operator.env, **_ENVIRONMENT},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, playbook: str, *words: str) -> Outcome:
        """Run a playbook to its end."""
        return finish(self.start(playbook, *words))

    def update(self, tag: str, *words: str) -> Outcome:
        """Deploy a tag."""
        return self.run(UPDATE, *update_words(tag), *words)

    def type(self, line: str) -> None:
        """Run a line of a shell, which has to succeed."""
        self._operator.write_settings()
        own = {name: it for name, it in self._operator.env.items() if name != "PATH"}
        typed(line, self.folder, **own | _ENVIRONMENT)

    def _inventory(self) -> dict[str, Any]:
        operator = self._operator
        login = {
            "ansible_user": operator.settings["ssh"]["user"],
            "ansible_ssh_private_key_file": operator.settings["ssh"]["key"],
            "ansible_ssh_common_args": f"-o UserKnownHostsFile={operator.known_hosts}",
            "restoops_environment": "staging",
            "restoops_app": APP,
        }
        names = dict(zip("abcd", operator.droplets, strict=False))
        hosts = {name: {"ansible_host": it.address} for name, it in names.items()}
        return {"all": {"children": {"api": {"hosts": hosts, "vars": login}}}}


def update_words(tag: str) -> tuple[str, ...]:
    return ("-e", f"image_tag={tag}", "-e", "environment=staging")


def processes_of(session: int) -> list[int]:
    """Return the processes that a playbook has started, itself included."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int(
                    (entry / "stat").read_text().rpartition(")")[2].split()[1]
                )
            except OSError:
                continue
    found = [session]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def kill_all(session: int) -> None:
    """Kill a playbook with all that it has started, at once."""
    for pid in processes_of(session):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
