"""The hosts of an environment as places for its secrets."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from restoops.cli.caller import holder
from restoops.cli.hosts import opened
from restoops.cli.signals import honouring
from restoops.masking import masked

if TYPE_CHECKING:
    from restoops.adapters.host import Host
    from restoops.config.load import Loaded
    from restoops.flows.interrupt import Interrupt
    from restoops.flows.secrets_sinks import Sink


@contextlib.contextmanager
def host_sinks(
    loaded: Loaded, wait_s: int, *, dry_run: bool, interrupt: Interrupt | None = None
) -> Iterator[tuple[Sink, ...]]:
    """Lend the hosts of an environment, each locked unless this is a dry run.

    Signals ask `interrupt` for an end from the first connection on.

    Raises:
        Interrupted: somebody asked `interrupt` for an end of the wait; none is kept.
        Unreachable: one of them cannot be reached.
        Locked: a run holds the lock of one; none is kept.
    """
    from restoops.flows.secrets_hosts import HostSink

    heeding = honouring(interrupt) if interrupt else contextlib.nullcontext()
    with (
        heeding,
        reached_hosts(loaded, wait_s, locks=not dry_run, interrupt=interrupt) as hosts,
    ):
        yield tuple(map(HostSink, hosts))


@contextlib.contextmanager
def reached_hosts(
    loaded: Loaded, wait_s: int, *, locks: bool, interrupt: Interrupt | None = None
) -> Iterator[tuple[Host, ...]]:
    """Lend the hosts of an environment, each locked if `locks`; raises as `host_sinks` does."""
    with opened(loaded, interrupt) as found, contextlib.ExitStack() as stack:
        found.raise_if_absent()
        # In the order of the environment, as every run takes them: no two wait for each other.
        for host in found.hosts if locks else ():
            stack.enter_context(locked(host, wait_s, interrupt))
        yield found.hosts


@contextlib.contextmanager
def locked(host: Host, wait_s: int, interrupt: Interrupt | None = None) -> Iterator[None]:
    """Hold the lock of a host; one that comes after the wait was ended goes with the connection."""
    from restoops.flows.background import in_background

    def on_wait(other: str) -> None:
        if wait_s:
            with contextlib.suppress(OSError):
                sys.stderr.write(masked(f"{host.name}: waiting for {other}\n"))
                sys.stderr.flush()

    ours = holder()
    take = in_background(lambda: host.lock(ours, wait_s=wait_s, on_wait=on_wait))
    lock = take(interrupt)
    try:
        yield
    finally:
        lock.release()
