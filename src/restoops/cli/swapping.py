"""What a deploy or rollback works with: hosts, a renderer, and signals that are honoured."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

from restoops.cli.announcing import announced
from restoops.cli.caller import command_line, origin, user
from restoops.cli.deputy import deputised
from restoops.cli.hosts import Opened, opened
from restoops.cli.output import reporter
from restoops.cli.sessions import sessions_on
from restoops.cli.signals import interruptible
from restoops.errors import RestoopsError
from restoops.masking import masked

if TYPE_CHECKING:
    from restoops.adapters.clock import Clock
    from restoops.cli.recording import Recording
    from restoops.config.load import Loaded
    from restoops.flows.deputy import Deputy
    from restoops.flows.interrupt import Interrupt
    from restoops.flows.outside import Outside
    from restoops.flows.part import Part
    from restoops.flows.probing import Probing
    from restoops.flows.rollout import Surroundings
    from restoops.flows.session import Request
    from restoops.flows.swap import Swap
    from restoops.model import RunKind
    from restoops.report.events import Event, Reporter, Tell

_STARTED = time.monotonic()


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What the operator said on the command line about a run."""

    environment: str
    dry_run: bool
    yes: bool
    as_json: bool
    wait_s: int
    timeout_s: float | None
    hosts: tuple[str, ...] = ()
    """Names or addresses of the hosts to act on; all of them when there are none."""
    batch: str = "100%"
    pause_s: float = 0
    preempts: bool = False
    via: str = ""
    """The tool that runs us, such as Ansible."""
    only_recovers: bool = False
    """Whether only what was cut off is put right: that takes no secrets."""
    purpose: str = ""
    """What others are told that the lock is held for; else the command line."""
    so_far: str = ""
    """What was changed by the time that the run begins, in words; else nothing was."""


@contextlib.contextmanager
def swapping(
    options: RunOptions,
    kind: RunKind,
    loaded: Loaded,
    listener: Listener | None = None,
    recording: Recording | None = None,
) -> Iterator[Swap]:
    """Open all that a deploy or rollback needs, with signals honoured between steps.

    What happens is printed, or told to the `listener`; the `recording` takes it down as well.
    """
    from restoops.flows.connect import give_up_silent_when_asked

    if recording:
        recording.loaded = loaded
    with (
        deputised(loaded, options.hosts) as deputy,
        interruptible(options.so_far) as interrupt,
        _listening(options, listener, interrupt, url=loaded.settings.public.url) as show,
        announced(loaded, show.tell) as told,
    ):
        tell = unbroken(told, recording)
        outside = _outside(loaded, tell) if kind == "deploy" else None
        with opened(
            loaded, interrupt, options.hosts, besides=deputy.hosts if deputy else ()
        ) as found:
            give_up_silent_when_asked(found.hosts, interrupt, tell)
            around = _around(tell, interrupt, found, outside)
            swap = _swap(options, kind, loaded, found, deputy, around)
            with recording.following(swap) if recording else contextlib.nullcontext():
                yield swap
        if options.hosts and not options.dry_run:
            _tell_of_others(loaded, options, swap, tell)


def _tell_of_others(loaded: Loaded, options: RunOptions, swap: Swap, tell: Tell) -> None:
    """Tell which hosts that were left out serve something else; the run went well all the same."""
    from restoops.config.hosts import select
    from restoops.plan.fleet import elsewhere
    from restoops.report.events import Elsewhere

    chosen = select(loaded.targets, options.hosts)
    others = [it.name for it in loaded.targets if it not in chosen]
    if not others:
        return
    with contextlib.suppress(RestoopsError), opened(loaded, swap.fleet.interrupt, others) as found:
        states = found.observe()
        differ = elsewhere(swap.fleet.results, states)
        if differ or found.absent:
            tell(Elsewhere(options.environment, differ, tuple(found.absent)))


def _outside(loaded: Loaded, tell: Tell) -> Outside | None:
    """Return who asks the public address, before anything is contacted; None without checks.

    Then nothing is loaded for it either: connecting must not wait for that.
    """
    if not loaded.settings.smoke.checks:
        return None
    from restoops.flows.public import outside_of

    return outside_of(loaded, tell)


