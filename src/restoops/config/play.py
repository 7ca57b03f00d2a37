"""Hosts and settings that a play of Ansible brings along, in the place of an environment's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from restoops.config.hosts import Target
from restoops.config.layers import Layered

_WHERE = {"connection", "hosts", "terraform"}


@dataclass(frozen=True, slots=True)
class Play:
    """What a play says.

    Attributes:
        targets: the hosts; those of the file when there are none.
        is_local: whether its one host is this machine.
        settings: laid over those of the file and the environment, in the same form.
    """

    targets: tuple[Target, ...] = ()
    is_local: bool = False
    settings: Mapping[str, object] = field(default_factory=dict)

    @property
    def remote(self) -> tuple[Target, ...]:
        """The hosts that are connected to by SSH."""
        return () if self.is_local else self.targets

    def over(self, document: object, environment: str) -> object:
        """Return the content of a file with the play laid over `environment`.

        A file that knows environments has to know this one. What is no mapping is returned as it
        is: it is a fault already.
        """
        known = {} if document is None else document
        environments = (known.get("environments") or {}) if isinstance(known, dict) else None
        if not isinstance(known, dict) or not isinstance(environments, dict):
            return document
        if environments and environment not in environments:
            return document
        own = environments.get(environment) or {}
        if not isinstance(own, dict):
            return document
        laid = Layered(self._moved(own)).under(dict(self.settings), "settings")
        return {**known, "environments": {**environments, environment: laid.values}}

    def _moved(self, own: Mapping[str, object]) -> dict[str, object]:
        """Return an environment whose hosts are those of the play, if it has any."""
        if not self.targets:
            return dict(own)
        rest = {key: value for key, value in own.items() if key not in _WHERE}
        if self.is_local:
            return {**rest, "connection": "local"}
        return {**rest, "hosts": [target.address for target in self.targets]}
