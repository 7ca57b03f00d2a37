"""Run a playbook of Ansible on the hosts of an environment, and say what came of it."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from restoops.adapters import ansible
from restoops.adapters.private import private_directory, write_private
from restoops.config.hosts import select
from restoops.config.load import Loaded
from restoops.config.playbooks import Project
from restoops.errors import Interrupted, RestoopsError, StepFailed, Unreachable
from restoops.flows.interrupt import Interrupt
from restoops.plan.inventory import (
    InventoryHost,
    SshWishes,
    inventory_for,
    known_hosts,
    ssh_config,
)
from restoops.plan.playbook import (
    Board,
    PlaybookEvent,
    Remark,
    Result,
    TaskEnded,
    counted,
    read_event,
)
from restoops.plan.playbook_faults import hint_for
from restoops.plan.sensitive import Mask

_SECRETS = (
    "DIGITALOCEAN_TOKEN",
    "DIGITALOCEAN_ACCESS_TOKEN",
    "GITHUB_TOKEN",
    "SPACES_SECRET_ACCESS_KEY",
    "AWS_SECRET_ACCESS_KEY",
)
_SECRET_FILES = ("ANSIBLE_BECOME_PASSWORD_FILE", "ANSIBLE_VAULT_PASSWORD_FILE")
_USUAL_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")
_REMARKS = 20


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


Show = Callable[[PlaybookEvent], None]


def run_playbook(job: Job, show: Show, interrupt: Interrupt, progress: Path | None = None) -> Board:
    """Run it to the end, with each event shown as it comes; return what came of the hosts.

    Lines that a module adds to the file `progress` are shown as remarks.

    Raises:
        StepFailed: a task failed; says which, on which host, why, and what to do.
        Unreachable: no host that failed could be reached, and nothing was changed.
        Interrupted: somebody asked for an end.
    """
    watched = _Watched(show, _mask(), progress)
    watch = ansible.Watch(watched.hear, lambda: interrupt.is_asked, watched.follow)
    with private_directory() as folder:
        playbook = _prepared(job, folder)
        try:
            status = ansible.run(playbook, watch)
        except Interrupted as error:
            raise _interrupted(error, job, watched.board) from error
    if status:
        raise why(watched.board, job, status)
    return watched.board


class _Watched:
    """Keeps the board of a run, and shows each event with the board after it."""

    def __init__(self, show: Show, mask: Mask, progress: Path | None) -> None:
        self.board = Board()
        self._progress = progress
        self._read = 0
        self._show = show
        self._mask = mask

    def hear(self, line: str) -> None:
        """Take in a line that Ansible wrote."""
        self.follow()
        if event := read_event(self._mask(line)):
            self._take(event)

    def follow(self) -> None:
        """Show what a module has written since; it writes whole lines."""
        if self._progress and self._progress.is_file():
            with self._progress.open("rb") as file:
                file.seek(self._read)
                told = file.read()
            self._read += len(told)
            for line in told.decode(errors="replace").splitlines():
                self._take(Remark(self._mask(line)))

    def _take(self, event: PlaybookEvent) -> None:
        self.board = self.board.after(event)
        with contextlib.suppress(OSError):  # a closed pipe must not end a run half way
            self._show(event)


def _mask() -> Mask:
    mask = Mask(os.environ.get(name, "") for name in _SECRETS)
    mask.learn(_contents(os.environ.get(name, "") for name in _SECRET_FILES))
    return mask


def _contents(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        with contextlib.suppress(OSError, ValueError):
            path = Path(name).expanduser()
            if name and not os.access(path, os.X_OK):  # Ansible runs it, and takes what it prints
                yield path.read_text("utf-8")


def _prepared(job: Job, folder: Path) -> ansible.Playbook:
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
        keys=tuple(str(home / it) for it in _USUAL_KEYS if not ssh.key and (home / it).is_file()),
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


def why(board: Board, job: Job, status: int) -> RestoopsError:
    """Return the error that a run which failed ends with."""
    environment = job.loaded.environment
    failures = board.fatal
    if not failures:
        said = "\n".join(board.remarks[-_REMARKS:])
        return StepFailed(
            f"{ansible.PROGRAM} ended with status {status} before any task failed",
            hint=hint_for(said, environment),
            details=said,
        )
    first = failures[0]
    others = "".join(f"; {_in_short(it)}" for it in failures[1:4])
    more = f"; and {len(failures) - 4} more hosts" if len(failures) > 4 else ""
    message = f"{_in_short(first)}{others}{more}"
    hint = hint_for(f"{first.message}\n{first.details}", environment)
    if not job.check:
        message += f"; {_changes(board)}" if board.changed else ""
        hint += f" {job.afterwards}" if job.afterwards else ""
    away = all(it.result is Result.UNREACHABLE for it in failures) and not board.changed
    kind = Unreachable if away else StepFailed
    return kind(message, hint=hint, details=first.details)


def _in_short(failure: TaskEnded) -> str:
    what = "cannot be reached" if failure.result is Result.UNREACHABLE else "failed"
    reason = failure.message or "it gives no reason"
    return f"{failure.host}: task `{failure.task}` {what}: {reason}"


def _interrupted(error: Interrupted, job: Job, board: Board) -> Interrupted:
    where = f" in task `{board.task}`" if board.task else ""
    done = _changes(board) if board.changed else "nothing was changed yet"
    return Interrupted(
        f"{error.message}{where}; {done}",
        hint=f"What had begun on a host may still end there. {job.afterwards}".rstrip(),
    )


def _changes(board: Board) -> str:
    was = "was" if board.changed == 1 else "were"
    return f"{counted(board.changed, 'change')} {was} made"
