"""A signal ends what `images prune` waits for, and no removal that has begun."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import pytest

from restoops.errors import Interrupted
from restoops.flows.estate import Estate
from restoops.flows.interrupt import Interrupt
from restoops.flows.prune import Prune, Target
from restoops.flows.prune_record import Recorder
from restoops.model import Digest, Release
from restoops.plan.usage import Place
from tests.flows.clock import FakeClock
from tests.flows.estates import Shelf
from tests.flows.pruning import KEEP, OLGA

HANGS_S = 30
BUILDS = [Release(f"sha-{n:07x}", Digest(f"sha256:{n:064}")) for n in range(5)]


@dataclass
class Silent(Shelf):
    """A host that says nothing when it is asked for its images."""

    interrupt: Interrupt = field(default_factory=Interrupt)
    is_over: threading.Event = field(default_factory=threading.Event)

    def image_sizes(self) -> dict[Digest, int]:
        self.interrupt.ask()
        self.is_over.wait(HANGS_S)
        return {}


def test_a_signal_ends_the_wait_for_what_a_host_has() -> None:
    silent = Silent("a")
    estate = Estate({Place("staging", "a"): silent}, silent.interrupt)

    with pytest.raises(Interrupted, match="interrupted; nothing was changed"):
        estate.sizes(estate.hosts)

    silent.is_over.set()


def test_a_signal_ends_the_wait_for_the_lock_of_a_host() -> None:
    interrupt, is_over, has_waited = Interrupt(), threading.Event(), list[bool]()

    def wait() -> None:
        interrupt.ask()
        has_waited.append(is_over.wait(HANGS_S))

    busy, free = Shelf.after("a", *BUILDS), Shelf.after("b", *BUILDS)
    busy.on_lock, free.on_lock = wait, interrupt.wait
    hosts = {Place("staging", it.name): it for it in (busy, free)}
    prune = Prune(
        Estate(hosts, interrupt),
        (Target(None, tuple(hosts), KEEP, lambda _: True),),
        Recorder(lambda _: None, lambda _: None, FakeClock(), "olga"),
    )
    plan = prune.plan()
    assert plan.on_hosts > 0

    with pytest.raises(Interrupted, match="interrupted; nothing was deleted"):
        prune.carry_out(plan, OLGA, 3600)

    assert has_waited == [], "it was left waiting"
    assert {len(it.images) for it in (busy, free)} == {len(BUILDS)}
    is_over.set()
