"""The second process of a large fleet: who begins it, and what it does first.

It is a copy of this process (`fork`), so that nothing is loaded twice: neither time nor memory.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import time
import traceback
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

from restoops.cli.hosts import connected
from restoops.cli.sessions import sessions_on
from restoops.errors import RestoopsError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from restoops.config.hosts import Target
    from restoops.config.load import Loaded
    from restoops.flows.deputing import FirstProcess
    from restoops.flows.deputy import Deputy

_LEAVE_S = 3
"""How long it may take to close its connections."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""A terminal sends them to both processes; the first one says what they mean."""
_LOADED_ONCE = ("adapters.ssh", "adapters.docker", "adapters.host", "flows.swap", "flows.deputing")


@contextlib.contextmanager
def deputised(loaded: Loaded, only: Iterable[str]) -> Iterator[Deputy | None]:
    """Let a second process connect to half of the hosts, if there are that many of them.

    Raises:
        UsageError: `only` names a host that there is not.
    """
    targets = _half(loaded, only)
    if not targets:
        yield None
        return
    for name in _LOADED_ONCE:
        import_module(f"restoops.{name}")
    from restoops.flows.deputy import Deputy

    begun = _begun(loaded, targets)
    if begun is None:
        yield None
        return
    pid, pipe = begun
    deputy = Deputy(pipe, [target.address for target in targets])
    try:
        yield deputy
    finally:
        deputy.leave()
        _await_end(pid)


def _begun(loaded: Loaded, targets: Sequence[Target]) -> tuple[int, Connection] | None:
    """Begin it; return its pid and a pipe to it, or nothing where no process can be had."""
    from multiprocessing.connection import Pipe

    ours, theirs = Pipe()
    gc.freeze()  # what is there now is shared, as long as nobody writes to it
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)  # until the copy ignores them
    try:
        pid = os.fork()
    except OSError:  # one process leads them all, and takes longer
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return None
    if pid == 0:
        ours.close()
        _lead(theirs, loaded, targets)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    theirs.close()
    return pid, ours


def _half(loaded: Loaded, only: Iterable[str]) -> Sequence[Target]:
    """Return every other host of a large fleet, or none.

    Not on macOS, whose libraries forbid `fork` without `exec`, nor where one processor is all.
    """
    from restoops.config.hosts import select

    targets = select(loaded.targets, only)
    is_large = len(targets) >= loaded.settings.fleet.second_process_from
    can = sys.platform == "linux" and len(os.sched_getaffinity(0)) > 1
    return targets[1::2] if is_large and can and loaded.connection == "ssh" else ()


def _await_end(pid: int) -> None:
    """Wait until it has ended; what takes too long there holds nothing any more, and is killed."""
    end = time.monotonic() + _LEAVE_S
    with contextlib.suppress(ChildProcessError):  # who started us lets nobody wait for processes
        while os.waitpid(pid, os.WNOHANG) == (0, 0):
            if time.monotonic() >= end:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                return
            time.sleep(0.005)


def _lead(pipe: Connection, loaded: Loaded, targets: Sequence[Target]) -> NoReturn:
    """Be the second process, to its end."""
    from restoops.flows.deputing import FirstProcess
    from restoops.flows.deputy_talk import Fault

    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    first = FirstProcess(pipe)
    try:
        _serve(first, loaded, targets)
    except RestoopsError as error:
        first.say(error)
    except BaseException:  # noqa: BLE001  raised again in the first process
        first.say(Fault(traceback.format_exc()))
    finally:
        first.close()
        os._exit(0)


def _serve(first: FirstProcess, loaded: Loaded, targets: Sequence[Target]) -> None:
    from restoops.adapters.clock import SystemClock
    from restoops.flows.connect import give_up_silent_when_asked
    from restoops.flows.deputy_talk import Begin, Reached
    from restoops.flows.rollout import Surroundings

    secrets = first.secrets if loaded.settings.has_secrets else None
    with connected(loaded, targets, first.interrupt, secrets, processes=2) as found:
        give_up_silent_when_asked(found.hosts, first.interrupt, lambda _: None)
        first.say(Reached(tuple(host.name for host in found.hosts), found.absent))
        order = first.begin()
        if isinstance(order, Begin):
            around = Surroundings(first.tell, first.interrupt, SystemClock())
            run = order.request, order.wishes
            parts = sessions_on(found.hosts, loaded, run, around)
            first.serve({part.name: part for part in parts})
