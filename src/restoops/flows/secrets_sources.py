"""Where the secrets of an environment are kept, behind one interface."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from restoops.adapters.env_text import read_env
from restoops.adapters.source_age import AgeSource
from restoops.adapters.source_command import CommandSource
from restoops.adapters.source_environment import EnvironmentSource
from restoops.adapters.source_file import FileSource
from restoops.config.load import Chosen, Loaded
from restoops.config.schema import Secrets
from restoops.errors import UsageError
from restoops.masking import learn
from restoops.model import Secret
from restoops.plan.env_template import Template, template_of
from restoops.plan.fingerprints import KEY_NAME


class Source(Protocol):
    """Where the secrets of an environment are kept."""

    @property
    def shown(self) -> str:
        """How to name it."""

    @property
    def is_exclusive(self) -> bool:
        """Whether all that is in there is meant for the application."""

    def read(self) -> Mapping[str, Secret]:
        """Return what is in there, by name.

        Raises:
            UsageError: it cannot be read, or is not kept as it should be.
        """


@runtime_checkable
class Writable(Source, Protocol):
    """A source that a new value can be stored in."""

    def write(self, values: Mapping[str, Secret]) -> None:
        """Store these values, whole or not at all; all else stays as it is, comments as well.

        Raises:
            UsageError: it cannot be read.
            Refused: it cannot be written.
        """


@dataclass(frozen=True, slots=True)
class Keeping:
    """What the settings of an environment say about its secrets."""

    environment: str
    app: str
    folder: Path
    """Where relative paths begin: that of `restoops.yaml`."""
    settings: Secrets
    start: Path
    environ: Mapping[str, str]
    found: Mapping[str, Secret] | None = None
    """What the source has, where it was read already."""

    @classmethod
    def of(cls, chosen: Chosen | Loaded, *, start: Path, environ: Mapping[str, str]) -> Keeping:
        """Return it for an environment, with its hosts or without."""
        name = chosen.name if isinstance(chosen, Chosen) else chosen.environment
        folder = chosen.file.parent if chosen.file else start
        settings = chosen.settings
        return cls(
            name, settings.app.name, folder, settings.secrets, start, environ, chosen.secrets
        )

    @property
    def shown_template(self) -> str:
        """How to name the template."""
        path = self._template_file
        return str(path.relative_to(self.start) if path.is_relative_to(self.start) else path)

    def template(self) -> Template:
        """Return what the environment has to have.

        Raises:
            UsageError: it cannot be read, or is faulty.
        """
        path = self._template_file
        entries = read_env(path, hint="`secrets.template` in restoops.yaml says where it is.")
        template = template_of(entries)
        if template.faults:
            lines = "\n".join(f"  {it}" for it in template.faults)
            raise UsageError(f"{path} is no valid template:\n{lines}", hint="See docs/secrets.md.")
        return template

    def source(self) -> Source:
        """Return where the values are; nothing is read yet.

        Raises:
            UsageError: it would be where it must not be.
        """
        settings = self.settings
        match settings.source:
            case "environment":
                return EnvironmentSource(self.environ)
            case "file":
                return FileSource(self._outside(settings.file, "file"))
            case "age":
                identity = self._outside(settings.age_identity, "age_identity")
                path = self._path(self._named(settings.age_file))
                return AgeSource(path, identity, settings.age_recipients)
            case "command":
                return self._command()

    def _command(self) -> CommandSource:
        settings = self.settings
        if not settings.command:
            raise UsageError(
                "`secrets.source` is `command`, but `secrets.command` is empty",
                hint='For example `command: ["pass", "show", "{app}/{environment}/{name}"]`.',
            )
        argv = tuple(map(self._named, settings.command))
        names = (KEY_NAME, *(it.name for it in self.template().variables))
        return CommandSource(argv, names, settings.command_timeout_s, self.folder)

    @property
    def _template_file(self) -> Path:
        return self._path(self.settings.template)

    def _outside(self, name: str, key: str) -> Path:
        """Return the path of a file that must not be in the repository."""
        path = self._path(self._named(name))
        top = _repository(self.folder.resolve())
        if top and path.resolve().is_relative_to(top):
            raise UsageError(
                f"{path} is within the repository: one `git add --force` away from everybody",
                hint=f"Move it out, such as to ~/.config, and name it with `secrets.{key}`.",
            )
        return path

    def _named(self, text: str) -> str:
        return text.replace("{app}", self.app).replace("{environment}", self.environment)

    def _path(self, name: str) -> Path:
        try:
            return self.folder / Path(name).expanduser()
        except RuntimeError as error:
            raise UsageError(
                f"{name} leads to no home directory",
                hint="`secrets` in restoops.yaml says where template and values are.",
            ) from error


def learn_secrets(template: Template, source: Source, found: Mapping[str, Secret]) -> None:
    """Take what `source` gave out of what is printed, but for what the template shows itself."""
    wanted = {it.name: it.is_secret for it in template.variables}
    learn(*(it for name, it in found.items() if wanted.get(name, source.is_exclusive)))


def _repository(folder: Path) -> Path | None:
    """Return the top of the repository that `folder` is in, also where git would not trust it."""
    return next((it for it in (folder, *folder.parents) if (it / ".git").exists()), None)
