"""Parts of the host in memory: its lock, and the secrets that it keeps."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING

from restoops.model import Release, SecretSet

if TYPE_CHECKING:
    from tests.flows.fake import FakeHost

Effect = Callable[[str], AbstractContextManager[None]]


class FakeLock:
    """The lock while it is held; given back twice is a fault."""

    def __init__(self, host: FakeHost) -> None:
        self._host = host

    def release(self) -> None:
        assert self._host.holder is not None
        self._host.holder = None


def provide(host: FakeHost, release: Release, effect: Effect) -> str:
    """Keep the secrets of today for a release, and return their id; none when there are none."""
    if not host.secrets:
        return ""
    assert host.run, "secrets are made in a run"
    made = SecretSet(
        f"{release.tag}-{host.run.id}", release.digest, host.run.id, "", host.secrets,
        is_complete=False,
    )  # fmt: skip
    with effect("note secrets"):
        host.sets[made.id] = made
    with effect("write secrets"):
        host.sets[made.id] = replace(made, is_complete=True)
    return made.id


def forget(host: FakeHost, sets: frozenset[str], effect: Effect) -> None:
    """Remove secrets, which no container may have been given."""
    used = {it.secrets for it in host.containers.values()}
    assert not sets & used, "asked to remove secrets that a container was given"
    for one in sorted(sets):
        with effect("forget secrets"):
            del host.sets[one]
