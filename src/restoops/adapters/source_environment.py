"""Secrets from the variables that restoops itself was started with, as in CI."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from restoops.model import Secret


@dataclass(frozen=True, slots=True)
class EnvironmentSource:
    """Variables of this process; most of them are not meant for the application."""

    environ: Mapping[str, str]
    is_exclusive: bool = False

    @property
    def shown(self) -> str:
        """How to name it."""
        return "the environment of this process"

    def read(self) -> Mapping[str, Secret]:
        """Return all variables by name."""
        return {name: Secret(value) for name, value in self.environ.items()}
