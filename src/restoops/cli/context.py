"""What commands work with: settings, arguments, the registry."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from restoops.errors import Unreachable, UsageError

if TYPE_CHECKING:
    from restoops.adapters.registry import RegistryClient
    from restoops.config.load import Chosen, Loaded
    from restoops.flows.interrupt import Interrupt
    from restoops.model import Digest, Login, Release


def load_environment(name: str, *, checks_secrets: bool = False) -> Loaded:
    """Load the settings and hosts of an environment; see `config.load.load`.

    Raises:
        CheckRefused: `checks_secrets`, and they are not as their template wants. By then nobody
            was asked anything, not even Terraform for the hosts.
    """
    return find_hosts(choose_environment(name, checks_secrets=checks_secrets))


def choose_environment(name: str, *, checks_secrets: bool = False) -> Chosen:
    """Load the settings of an environment without its hosts; see `load_environment`."""
    # pydantic would look through all installed packages for plugins: 16 ms.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from restoops.config.load import choose

    start = Path.cwd()
    chosen = choose(name, start=start, environ=os.environ)
    if chosen.has_secrets:
        from restoops.flows.secrets_check import learn_what_is_at_hand, refuse_unfit

        if checks_secrets:
            found = refuse_unfit(chosen, start=start, environ=os.environ)
            return replace(chosen, secrets=found)
        learn_what_is_at_hand(chosen, start=start, environ=os.environ)
    return chosen


def find_hosts(chosen: Chosen) -> Loaded:
    """Return an environment with its hosts, which Terraform may be asked for."""
    from restoops.config.load import with_hosts
    from restoops.flows.connect import terraform_outputs

    return with_hosts(chosen, start=Path.cwd(), terraform_outputs=terraform_outputs)


def resolving(loaded: Loaded, tag: str) -> Callable[[Interrupt], Release]:
    """Ask the registry for the digest of `tag` in the background; call the result to have it."""
    from restoops.flows.background import in_background
    from restoops.model import Release

    def resolve() -> Release:
        with contextlib.closing(open_registry(loaded)) as registry:
            return Release(tag, registry.resolve(tag))

    return in_background(resolve)


def open_registry(loaded: Loaded, *, timeout_s: float = 10) -> RegistryClient:
    """Return a client for the application's registry, which has `timeout_s` for an answer."""
    from restoops.adapters.registry import RegistryClient
    from restoops.flows.open import image_name

    return RegistryClient(
        image_name(loaded.settings),
        login(loaded),
        plain_http=loaded.settings.registry.plain_http,
        timeout_s=timeout_s,
    )


def has_in_registry(loaded: Loaded) -> Callable[[Digest], bool]:
    """Return a question to the registry: whether it has a digest; Unreachable is passed on."""

    def ask(digest: Digest) -> bool:
        with contextlib.closing(open_registry(loaded)) as registry:
            return registry.has(digest)

    return ask


def in_registry(loaded: Loaded) -> Callable[[Digest], bool | None]:
    """Return the same question, with None for an answer when the registry cannot be asked."""
    has = has_in_registry(loaded)

    def ask(digest: Digest) -> bool | None:
        try:
            return has(digest)
        except Unreachable:
            return None

    return ask


def configured_environments() -> tuple[str, ...]:
    """Return the environments of restoops.yaml; only `local` when there is no such file."""
    from restoops.config.load import environment_names

    names = environment_names(start=Path.cwd(), environ=os.environ)
    return tuple(name for name in names if name != "local") or names


def tag_argument(text: str) -> str:
    """Return the tag that the operator means.

    Raises:
        UsageError: the text cannot be one.
    """
    from restoops.model import tag_of

    try:
        return tag_of(text)
    except ValueError as error:
        raise UsageError(
            str(error), hint="For example `sha-abc1234`, `main-abc1234`, or a Git SHA: `abc1234`."
        ) from error


def release_argument(text: str) -> str:
    """Return the text if it can name a release that was live: a tag, a Git SHA or a digest.

    Which of them it is, the history of the hosts tells: twelve digits may be a SHA or a digest.

    Raises:
        UsageError: the text cannot be one.
    """
    from restoops.model import is_digest

    if text.startswith("sha256:") and not is_digest(text):
        raise UsageError(
            f"{text!r} is no digest",
            hint="`sha256:` and 64 hexadecimal digits, or the first twelve of them.",
        )
    if not is_digest(text):
        tag_argument(text)
    return text


def batch_argument(text: str) -> str:
    """Return the size of a batch as it was given.

    Raises:
        UsageError: it is neither a number of hosts nor a share.
    """
    from restoops.plan.fleet import in_batches

    try:
        in_batches((), text)
    except ValueError as error:
        raise UsageError(f"--batch: {error}") from error
    return text


def login(loaded: Loaded, registry: str = "") -> Login | None:
    """Return the credentials for a registry, the application's when none is named."""
    from restoops.adapters.registry import find_login

    ours = loaded.settings.registry.host
    return find_login(registry or ours, ours=ours)
