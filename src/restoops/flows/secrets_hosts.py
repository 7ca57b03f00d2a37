"""A host as a place for secrets: each release there has those that it was given.

All of them get a new value, also those that do not run: what is replaced has often been revoked,
and a rollback must not bring it back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from restoops.model import HostState, Placed, Value
from restoops.plan.secret_sets import placed_in


class SecretsHost(Protocol):
    """What is needed of a host; `adapters.host.Host` has it."""

    @property
    def name(self) -> str:
        """The address of the host."""

    def observe(self) -> HostState:
        """Return what is there now."""

    def put_secrets(self, values: Mapping[str, Value]) -> None:
        """Replace secrets of all releases that were given them."""


@dataclass(frozen=True, slots=True)
class HostSink:
    """One host, of which the lock is held unless nothing is put there."""

    host: SecretsHost
    takes_new: bool = False
    """A container has room only for what it was started with; a deploy brings what is new."""
    note: str = (
        "what runs sees a new value when it reads the file again, at its next start at the latest; "
        "one that it got as a plain variable, with the next deploy"
    )

    @property
    def name(self) -> str:
        """The address of the host."""
        return self.host.name

    def placed(self) -> Mapping[str, Placed]:
        """Return what its releases have; a fingerprint is empty where they differ."""
        return placed_in(self.host.observe().secrets)

    def put(self, values: Mapping[str, Value]) -> None:
        """Replace these values, for each release that was given them."""
        self.host.put_secrets(values)