def _around(
    tell: Tell, interrupt: Interrupt, found: Opened, outside: Outside | None
) -> Surroundings:
    from restoops.adapters.clock import SystemClock
    from restoops.flows.outside import Outside
    from restoops.flows.rollout import Surroundings

    return Surroundings(tell, interrupt, SystemClock(), found.absent, outside or Outside())


def _swap(
    options: RunOptions,
    kind: RunKind,
    loaded: Loaded,
    found: Opened,
    deputy: Deputy | None,
    around: Surroundings,
) -> Swap:
    from restoops.flows.fleet import Fleet
    from restoops.flows.open import hooks, rollout, spec, wishes
    from restoops.flows.swap import Swap
    from restoops.plan.fleet import in_batches

    reached = deputy.reached(around.interrupt) if deputy else None
    if reached:
        found.absent.update(reached.absent)
    names = [*(host.name for host in found.hosts), *(reached.hosts if reached else ())]
    how = rollout(loaded.settings, options.batch, options.pause_s)
    away = len(found.absent)
    if away and not how.policy.may_switch(len(names) + away, away):
        found.raise_if_absent()
    read = found.secrets if kind == "deploy" and not options.only_recovers else None
    asked = wishes(
        loaded.settings,
        options.timeout_s,
        asks_outside=around.outside.is_asked,
        batches=len(in_batches(names, how.batch)),
    )
    asked = replace(asked, spec=spec(loaded.settings, read() if read else None))
    request = _request(options, kind, around.clock.now())
    probing = _probing(loaded, found, around.clock, kind)
    parts: list[Part] = [*sessions_on(found.hosts, loaded, (request, asked), around, probing.begin)]
    if deputy:
        parts += deputy.begin(request, asked, around, found.secrets)
        order = [target.address for target in loaded.targets]
        parts.sort(key=lambda part: order.index(part.name))
    fleet = Fleet(parts, request, how, around)
    seconds = partial(_seconds_since, _STARTED)
    return Swap(fleet, request, asked, seconds, hooks(loaded), probing)


def _probing(loaded: Loaded, found: Opened, clock: Clock, kind: RunKind) -> Probing:
    from restoops.flows.probing import Probing

    settings = loaded.settings
    # HAProxy would count its requests with those of clients, which are held against a release.
    is_watched = kind == "deploy" and settings.swap.bake_s > 0
    rate = 0 if is_watched else settings.probe.rate
    return Probing(found.hosts, settings.health.path, rate, clock)


def _seconds_since(moment: float) -> float:
    return time.monotonic() - moment


class Listener(Protocol):
    """Is told what happens, in place of a renderer."""

    def tell(self, event: Event) -> None:
        """Take in one event."""

    def watch(self, interrupt: Interrupt) -> None:
        """Know, from the start, how to ask for an end."""


@contextlib.contextmanager
def _listening(
    options: RunOptions, listener: Listener | None, interrupt: Interrupt, *, url: str | None
) -> Iterator[Listener | Reporter]:
    if listener is None:
        with reporting(as_json=options.as_json, url=url or "") as show:
            yield show
    else:
        listener.watch(interrupt)
        yield listener


@contextlib.contextmanager
def reporting(*, as_json: bool, url: str = "") -> Iterator[Reporter]:
    """Print events as they come, and leave the terminal tidy; `url` as `reporter` takes it."""
    show = reporter(as_json=as_json, url=url)
    try:
        yield show
    finally:
        show.close()


def unbroken(tell: Tell, recording: Recording | None = None) -> Tell:
    """Go on when nobody can be told any more: a closed pipe or terminal must not stop a run.

    Nobody is told a secret.
    """
    one_at_a_time = threading.Lock()  # hosts tell from threads of their own

    def try_to_tell(event: Event) -> None:
        event = masked(event)
        with one_at_a_time, contextlib.suppress(OSError):
            if recording:
                recording.chronicle.tell(event)
            tell(event)

    return try_to_tell


def _request(options: RunOptions, kind: RunKind, now: str) -> Request:
    from restoops.flows.session import Request

    return Request(
        id=f"{now[:19].replace(':', '').replace('-', '')}-{os.urandom(3).hex()}",
        kind=kind,
        environment=options.environment,
        who=user(),
        origin=origin() + (f", via {options.via}" if options.via else ""),
        purpose=masked(options.purpose) or command_line(),
        started_at=now,
        dry_run=options.dry_run,
        wait_s=options.wait_s,
        preempts=options.preempts,
    )
