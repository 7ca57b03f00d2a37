"""Look at every prerequisite, here and on the hosts; go on as far as can be gone."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from restoops.adapters.clock import SystemClock
from restoops.adapters.connection import Connection, script
from restoops.adapters.host import Host
from restoops.adapters.registry import RegistryClient, find_login
from restoops.adapters.terraform import read_output
from restoops.config.faults import escaped
from restoops.config.hosts import Target
from restoops.config.load import Loaded, load
from restoops.config.schema import TerraformOutputs
from restoops.errors import HostKeyRefused, RestoopsError, Unreachable, UsageError
from restoops.flows.connect import connect
from restoops.flows.open import host_settings, image_name
from restoops.plan.doctor import (
    HOST_CHECKS,
    Check,
    Diagnosis,
    Judge,
    Needs,
    Result,
    check_keys,
    check_proxy,
    check_python,
    read_facts,
    unchecked,
)
from restoops.plan.inventory import USUAL_KEYS

_SETTINGS = "restoops.yaml"
_TERRAFORM = "terraform"


def diagnose(environment: str, *, start: Path, environ: Mapping[str, str]) -> Diagnosis:
    """Check all that a deploy to `environment` needs. Changes nothing."""
    checks = [check_python(sys.version_info[:3])]
    terraform = _Terraform()
    try:
        loaded = load(environment, start=start, environ=environ, terraform_outputs=terraform)
    except RestoopsError as error:
        if terraform.error is error:
            checks.append(Check("here", _SETTINGS, Result.OK, "valid"))
            checks.append(_missing("here", _TERRAFORM, error))
        else:
            checks.append(_missing("here", _SETTINGS, error))
        checks += unchecked("hosts", "where they are is not known", HOST_CHECKS)
        is_away = isinstance(error, Unreachable)
        shown = escaped(environment)
        return Diagnosis(shown, tuple(checks), not is_away, unreachable=is_away)
    checks.append(_settings(loaded))
    if terraform.asked:
        found = f"{len(loaded.targets)} hosts in its outputs"
        checks.append(Check("here", _TERRAFORM, Result.OK, found))
    if loaded.connection == "ssh":
        checks.append(_keys(loaded))
    away = _Away()
    checks += away.collect(lambda: [_registry(loaded)], "here", "registry")
    for target in loaded.targets:
        checks += _host(loaded, target, away)
    return Diagnosis(environment, tuple(checks), unreachable=away.seen)


@dataclass
class _Terraform:
    """Reads outputs, and remembers that it was asked and how that ended."""

    asked: bool = False
    error: RestoopsError | None = None

    def __call__(self, outputs: TerraformOutputs, root: Path) -> object:
        self.asked = True
        try:
            return read_output(root, outputs.output)
        except RestoopsError as error:
            self.error = error
            raise


@dataclass
class _Away:
    """Turns errors into checks, and remembers whether something could not be reached."""

    seen: bool = field(default=False)

    def collect(self, look: Callable[[], list[Check]], where: str, what: str) -> list[Check]:
        try:
            return look()
        except RestoopsError as error:
            self.seen |= isinstance(error, Unreachable)
            return [_missing(where, what, error)]


def _missing(where: str, what: str, error: RestoopsError) -> Check:
    return Check(where, what, Result.MISSING, error.message.removeprefix(f"{where}: "), error.hint)


def _settings(loaded: Loaded) -> Check:
    if loaded.file is None:
        fix = "`restoops init` writes one."
        return Check("here", _SETTINGS, Result.WARNING, "none; the embedded default is used", fix)
    return Check("here", _SETTINGS, Result.OK, f"{loaded.file} is valid")


def _keys(loaded: Loaded) -> Check:
    named = loaded.settings.ssh.key
    agent = os.environ.get("SSH_AUTH_SOCK", "")
    folder = Path("~/.ssh").expanduser()
    paths = [Path(named).expanduser()] if named else [folder / name for name in USUAL_KEYS]
    there = [str(path) for path in paths if path.is_file()]
    absent = [named] if named and not there else []
    if not there and not named and (folder / "config").is_file():
        there = [f"what {folder / 'config'} names"]
    return check_keys(there, absent, agent=bool(agent) and Path(agent).exists())


def _registry(loaded: Loaded) -> Check:
    image = image_name(loaded.settings)
    login = find_login(image.registry, ours=image.registry)
    plain = loaded.settings.registry.plain_http
    with contextlib.closing(RegistryClient(image, login, plain_http=plain)) as registry:
        tags = registry.tags()
    who = f"as {login.username}" if login else "without credentials"
    found = f"{image} can be read {who}"
    if tags:
        return Check("here", "registry", Result.OK, found)
    fix = "Was an image pushed, and is `image.repository` right?"
    return Check("here", "registry", Result.WARNING, f"{found}, but has no tags", fix)


def _host(loaded: Loaded, target: Target, away: _Away) -> Iterator[Check]:
    """Yield the checks of one host."""
    name = target.address if loaded.connection == "ssh" else target.name
    try:
        connection = connect(loaded, target)
    except RestoopsError as error:
        away.seen |= isinstance(error, Unreachable)
        is_key = isinstance(error, HostKeyRefused)
        login = "SSH login"
        yield _missing(name, "known_hosts entry" if is_key else login, error)
        yield from unchecked(name, "no SSH connection", ((login,) if is_key else ()) + HOST_CHECKS)
        return
    with contextlib.closing(connection):
        if loaded.connection == "ssh":
            yield Check(name, "known_hosts entry", Result.OK, "the host key is the one on record")
        try:
            yield from _inside(loaded, connection, name, away)
        except RestoopsError as error:
            away.seen |= isinstance(error, Unreachable)
            yield _missing(name, "bash", error)
            yield from unchecked(name, "no answer from the host", HOST_CHECKS[1:])


def _inside(loaded: Loaded, connection: Connection, name: str, away: _Away) -> Iterator[Check]:
    settings = host_settings(loaded.settings)
    port = loaded.settings.proxy.port
    argv = [*script("survey"), settings.directory, settings.app, str(port)]
    facts = read_facts(connection.run(argv, timeout_s=60).splitlines())
    user = facts.values.get("user", "?")
    if loaded.connection == "ssh":
        yield Check(name, "SSH login", Result.OK, f"as {user}")
    needs = Needs(user, settings.directory, settings.app, settings.subnet, port)
    yield from Judge(name, facts, needs).checks()
    if "engine" not in facts.values:
        away.seen = True
        yield from unchecked(name, "Docker does not answer", ("proxy",))
        return
    host = Host(connection, settings, SystemClock())
    yield from away.collect(lambda: [check_proxy(host.observe())], name, "proxy")


def raise_if_missing(found: Sequence[Diagnosis]) -> None:
    """Turn what is missing anywhere into the exit status.

    Raises:
        UsageError: the settings are faulty.
        Unreachable: something could not be reached or refused us.
        RestoopsError: something else is missing.
    """
    lacking = [diagnosis for diagnosis in found if diagnosis.missing]
    if not lacking:
        return
    message = "; ".join(map(_lacks, lacking))
    hint = "What to do about each stands above."
    if any(it.faulty_settings for it in lacking):
        raise UsageError(message, hint=hint)
    if any(it.unreachable for it in lacking):
        raise Unreachable(message, hint=hint)
    raise RestoopsError(message, hint=hint)


def _lacks(diagnosis: Diagnosis) -> str:
    names = ", ".join(f"{check.what} ({check.where})" for check in diagnosis.missing)
    return f"{diagnosis.environment}: not ready for a deploy: {names}"
