"""The hosts' part of a rotation: containers that are started with the new value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from restoops.flows.background import side_by_side
from restoops.flows.estate import AT_ONCE
from restoops.flows.rollout import gravest
from restoops.flows.secrets_hosts import SecretsHost
from restoops.model import HostState, Value


class Hosts(Protocol):
    """The hosts of an environment, as a rotation needs them."""

    def states(self) -> Mapping[str, HostState]:
        """Return what is on each; nothing is changed.

        Raises:
            Unreachable: one cannot be asked.
        """

    def roll(self) -> None:
        """Deploy what serves again, with the secrets that the source has now.

        Done already, it comes to nothing.

        Raises:
            StepFailed: what serves is not healthy with them; it still serves without them.
        """

    def hand(self, values: Mapping[str, Value]) -> None:
        """Replace these values for all releases that a host keeps; it comes to the same twice."""


def hand_to(hosts: Sequence[SecretsHost], values: Mapping[str, Value]) -> None:
    """Replace these values on each host; one that fails keeps nothing from the others.

    Raises:
        RestoopsError: the gravest of what went wrong.
    """
    by_name = {host.name: host for host in hosts}

    def put(name: str) -> None:
        by_name[name].observe()
        by_name[name].put_secrets(values)

    _, failed = side_by_side(put, by_name, at_once=AT_ONCE)
    if failed:
        raise gravest(failed)
