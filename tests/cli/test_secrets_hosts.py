"""Hosts as places for secrets: their locks are waited for, and a signal ends the wait."""

from __future__ import annotations

import threading
from typing import Any, cast

import pytest

from restoops.adapters.host import Host
from restoops.cli.secrets_hosts import locked
from restoops.errors import Interrupted
from restoops.flows.interrupt import Interrupt


class BusyHost:
    """A host whose lock another run holds."""

    def __init__(self) -> None:
        self.is_given_back = threading.Event()

    def lock(self, *_: Any, **__: Any) -> None:
        self.is_given_back.wait()


def test_a_signal_ends_the_wait_for_the_lock_of_a_host() -> None:
    host, interrupt = BusyHost(), Interrupt()
    interrupt.ask()

    with pytest.raises(Interrupted), locked(cast(Host, host), 3600, interrupt):
        pytest.fail("the lock was never given")

    host.is_given_back.set()
