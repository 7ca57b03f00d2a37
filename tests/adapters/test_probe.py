"""Questions to a release: each has an end in its time, and no other question gets its answer."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from restoops.adapters.connection import Stream
from restoops.adapters.probe import Prober
from restoops.model import Answer, Color, Question

_HEAD = b"HTTP/1.1 200 OK\r\nx-restoops-slot: %s\r\ncontent-length: %d\r\n\r\n"


class Proxy:
    """The other end of each stream that a prober opens, in their order."""

    def __init__(self) -> None:
        self.ends: list[socket.socket] = []
        self.dialed = threading.Semaphore(0)
        self.prober = Prober("probe.sock", self.dial)

    def dial(self, _: str) -> Stream:
        ours, theirs = socket.socketpair()
        self.ends.append(theirs)
        self.dialed.release()
        return ours

    def answer(self, number: int, slot: bytes) -> None:
        self.ends[number].sendall(_HEAD % (slot, 2) + b"ok")


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    made = Proxy()
    yield made
    made.prober.close()
    for end in made.ends:
        end.close()


def test_who_asks_while_another_question_is_open_gets_an_answer_of_its_own(proxy: Proxy) -> None:
    prober = proxy.prober
    got: list[tuple[Answer, Color | None]] = []
    slow = threading.Thread(
        target=lambda: got.append(prober.send(Question("/slow", timeout_s=30), Color.GREEN))
    )
    slow.start()
    assert proxy.dialed.acquire(timeout=10)

    quick = threading.Thread(target=lambda: got.append(prober.ask("/", None, timeout_s=30)))
    quick.start()
    assert proxy.dialed.acquire(timeout=10)
    proxy.answer(1, b"blue")
    quick.join(10)
    proxy.answer(0, b"green")
    slow.join(10)

    assert [slot for _, slot in got] == [Color.BLUE, Color.GREEN]


def test_an_answer_that_comes_a_byte_at_a_time_is_given_up_in_its_time(proxy: Proxy) -> None:
    is_over = threading.Event()

    def drip() -> None:
        proxy.dialed.acquire(timeout=10)
        proxy.ends[0].sendall(_HEAD % (b"green", 1000))
        for _ in range(200):
            if is_over.wait(0.05):
                return
            proxy.ends[0].sendall(b"x")

    dripping = threading.Thread(target=drip)
    dripping.start()
    began = time.monotonic()
    answer, slot = proxy.prober.send(Question("/events", timeout_s=0.5), Color.GREEN)
    is_over.set()
    dripping.join(10)

    assert (answer.status, slot) == (0, None)
    assert time.monotonic() - began < 9  # it would have dripped for ten seconds
