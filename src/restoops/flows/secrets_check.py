"""Hold an environment against its template."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from restoops.adapters.env_text import read_env
from restoops.adapters.source_environment import EnvironmentSource
from restoops.adapters.source_file import FileSource
from restoops.config.load import Chosen, choose
from restoops.errors import CheckRefused, UsageError
from restoops.model import Secret
from restoops.plan.env_check import EnvCheck, compare
from restoops.plan.env_template import Template, template_of


class Source(Protocol):
    """Where the secrets of an environment are kept."""

    @property
    def shown(self) -> str:
        """How to name it."""

    @property
    def is_exclusive(self) -> bool:
        """Whether all that is in there is meant for the application."""

    def read(self) -> Mapping[str, Secret]:
        """Return what is in there, by name."""


def check(environment: str, *, start: Path, environ: Mapping[str, str]) -> EnvCheck:
    """Return what is wrong with the secrets of an environment; nothing is contacted.

    Raises:
        UsageError: there is no such environment, or template or source cannot be read.
    """
    return _check(choose(environment, start=start, environ=environ), start, environ)


def refuse_unfit(chosen: Chosen, *, start: Path, environ: Mapping[str, str]) -> None:
    """Go on when the secrets of an environment are as their template wants.

    Raises:
        CheckRefused: they are not; says which, and never a value.
        UsageError: template or source cannot be read.
    """
    found = _check(chosen, start, environ)
    if found.findings:
        lines = (f"{it.name}: {it.problem.value}, {it.meaning}" for it in found.findings)
        raise CheckRefused(
            f"the secrets of {chosen.name} are not as {found.template} wants; "
            "nothing was contacted",
            hint=f"They are in {found.source}; `restoops secrets check {chosen.name}` looks again.",
            details="\n".join(lines),
        )


def _check(chosen: Chosen, start: Path, environ: Mapping[str, str]) -> EnvCheck:
    folder = chosen.file.parent if chosen.file else start
    path = _path(folder, chosen.settings.secrets.template)
    template = _template(path)
    source = _source(chosen, folder, environ)
    findings = compare(template.variables, source.read(), is_exclusive=source.is_exclusive)
    shown = path.relative_to(start) if path.is_relative_to(start) else path
    return EnvCheck(chosen.name, str(shown), source.shown, findings)


def _template(path: Path) -> Template:
    entries = read_env(path, hint="`secrets.template` in restoops.yaml says where it is.")
    template = template_of(entries)
    if template.faults:
        lines = "\n".join(f"  {it}" for it in template.faults)
        raise UsageError(f"{path} is no valid template:\n{lines}", hint="See docs/secrets.md.")
    return template


def _source(chosen: Chosen, folder: Path, environ: Mapping[str, str]) -> Source:
    secrets = chosen.settings.secrets
    if secrets.source == "environment":
        return EnvironmentSource(environ)
    name = secrets.file.replace("{app}", chosen.settings.app.name)
    path = _path(folder, name.replace("{environment}", chosen.name))
    top = _repository(folder.resolve())
    if top and path.resolve().is_relative_to(top):
        raise UsageError(
            f"{path} is within the repository: one `git add --force` away from everybody",
            hint="Move it out, such as to ~/.config, and name it with `secrets.file`.",
        )
    return FileSource(path)


def _path(folder: Path, name: str) -> Path:
    try:
        return folder / Path(name).expanduser()
    except RuntimeError as error:
        raise UsageError(
            f"{name} leads to no home directory",
            hint="`secrets` in restoops.yaml says where template and values are.",
        ) from error


def _repository(folder: Path) -> Path | None:
    """Return the top of the repository that `folder` is in, also where git would not trust it."""
    return next((it for it in (folder, *folder.parents) if (it / ".git").exists()), None)
