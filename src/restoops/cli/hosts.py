"""The hosts of an environment, connected to side by side."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from restoops.errors import RestoopsError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from restoops.adapters.host import Host
    from restoops.config.hosts import Target
    from restoops.config.load import Loaded
    from restoops.flows.interrupt import Interrupt
    from restoops.handover import Handed
    from restoops.model import HostState


@dataclass(frozen=True, slots=True)
class Opened:
    """The hosts of an environment: those that were reached, and why the others were not."""

    hosts: tuple[Host, ...]
    absent: dict[str, RestoopsError]
    secrets: Callable[[], Handed] | None = None
    """Reads, once, what releases are given; None when they are given nothing."""

    def observe(self) -> tuple[HostState, ...]:
        """Observe the hosts side by side; one that fails meanwhile is absent from then on."""
        from restoops.flows.background import side_by_side

        done, failed = side_by_side(lambda host: host.observe(), self.hosts, at_once=100)
        self.absent.update({host.name: error for host, error in failed.items()})
        return tuple(done[host] for host in self.hosts if host in done)

    def raise_if_absent(self) -> None:
        """Raise the error of the hosts that could not be reached, if there are such."""
        from restoops.flows.rollout import gravest

        if self.absent:
            raise gravest(self.absent)


def _secrets(loaded: Loaded) -> Callable[[], Handed] | None:
    """Return what reads the secrets that releases are given; None when they are given none."""
    if not loaded.settings.has_secrets:
        return None
    from restoops.flows.secrets_current import handing
    from restoops.flows.secrets_sources import Keeping

    return handing(Keeping.of(loaded, start=Path.cwd(), environ=os.environ))


@contextlib.contextmanager
def opened(
    loaded: Loaded,
    interrupt: Interrupt | None = None,
    only: Iterable[str] = (),
    besides: Collection[str] = (),
) -> Iterator[Opened]:
    """Connect to the hosts of an environment side by side; the connections end with the block.

    Those with the addresses `besides` are connected to elsewhere.

    Raises:
        UsageError: `only` names a host that there is not.
    """
    from restoops.config.hosts import select
    from restoops.flows.interrupt import Interrupt

    targets = [it for it in select(loaded.targets, only) if it.address not in besides]
    processes = 2 if besides else 1
    asked = interrupt or Interrupt()
    with connected(loaded, targets, asked, _secrets(loaded), processes=processes) as found:
        yield found


@contextlib.contextmanager
def connected(
    loaded: Loaded,
    targets: Sequence[Target],
    interrupt: Interrupt,
    secrets: Callable[[], Handed] | None,
    *,
    processes: int = 1,
) -> Iterator[Opened]:
    """Connect to `targets` side by side, as one of so many `processes` that do so.

    `secrets` reads what releases are given.
    """
    from restoops.flows.background import in_background
    from restoops.flows.connect import connect_all, load_client

    load_client(loaded)
    at_once = max(1, loaded.settings.fleet.parallel // processes)
    connections = in_background(lambda: connect_all(loaded, targets, interrupt, at_once=at_once))
    # Docker's client takes 0.1 s to load, as long as it takes to connect and to get the lock.
    if len(targets) == 1:
        # Threads take turns often meanwhile, so that no answer of the host has to wait for it.
        # With the threads of 200 hosts that alone would cost 60 s.
        sys.setswitchinterval(0.0005)
    in_background(lambda: import_module("restoops.adapters.docker"))
    from restoops.adapters.clock import SystemClock
    from restoops.adapters.host import Host
    from restoops.flows.open import host_settings

    settings = host_settings(loaded.settings, secrets)
    found, absent = connections()
    with contextlib.ExitStack() as stack:
        # In the order of the environment: the first host's lock is taken first, by all runs.
        hosts = tuple(Host(found[it], settings, SystemClock()) for it in targets if it in found)
        for host in hosts:
            stack.callback(host.close)
        away = {target.address: error for target, error in absent.items()}
        yield Opened(hosts, away, secrets)


@contextlib.contextmanager
def opened_one(loaded: Loaded, only: Iterable[str] = ()) -> Iterator[Host]:
    """Connect to the one host of an environment, or to the one that was chosen.

    Raises:
        UsageError: there are several.
    """
    from restoops.config.hosts import select

    targets = select(loaded.targets, only)
    if len(targets) > 1:
        raise UsageError(
            f"{loaded.environment} has {len(targets)} hosts: which one?",
            hint="`--host NAME`, one of: " + ", ".join(target.name for target in targets),
        )
    with opened(loaded, only=only) as found:
        found.raise_if_absent()
        yield found.hosts[0]
