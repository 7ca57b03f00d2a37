"""Find `restoops.yaml`, lay `RESTOOPS_*` over it, pick one environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from restoops.config.check import LOCAL, Checked, check
from restoops.config.faults import Fault, escaped, nearest, tell
from restoops.config.hosts import THIS_MACHINE, Target, static_targets, terraform_targets
from restoops.config.play import Play
from restoops.config.schema import Environment, Settings, TerraformOutputs
from restoops.config.variables import PREFIX
from restoops.config.yamltext import Parsed, parse
from restoops.errors import UsageError
from restoops.model import Secret, is_git_sha

FILE_NAME = "restoops.yaml"
CONFIG_VARIABLE = "RESTOOPS_CONFIG"
MAX_BYTES = 1024 * 1024

ReadOutputs = Callable[[TerraformOutputs, Path], object]
"""Runs `terraform output -json <output>` in the root module given as `Path`; parsed JSON."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """One environment, ready to work with.

    Attributes:
        environment: its name.
        connection: `local` uses this machine's engine; its one target is `THIS_MACHINE`.
        settings: the file's, the environment's and the variables', in rising precedence.
        targets: never empty.
        file: where the settings came from; `None` means the embedded default.
        confirm: whether a deploy asks first.
        terraform: what Terraform knows of the environment; `None` when its hosts are elsewhere.
        secrets: as in `Chosen`.
    """

    environment: str
    connection: Literal["ssh", "local"]
    settings: Settings
    targets: tuple[Target, ...]
    file: Path | None
    confirm: bool = False
    terraform: TerraformOutputs | None = None
    secrets: Mapping[str, Secret] | None = None


def find_file(start: Path, explicit: Path | None = None) -> Path | None:
    """Return the configuration file: `explicit`, or the nearest one from `start` upwards.

    Raises:
        UsageError: `explicit` does not exist.
    """
    if explicit is not None:
        file = start / explicit
        if not _is_there(file):
            raise UsageError(
                f"{escaped(str(explicit), 300)} does not exist",
                hint=f"The path comes from {CONFIG_VARIABLE}; `restoops init` writes a new file.",
            )
        return file
    folder = start.absolute()
    candidates = (parent / FILE_NAME for parent in (folder, *folder.parents))
    return next(filter(_is_there, candidates), None)


def folder_of(file: Path | None) -> Path:
    """Return what paths in the file are relative to; without a file, the current directory."""
    return file.parent if file else Path()


def load(
    environment: str,
    *,
    start: Path,
    environ: Mapping[str, str],
    terraform_outputs: ReadOutputs | None,
    config: Path | None = None,
    play: Play | None = None,
) -> Loaded:
    """Return the settings and hosts of `environment`; with a `play`, its hosts instead.

    `config` wins over `RESTOOPS_CONFIG`, which wins over the file nearest to `start`. Without
    a file there is only the environment `local`. Terraform is asked last, when all else is
    right, and only if the environment needs it.

    Raises:
        UsageError: the file, a variable, or the hosts that Terraform gave are faulty (all
            faults in one message), or there is no such environment.
    """
    chosen = choose(environment, start=start, environ=environ, config=config, play=play)
    return with_hosts(chosen, start=start, terraform_outputs=terraform_outputs, play=play)


@dataclass(frozen=True, slots=True)
class Chosen:
    """One environment without its hosts, with the settings in force for it."""

    name: str
    environment: Environment
    settings: Settings
    file: Path | None
    secrets: Mapping[str, Secret] | None = None
    """What their source has, where it was read and checked already: what was checked is handed on,
    and a password store is asked once."""


def choose(
    environment: str,
    *,
    start: Path,
    environ: Mapping[str, str],
    config: Path | None = None,
    play: Play | None = None,
) -> Chosen:
    """Return what is set for `environment`, with what a play lays over it; Terraform is not asked.

    Raises:
        UsageError: the file or a variable is faulty, or there is no such environment.
    """
    file = _find(start, environ, config)
    parsed = _read(file)
    value = play.over(parsed.value, environment) if play else parsed.value
    checked = check(value, environ, environment)
    faults = (*parsed.faults, *checked.faults)
    if faults:
        raise _faulty(file, start, faults)
    if checked.settings is None or checked.environment is None:
        raise _unknown(environment, checked, file, start)
    return Chosen(environment, checked.environment, checked.settings, file)


def with_hosts(
    chosen: Chosen,
    *,
    start: Path,
    terraform_outputs: ReadOutputs | None,
    play: Play | None = None,
) -> Loaded:
    """Return the environment with its hosts, which Terraform may be asked for, or those of a play.

    Raises:
        UsageError: what Terraform gave is faulty.
    """
    found, folder = chosen.environment, chosen.file.parent if chosen.file else start
    targets = (play and play.remote) or _targets(found, folder, terraform_outputs)
    return Loaded(
        chosen.name,
        found.connection,
        chosen.settings,
        targets,
        chosen.file,
        found.confirm,
        found.terraform,
        chosen.secrets,
    )


def environment_names(*, start: Path, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the environments there are, for completion; only `local` for a faulty file."""
    try:
        value = _read(_find(start, environ, None)).value
    except UsageError:
        return (LOCAL,)
    return check(value, {}, LOCAL).names


