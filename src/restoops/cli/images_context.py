"""What the commands of `restoops images` work with: all environments and their repositories."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from restoops.cli.context import load_environment
from restoops.errors import RestoopsError, Unreachable

if TYPE_CHECKING:
    from restoops.config.hosts import Target
    from restoops.config.load import Loaded
    from restoops.flows.estate import Estate
    from restoops.flows.interrupt import Interrupt
    from restoops.plan.fate import Retention

_LOCAL = "local"
_SOCKET = Path("/var/run/docker.sock")


@dataclass(frozen=True, slots=True)
class Environments:
    """All environments of restoops.yaml, the one that was asked for first."""

    loaded: Mapping[str, Loaded]
    failed: Mapping[str, RestoopsError]
    """Those whose hosts cannot be known."""
    asked: tuple[str, ...]
    """The one that was named, or all."""

    def repositories(self) -> dict[str, Loaded]:
        """Return each repository of what was asked for, with the settings to reach it."""
        found: dict[str, Loaded] = {}
        for name in self.asked:
            if name in self.loaded:
                found.setdefault(repository_of(self.loaded[name]), self.loaded[name])
        return found


def repository_of(loaded: Loaded) -> str:
    """Return the repository of an environment's images."""
    from restoops.flows.open import image_name

    return str(image_name(loaded.settings))


def load_all(named: str | None) -> Environments:
    """Load every environment: what is not known of one could be deleted under its feet.

    Raises:
        UsageError: the one that was named is not right, or none is.
    """
    loaded: dict[str, Loaded] = {}
    failed: dict[str, RestoopsError] = {}
    for name in _names(named):
        try:
            loaded[name] = load_environment(name)
        except RestoopsError as error:
            if name == named:
                raise
            failed[name] = error
    if not loaded:
        raise next(iter(failed.values()))
    shown = {name: _unknown(name, error) for name, error in failed.items()}
    return Environments(loaded, shown, (named,) if named else tuple(loaded))


def _names(named: str | None) -> tuple[str, ...]:
    from restoops.config.load import environments_of

    raw = environments_of("", start=Path.cwd(), environ=os.environ).raw
    return names_to_ask(named, tuple(raw), has_engine=_SOCKET.exists())


def names_to_ask(
    named: str | None, configured: tuple[str, ...], *, has_engine: bool
) -> tuple[str, ...]:
    """Return the environments to ask, the one that was named first.

    `local` is left out where this machine has no Docker engine, and other environments are there:
    then it is only what `init` has written into the file.
    """
    others = [it for it in configured if it != _LOCAL or has_engine or len(configured) == 1]
    found = dict.fromkeys([named, *others] if named else others)
    return tuple(it for it in found if it) or (_LOCAL,)


def _unknown(name: str, error: RestoopsError) -> RestoopsError:
    return Unreachable(f"{name}: {error.message}", hint=error.hint, details=error.details)


@contextlib.contextmanager
def open_estate(found: Environments, interrupt: Interrupt) -> Iterator[Estate]:
    """Connect to all hosts of all environments side by side."""
    from restoops.adapters.clock import SystemClock
    from restoops.adapters.host import Host
    from restoops.flows.background import side_by_side
    from restoops.flows.connect import connect, load_client
    from restoops.flows.estate import Estate
    from restoops.flows.open import host_settings
    from restoops.plan.usage import Place

    targets: dict[tuple[str, str, str], tuple[Place, Loaded, Target]] = {}
    for name, loaded in found.loaded.items():
        load_client(loaded)
        settings = loaded.settings
        for target in loaded.targets:
            # One application on one machine, though two environments name it.
            same = (target.address, settings.host.state_dir, settings.app.name)
            targets.setdefault(same, (Place(name, target.name), loaded, target))
    places = {place: (loaded, target) for place, loaded, target in targets.values()}
    connections, failed = side_by_side(
        lambda place: connect(*places[place]), places, at_once=100, interrupt=interrupt
    )
    interrupt.check()
    import_module("restoops.adapters.docker")  # once, before threads want it all at the same time
    unknown = {**found.failed, **{str(place): error for place, error in failed.items()}}
    with contextlib.ExitStack() as stack:
        hosts = {}
        for place, connection in connections.items():
            settings = places[place][0].settings
            hosts[place] = Host(connection, host_settings(settings), SystemClock())
            stack.callback(hosts[place].close)
        yield Estate(hosts, interrupt, unknown)


def retention(
    found: Environments, repository: str, now: str, *, keep: int | None = None, older_s: float = 0
) -> Retention:
    """Return what is kept in a repository: what any environment wants that has its images there."""
    from restoops.plan.fate import Retention
    from restoops.plan.tags import TagRules

    images = [it.settings.image for it in found.loaded.values() if repository_of(it) == repository]
    protected = dict.fromkeys(pattern for image in images for pattern in image.protected)
    builds = [it for it in images[0].builds if all(it in image.builds for image in images)]
    rules = TagRules(tuple(protected), tuple(builds))
    return Retention(keep or max(image.keep for image in images), rules, now, older_s)
