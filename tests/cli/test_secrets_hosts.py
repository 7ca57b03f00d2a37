"""Hosts as places for secrets: their locks are waited for, and a signal ends the wait."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import nullcontext
from typing import Any, cast

import pytest

from restoops.adapters.host import Host
from restoops.cli import secrets_hosts
from restoops.cli.hosts import Opened
from restoops.cli.secrets_hosts import host_sinks, locked
from restoops.config.load import Loaded
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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_any_signal_ends_it_while_hosts_are_lent(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    class Signalled(BusyHost):
        def lock(self, *_: Any, **__: Any) -> None:
            os.kill(os.getpid(), number)
            self.is_given_back.wait(30)

    host, missed = Signalled(), list[int]()
    found = Opened((cast(Host, host),), {})
    monkeypatch.setattr(secrets_hosts, "opened", lambda *_: nullcontext(found))
    before = signal.signal(number, lambda it, _: missed.append(it))
    try:
        lent = host_sinks(cast(Loaded, None), 3600, dry_run=False, interrupt=Interrupt())
        with pytest.raises(Interrupted), lent:
            pytest.fail("the lock was never given")
    finally:
        signal.signal(number, before)
        host.is_given_back.set()

    assert missed == []
