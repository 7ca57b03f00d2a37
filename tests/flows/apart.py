"""Hosts in memory, led over a pipe as the second process of a large fleet leads real ones."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from multiprocessing.connection import Connection, Pipe

from restoops.flows.deputing import FirstProcess
from restoops.flows.deputy import Deputy, Distant
from restoops.flows.deputy_talk import Begin, Reached
from restoops.flows.part import Part
from restoops.flows.rollout import Surroundings
from restoops.flows.session import Request
from restoops.plan.bluegreen import Wishes
from tests.flows.fake import FakeHost

MakePart = Callable[[FakeHost, Request, Surroundings], Part]


@contextlib.contextmanager
def led_apart(
    hosts: Sequence[FakeHost],
    request: Request,
    wishes: Wishes,
    around: Surroundings,
    make: MakePart,
) -> Iterator[tuple[Sequence[Distant], Connection]]:
    """Begin a run on `hosts` over a pipe; a thread stands for the second process."""
    ours, theirs = Pipe()
    names = tuple(host.name for host in hosts)
    thread = threading.Thread(target=_lead, args=(theirs, hosts, around, make))
    thread.start()
    deputy = Deputy(ours, names)
    try:
        assert deputy.reached(around.interrupt) == Reached(names, {})
        yield deputy.begin(request, wishes, around, None), ours
    finally:
        deputy.leave()
        thread.join()
        hang_up(ours)


def hang_up(end: Connection) -> None:
    """Let both sides see the end of the pipe; closed while it is being read, it would not end."""
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(end.fileno())) as same:
        same.shutdown(socket.SHUT_RDWR)


def _lead(
    pipe: Connection, hosts: Sequence[FakeHost], around: Surroundings, make: MakePart
) -> None:
    first = FirstProcess(pipe, end=lambda: None)
    first.say(Reached(tuple(host.name for host in hosts), {}))
    order = first.begin()
    if isinstance(order, Begin):
        there = replace(around, tell=first.tell, interrupt=first.interrupt)
        first.serve({host.name: make(host, order.request, there) for host in hosts})