@dataclass(frozen=True, slots=True)
class Environments:
    """What the file says of environments, without the hosts of any.

    Attributes:
        file: where it stands; `None` without a file.
        raw: the keys of each environment that is a mapping, by name.
        environment: the one that was asked for; `None` when the file does not have it.
        app: name of the application.
    """

    file: Path | None
    raw: Mapping[str, Mapping[str, object]]
    environment: Environment | None
    app: str


def environments_of(
    environment: str, *, start: Path, environ: Mapping[str, str], is_lenient: bool = False
) -> Environments:
    """Return what the file says of environments; Terraform is not asked.

    Raises:
        UsageError: the file or a variable is faulty, unless `is_lenient`: then it has none.
    """
    try:
        file = _find(start, environ, None)
        parsed = _read(file)
    except UsageError:
        if is_lenient:
            return Environments(None, {}, None, "")
        raise
    checked = check(parsed.value, environ, environment)
    faults = (*parsed.faults, *checked.faults)
    if faults and not is_lenient:
        raise _faulty(file, start, faults)
    app = checked.settings.app.name if checked.settings else ""
    return Environments(file, _raw(parsed.value), checked.environment, app)


def _raw(value: object) -> dict[str, Mapping[str, object]]:
    found = value.get("environments") if isinstance(value, dict) else None
    items = found.items() if isinstance(found, dict) else ()
    return {str(name): keys for name, keys in items if isinstance(keys, dict)}


def _faulty(file: Path | None, start: Path, faults: tuple[Fault, ...]) -> UsageError:
    return UsageError(
        tell(_subject(file, start, faults), faults),
        hint="docs/configuration.md describes every key; `restoops init` writes an example.",
    )


def _find(start: Path, environ: Mapping[str, str], config: Path | None) -> Path | None:
    named = environ.get(CONFIG_VARIABLE)
    return find_file(start, config or (Path(named) if named else None))


def _is_there(file: Path) -> bool:
    """Say whether something has this name, be it a broken link or a file we may not read."""
    try:
        file.lstat()
    except (OSError, ValueError):
        return False
    return True


def _read(file: Path | None) -> Parsed:
    if file is None:
        return Parsed(None)
    shown = escaped(str(file), 300)
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(
            f"{shown} cannot be read: {error.strerror}",
            hint=f"It has to be a file that you may read; {CONFIG_VARIABLE} can name another.",
        ) from error
    if len(content) > MAX_BYTES:
        raise UsageError(f"{shown} is larger than 1 MiB", hint="Is this the right file?")
    try:
        return parse(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{shown} is not UTF-8 text (byte {error.start + 1})", hint="Is this the right file?"
        ) from error


def _shown(file: Path, start: Path) -> str:
    return escaped(file.name if file.parent == start.absolute() else str(file), 300)


def _subject(file: Path | None, start: Path, faults: tuple[Fault, ...]) -> str:
    if file is None or all(fault.where.startswith(PREFIX) for fault in faults):
        return f"settings in {PREFIX}… variables are"
    return f"{_shown(file, start)} is"


def _unknown(name: str, checked: Checked, file: Path | None, start: Path) -> UsageError:
    meant = nearest(name, checked.names)
    guess = f", did you mean `{meant}`?" if meant else ""
    place = _shown(file, start) if file else f"no {FILE_NAME} was found; the embedded default"
    return UsageError(
        f"unknown environment `{escaped(name)}`{guess}",
        hint=f"{place} has: {', '.join(checked.names)}.{_swapped(name)}",
    )


def _swapped(name: str) -> str:
    is_release = is_git_sha(name) or name.startswith("sha-")
    return " That is a release: it comes before the environment." if is_release else ""


def _targets(
    environment: Environment, folder: Path, terraform_outputs: ReadOutputs | None
) -> tuple[Target, ...]:
    if environment.connection == "local":
        return (THIS_MACHINE,)
    if environment.terraform is None:
        return static_targets(environment.hosts)
    if terraform_outputs is None:
        raise UsageError(
            "the hosts of this environment come from Terraform, which is not used here"
        )
    outputs = terraform_outputs(environment.terraform, folder / environment.terraform.directory)
    return terraform_targets(outputs, environment.terraform)
