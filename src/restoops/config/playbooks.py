"""Where the playbooks of Ansible are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from restoops.config.faults import escaped
from restoops.config.load import Loaded
from restoops.config.schema import Ansible
from restoops.config.shipped import shipped_files
from restoops.errors import UsageError


@dataclass(frozen=True, slots=True)
class Project:
    """The directory of the playbooks, and one of them.

    Attributes:
        directory: where ansible.cfg and the inventories are, if there are any.
        file: the playbook.
    """

    directory: Path
    file: Path

    def variables_of(self, environment: str) -> tuple[Path, ...]:
        """Return the directories of variables that stand beside the environment's inventory."""
        place = self.directory / "inventories" / environment
        found = (place / "group_vars", place / "host_vars")
        return tuple(path for path in found if path.is_dir())


def find_project(loaded: Loaded, playbook: str, *, start: Path) -> Project:
    """Return where `playbook` is: beside restoops.yaml, or in a directory from `start` upwards.

    Where there is no such directory, and none is configured, it is that of restoops itself.

    Raises:
        UsageError: it is in none of them.
    """
    configured = loaded.settings.ansible.directory
    above = start.absolute()
    bases = (*((loaded.file.parent,) if loaded.file else ()), above, *above.parents)
    is_own = configured != Ansible().directory or any((it / configured).is_dir() for it in bases)
    if not is_own:
        bases = (shipped_files(),)
    for base in bases:
        directory = base / configured
        if (directory / playbook).is_file():
            return Project(directory.resolve(), (directory / playbook).resolve())
    raise UsageError(
        f"there is no playbook {escaped(f'{configured}/{playbook}', 300)}, here or above",
        hint="It comes with restoops, in `ansible/`. `ansible.directory` in restoops.yaml says "
        "where yours is.",
    )
