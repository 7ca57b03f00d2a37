"""The real ansible-playbook, run in the directory of its playbooks."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from restoops.adapters import process
from restoops.errors import CommandFailed, Interrupted, StepFailed, UsageError

PROGRAM = "ansible-playbook"
INSTALL = "`pip install ansible` beside restoops, or your system's package `ansible`."
_ENVIRONMENT = {
    "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.jsonl",
    "ANSIBLE_HOST_KEY_CHECKING": "True",
    "ANSIBLE_FORCE_COLOR": "0",
    "ANSIBLE_NOCOLOR": "1",
    "ANSIBLE_RETRY_FILES_ENABLED": "0",
    "ANSIBLE_LOCALHOST_WARNING": "0",
    "ANSIBLE_DEPRECATION_WARNINGS": "0",
    "PYTHONUNBUFFERED": "1",
    "LC_ALL": "C.UTF-8",
}


@dataclass(frozen=True, slots=True)
class Playbook:
    """What is run, on which hosts.

    Attributes:
        directory: where ansible.cfg is, if there is one, and where it runs.
        file: the playbook.
        inventory: the file of hosts.
        variables: a JSON file of variables that win over all others; None without any.
        limit: names of the hosts to act on; all of them when there are none.
        check: whether nothing is to be changed.
        sockets: directory for connections that its tasks share; those of other runs, which may
            have checked no host key, are not taken.
    """

    directory: Path
    file: Path
    inventory: Path
    sockets: Path
    variables: Path | None = None
    limit: tuple[str, ...] = ()
    check: bool = False

    def argv(self) -> list[str]:
        """Return the words after the program's name; no secret is among them."""
        return [
            *("--inventory", str(self.inventory)),
            *(("--extra-vars", f"@{self.variables}") if self.variables else ()),
            *(("--limit", ",".join(self.limit)) if self.limit else ()),
            *(("--check",) if self.check else ()),
            str(self.file),
        ]

    def environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Return the variables that it runs with, beside our own.

        ansible.cfg is named, because Ansible passes over one in a directory that others may write.
        """
        config = self.directory / "ansible.cfg"
        named = {"ANSIBLE_CONFIG": str(config)} if config.is_file() else {}
        if environ.get("ANSIBLE_CONFIG"):
            named = {}
        return {**named, **_ENVIRONMENT, "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self.sockets)}


def program() -> str:
    """Return the path of ansible-playbook.

    Raises:
        UsageError: it is not installed.
    """
    found = process.find(PROGRAM, os.environ)
    if not found:
        raise UsageError(f"{PROGRAM} is not installed on this machine", hint=INSTALL)
    return found


@dataclass(frozen=True, slots=True)
class Watch:
    """What is done with the lines of a run, and when it is to end."""

    on_line: Callable[[str], None]
    is_stopped: Callable[[], bool] = lambda: False
    poll: Callable[[], None] = lambda: None
    """Called several times a second."""


def run(playbook: Playbook, watch: Watch) -> int:
    """Run to the end, with each line handed over as it comes, and return the exit status.

    Raises:
        Interrupted: somebody asked for an end; Ansible has ended what it had begun.
        UsageError: it is not installed.
    """
    if watch.is_stopped():
        raise Interrupted("interrupted; nothing was begun")
    environment = playbook.environment(os.environ)
    around = process.Surroundings(playbook.directory, math.inf, environment, watch.is_stopped)
    try:
        process.stream([program(), *playbook.argv()], around, watch.on_line, watch.poll)
    except CommandFailed as error:
        if watch.is_stopped():
            raise Interrupted("interrupted") from error
        return error.exit_code
    except StepFailed as error:
        raise UsageError(error.message, hint=INSTALL) from error
    return 0
