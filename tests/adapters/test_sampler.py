"""The program that asks a proxy again and again, by a real bash, of a real server."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from restoops.adapters.connection import LocalConnection
from restoops.adapters.sampler import Asking, Sampler, Seen

FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


@contextmanager
def served(*answers: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """Answer requests on a port, the last answer for ever; an empty one is never given."""
    asked: list[bytes] = []
    held: list[socket.socket] = []
    left = list(answers)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                asked.append(client.recv(4096))
                answer = left.pop(0) if len(left) > 1 else left[0]
                if answer:
                    client.sendall(answer)
                    client.close()
                else:
                    held.append(client)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1], asked
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
            for client in held:
                client.close()


def seen(port: int, count: int, answer_timeout_s: float = 5) -> list[Seen]:
    """Return the first samples, and see the program end."""
    sampler = Sampler.started(LocalConnection(), Asking(port, "/health", 0.02, answer_timeout_s))
    found: list[Seen] = []
    try:
        stream = iter(sampler)
        assert next(stream) is None, "it says first that it has begun"
        while len(found) < count:
            sample = next(stream)
            assert sample
            found.append(sample)
    finally:
        sampler.close()
    return found


def test_each_request_is_told_with_its_status_and_time() -> None:
    with served(FINE, b"HTTP/1.1 503 Service Unavailable\r\n\r\n", FINE) as (port, asked):
        found = seen(port, 4)

    assert [it.status for it in found] == [200, 503, 200, 200]
    assert all(0 < it.ms < 5000 for it in found)
    assert [it.after_s for it in found] == sorted(it.after_s for it in found)
    assert asked[0].startswith(b"GET /health HTTP/1.1\r\nHost: restoops\r\n")
    assert b"User-Agent: restoops-probe" in asked[0]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="no answer within its time"),
        pytest.param(b"hello\r\n\r\n", id="an answer that is none of HTTP"),
        pytest.param(b"HTTP/1.1 20", id="an answer that breaks off"),
    ],
)
def test_what_is_no_answer_is_told_as_none(answer: bytes) -> None:
    with served(answer) as (port, _):
        assert [it.status for it in seen(port, 2, answer_timeout_s=0.2)] == [0, 0]


def test_nobody_who_listens_is_told_as_no_answer() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))

        assert [it.status for it in seen(taken.getsockname()[1], 3)] == [0, 0, 0]


class Canned:
    """A stream that says what it was given to say."""

    def __init__(self, *parts: bytes) -> None:
        self._parts = list(parts)

    def recv(self, size: int, /) -> bytes:
        return self._parts.pop(0) if self._parts else b""

    def sendall(self, data: bytes, /) -> None:
        raise AssertionError("it is told nothing")

    def settimeout(self, seconds: float | None, /) -> None:
        assert seconds is None

    def close(self) -> None: ...


def test_what_a_login_says_and_what_is_damaged_is_passed_over() -> None:
    stream = Canned(
        b"Welcome!\n12 34 200\n10", b"00\n1000 2000 200\n\xff\xfe\n1 2\n9 9 9 9\n",
        b"4000 3000 200\n5000 6500 000\n70",
    )  # fmt: skip

    assert list(Sampler(stream)) == [
        None, Seen(0, 1.0, 200), Seen(0.003, 0, 200), Seen(0.004, 1.5, 0),
    ]  # fmt: skip


def test_a_host_without_a_clock_for_it_says_nothing() -> None:
    assert list(Sampler(Canned())) == []


def test_a_line_without_end_is_given_up() -> None:
    assert list(Sampler(Canned(b"1\n", *[b"x" * 65536] * 100))) == [None]
