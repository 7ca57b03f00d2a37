"""The registry of an environment: with which login it is asked, and how patiently."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from restoops.errors import Unreachable

if TYPE_CHECKING:
    from restoops.adapters.patience import Patience
    from restoops.adapters.registry import RegistryClient
    from restoops.adapters.repository import Repository
    from restoops.config.load import Loaded
    from restoops.flows.interrupt import Interrupt
    from restoops.model import Digest, Login, Release

PATIENT_S = 30
"""Seconds for an answer where no deploy waits for it."""
_GITHUB = "ghcr.io"


def login(loaded: Loaded, registry: str = "") -> Login | None:
    """Return the credentials for a registry, the application's when none is named."""
    from restoops.adapters.registry import find_login

    ours = loaded.settings.registry.host
    return find_login(registry or ours, ours=ours)


def resolving(loaded: Loaded, tag: str) -> Callable[[Interrupt], Release]:
    """Ask the registry for the digest of `tag` in the background; call the result to have it."""
    from restoops.flows.background import in_background
    from restoops.model import Release

    def resolve() -> Release:
        with contextlib.closing(open_registry(loaded)) as registry:
            return Release(tag, registry.resolve(tag))

    return in_background(resolve)


def open_registry(
    loaded: Loaded, *, timeout_s: float = 10, patience: Patience | None = None
) -> RegistryClient:
    """Return a client for the application's registry, which has `timeout_s` for an answer.

    What it is slow with or asks to leave for later is an error, unless there is `patience`.
    """
    from restoops.adapters.registry import RegistryClient
    from restoops.flows.open import image_name

    return RegistryClient(
        image_name(loaded.settings),
        login(loaded),
        plain_http=loaded.settings.registry.plain_http,
        timeout_s=timeout_s,
        patience=patience,
    )


def has_in_registry(loaded: Loaded) -> Callable[[Digest], bool]:
    """Return a question to the registry: whether it has a digest; Unreachable is passed on."""

    def ask(digest: Digest) -> bool:
        with contextlib.closing(open_registry(loaded)) as registry:
            return registry.has(digest)

    return ask


def has_or_unknown(loaded: Loaded) -> Callable[[Digest], bool | None]:
    """Return the same question, with None for an answer when the registry cannot be asked."""
    has = has_in_registry(loaded)

    def ask(digest: Digest) -> bool | None:
        try:
            return has(digest)
        except Unreachable:
            return None

    return ask


def patience(interrupt: Interrupt) -> Patience:
    """Return how long a registry, or GitHub, is waited for; a signal ends every wait."""
    from restoops.adapters.clock import SystemClock
    from restoops.adapters.patience import Patience
    from restoops.flows.pause import pause
    from restoops.report.lines import say

    def wait(seconds: float) -> None:
        interrupt.check()
        pause(seconds, SystemClock(), interrupt)

    return Patience(wait, say)


def open_repository(loaded: Loaded, patient: Patience) -> Repository:
    """Return the repository of an environment, by the protocol that its registry wants."""
    from restoops.adapters.ghcr import GithubRepository, Packages
    from restoops.adapters.repository import Repository
    from restoops.flows.open import image_name

    registry = loaded.settings.registry
    client = open_registry(loaded, timeout_s=PATIENT_S, patience=patient)
    is_github = registry.kind == "ghcr" or (registry.kind == "auto" and registry.host == _GITHUB)
    if not is_github:
        return Repository(client)
    packages = Packages(registry.api, image_name(loaded.settings), login(loaded), patient)
    return GithubRepository(client, packages)
