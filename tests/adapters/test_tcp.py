"""The stream under SSH: nothing is lost by reading ahead, and a full pipe is waited for."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from restoops.adapters.tcp import TcpStream


@pytest.fixture
def pair() -> Iterator[tuple[TcpStream, socket.socket]]:
    """A stream, and the other end of it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        stream = TcpStream.connected(
            "127.0.0.1", server.getsockname()[1], timeout_s=5, silence_s=2.5
        )
        other, _ = server.accept()
    with stream, other:
        yield stream, other


def test_small_reads_give_all_that_came_in_order(pair: tuple[TcpStream, socket.socket]) -> None:
    stream, other = pair
    sent = bytes(range(256)) * 40
    other.sendall(sent)
    other.shutdown(socket.SHUT_WR)

    read = b""
    while part := stream.recv(7):
        assert len(part) <= 7
        read += part

    assert read == sent


def test_what_was_read_ahead_needs_no_other_end(pair: tuple[TcpStream, socket.socket]) -> None:
    stream, other = pair
    other.sendall(b"abcdef")
    assert stream.recv(2) == b"ab"
    other.close()

    assert stream.recv(4) == b"cdef"
    assert stream.recv(4) == b""


def test_a_read_without_data_ends_at_its_timeout(pair: tuple[TcpStream, socket.socket]) -> None:
    stream, _ = pair
    stream.settimeout(0.05)  # a second: it is no better than that

    with pytest.raises(TimeoutError):
        stream.recv(1)


def test_closing_ends_a_read_in_another_thread(pair: tuple[TcpStream, socket.socket]) -> None:
    stream, _ = pair
    stream.settimeout(60)

    def read() -> None:
        with contextlib.suppress(OSError):  # closed before it had begun
            assert stream.recv(1) == b""

    reader = threading.Thread(target=read)
    reader.start()

    stream.close()

    reader.join(10)
    assert not reader.is_alive()


def test_a_send_that_finds_no_room_waits_for_it(pair: tuple[TcpStream, socket.socket]) -> None:
    stream, other = pair
    sent = bytes(1_000_000) * 20  # more than the system keeps for a reader that is late
    read = bytearray()

    def drain() -> None:
        while part := other.recv(65536):
            read.extend(part)

    reader = threading.Timer(0.2, drain)
    reader.start()
    left = memoryview(sent)
    while left:
        left = left[stream.send(left) :]
    stream.shutdown(socket.SHUT_WR)
    reader.join()

    assert read == sent


def test_small_packets_are_not_held_back(pair: tuple[TcpStream, socket.socket]) -> None:
    stream, _ = pair
    assert stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_host_that_acknowledges_nothing_is_given_up(
    pair: tuple[TcpStream, socket.socket],
) -> None:
    stream, _ = pair
    assert stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 2500
