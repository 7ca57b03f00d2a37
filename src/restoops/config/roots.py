"""Where Terraform's code for an environment is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from restoops.config.faults import escaped, nearest
from restoops.config.load import environments_of
from restoops.errors import UsageError

_PLACE = Path("terraform") / "environments"


@dataclass(frozen=True, slots=True)
class Root:
    """The root module of an environment.

    Attributes:
        environment: its name.
        directory: where its `.tf` files are.
        app: name of the application, for names that are derived from it.
    """

    environment: str
    directory: Path
    app: str

    @property
    def shown(self) -> str:
        """The directory as the operator would type it."""
        return escaped(os.path.relpath(self.directory), 300)


def find_root(environment: str, *, start: Path, environ: Mapping[str, str]) -> Root:
    """Return the root module of `environment`.

    `terraform.directory` of the environment in restoops.yaml says where it is; else it is
    `terraform/environments/ENVIRONMENT`, beside that file or in a directory above `start`. An
    environment needs not to be in the file for that: its hosts may be yet to be made.

    Raises:
        UsageError: the file is faulty, or there is no such environment.
    """
    found = environments_of(environment, start=start, environ=environ)
    directories = _directories(found.file, start)
    configured = found.environment.terraform if found.environment else None
    if configured:
        directory = (found.file or start).parent / configured.directory
        _check(directory, f"`terraform.directory` of {environment} in {found.file}")
    elif environment in directories:
        directory = directories[environment]
    else:
        raise _unknown(environment, directories, is_configured=found.environment is not None)
    return Root(environment, directory, found.app)


def root_names(*, start: Path, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the environments that have a root module."""
    found = environments_of("", start=start, environ=environ, is_lenient=True)
    configured = {name for name, keys in found.raw.items() if "terraform" in keys}
    return tuple(sorted(configured | _directories(found.file, start).keys()))


def _directories(file: Path | None, start: Path) -> dict[str, Path]:
    """Return the directories below `terraform/environments` that hold Terraform code."""
    places = [file.parent] if file else []
    folder = start.absolute()
    for base in (*places, folder, *folder.parents):
        found = sorted((base / _PLACE).glob("*/*.tf"))
        if found:
            return {path.parent.name: path.parent for path in found}
    return {}


def _check(directory: Path, whence: str) -> None:
    if not any(directory.glob("*.tf")):
        raise UsageError(
            f"{escaped(str(directory), 300)} has no Terraform code",
            hint=f"The directory comes from {escaped(whence, 300)}.",
        )


def _unknown(name: str, directories: Mapping[str, Path], *, is_configured: bool) -> UsageError:
    meant = nearest(name, tuple(directories))
    guess = f", did you mean `{meant}`?" if meant else ""
    there = f"There are: {', '.join(directories)}." if directories else f"There is no {_PLACE}/."
    if is_configured:
        return UsageError(
            f"environment `{escaped(name)}` has no Terraform code{guess}",
            hint=f"It belongs into {_PLACE}/{escaped(name)}, or where `terraform.directory` of "
            f"the environment says. {there}",
        )
    return UsageError(f"unknown environment `{escaped(name)}`{guess}", hint=there)
