"""The hosts of an environment as places for its secrets."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from restoops.cli.hosts import opened
from restoops.cli.swapping import origin, user
from restoops.masking import masked

if TYPE_CHECKING:
    from restoops.adapters.host import Host
    from restoops.config.load import Loaded
    from restoops.flows.secrets_sinks import Sink


@contextlib.contextmanager
def host_sinks(loaded: Loaded, wait_s: int, *, dry_run: bool) -> Iterator[tuple[Sink, ...]]:
    """Lend the hosts of an environment, each locked unless this is a dry run.

    Raises:
        Unreachable: one of them cannot be reached.
        Locked: a run holds the lock of one; none is kept.
    """
    from restoops.flows.secrets_hosts import HostSink

    with reached_hosts(loaded, wait_s, locks=not dry_run) as hosts:
        yield tuple(map(HostSink, hosts))


@contextlib.contextmanager
def reached_hosts(loaded: Loaded, wait_s: int, *, locks: bool) -> Iterator[tuple[Host, ...]]:
    """Lend the hosts of an environment, each locked if `locks`; raises as `host_sinks` does."""
    with opened(loaded) as found, contextlib.ExitStack() as stack:
        found.raise_if_absent()
        # In the order of the environment, as every run takes them: no two wait for each other.
        for host in found.hosts if locks else ():
            stack.enter_context(_locked(host, wait_s))
        yield found.hosts


@contextlib.contextmanager
def _locked(host: Host, wait_s: int) -> Iterator[None]:
    from restoops.adapters.clock import SystemClock
    from restoops.adapters.connection import Holder

    def on_wait(other: str) -> None:
        if wait_s:
            with contextlib.suppress(OSError):
                sys.stderr.write(masked(f"{host.name}: waiting for {other}\n"))
                sys.stderr.flush()

    purpose = " ".join(["restoops", *sys.argv[1:]])
    holder = Holder(user(), origin(), purpose, SystemClock().now())
    lock = host.lock(holder, wait_s=wait_s, on_wait=on_wait)
    try:
        yield
    finally:
        lock.release()
