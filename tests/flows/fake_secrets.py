"""The secrets that a host in memory keeps."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace

from restoops.handover import SecretSet
from restoops.model import Color, Container, OpenRun, Placed, Release, Value


@dataclass
class Handing:
    """The part of the host that gives secrets to releases."""

    secrets: str = field(default="", kw_only=True)
    """Fingerprint of those that releases are given; empty: none."""
    values: dict[str, str] = field(default_factory=dict, kw_only=True)
    """Fingerprints of what releases are given, by name."""
    sets: dict[str, SecretSet] = field(default_factory=dict, kw_only=True)

    containers: dict[Color, Container] = field(default_factory=dict, kw_only=True)
    run: OpenRun | None = field(default=None, kw_only=True)

    def _effect(self, what: str) -> AbstractContextManager[None]:
        raise NotImplementedError

    def _called(self, name: str) -> None:
        raise NotImplementedError

    def provide(self, release: Release) -> str:
        """Keep the secrets of today for a release, and return their id; none without any."""
        if not self.secrets:
            return ""
        assert self.run, "secrets are made in a run"
        made = SecretSet(
            f"{release.tag}-{self.run.id}", release.digest, self.run.id, "", self.secrets,
            is_complete=False, placed={it: Placed(one) for it, one in self.values.items()},
        )  # fmt: skip
        with self._effect("note secrets"):
            self.sets[made.id] = made
        with self._effect("write secrets"):
            self.sets[made.id] = replace(made, is_complete=True)
        return made.id

    def put_secrets(self, values: Mapping[str, Value]) -> None:
        """Replace secrets of all releases that were given them."""
        self._called("put_secrets")
        for one in list(self.sets.values()):
            new = {
                it: Placed(value.fingerprint)
                for it, value in values.items()
                if it in one.placed and one.placed[it].fingerprint != value.fingerprint
            }
            if one.is_complete and new:
                with self._effect("update secrets"):
                    self.sets[one.id] = replace(one, placed={**one.placed, **new})

    def spec_of(self, given: str) -> str:
        return f"+{self.sets[given].spec}" if given else ""

    def forget_secrets(self, sets: frozenset[str]) -> None:
        self._called("forget_secrets")
        used = {it.secrets for it in self.containers.values()}
        assert not sets & used, "asked to remove secrets that a container was given"
        for one in sorted(sets):
            with self._effect("forget secrets"):
                del self.sets[one]
