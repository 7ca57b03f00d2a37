"""Messages over a stream: what comes back is all of the answer, or is told to be none."""

import socket
from collections.abc import Iterator

import h11
import pytest

from restoops.adapters.exchange import Message, Reply, ask

ASKED = Message("GET", "/containers/json?all=1", {"host": "localhost"})


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Our end and theirs; what they say may be said ahead."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def asked(pair: tuple[socket.socket, socket.socket], said: bytes, at_most: int = 99) -> Reply:
    ours, theirs = pair
    theirs.sendall(said)
    theirs.shutdown(socket.SHUT_WR)
    return ask(ours, ASKED, timeout_s=5, at_most=at_most)


@pytest.mark.parametrize(
    ("said", "body", "is_last"),
    [
        pytest.param(b"Content-Length: 5\r\n\r\nhello", b"hello", False, id="of a known length"),
        pytest.param(
            b"Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
            b"hello", False, id="in chunks",
        ),
        pytest.param(b"\r\nhello", b"hello", True, id="to the end of the stream"),
        pytest.param(
            b"Connection: close\r\nContent-Length: 5\r\n\r\nhello", b"hello", True,
            id="the last one, as is said",
        ),
        pytest.param(b"Content-Length: 0\r\n\r\n", b"", False, id="without a body"),
    ],
)  # fmt: skip
def test_an_answer_is_read_to_its_end(
    pair: tuple[socket.socket, socket.socket], said: bytes, body: bytes, is_last: bool
) -> None:
    reply = asked(pair, b"HTTP/1.1 200 OK\r\nX-Slot: blue\r\n" + said)

    assert (reply.status, reply.reason, reply.body) == (200, "OK", body)
    assert reply.headers["x-slot"] == "blue"
    assert reply.is_last is is_last


def test_what_goes_on_without_end_is_read_as_far_as_was_asked(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    reply = asked(pair, b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n" + b"x" * 50, at_most=9)

    assert reply.body == b"x" * 9
    assert reply.is_last


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Le", id="cut off in its head"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nx", id="cut off in its body"),
        pytest.param(b"220 mail.example.com ESMTP\r\n\r\n", id="another protocol"),
    ],
)
def test_what_is_no_answer_is_told(pair: tuple[socket.socket, socket.socket], said: bytes) -> None:
    with pytest.raises(h11.ProtocolError):
        asked(pair, said)


def test_silence_ends_in_its_time(pair: tuple[socket.socket, socket.socket]) -> None:
    with pytest.raises(TimeoutError):
        ask(pair[0], ASKED, timeout_s=0.1)


def test_a_question_goes_out_whole_and_another_may_follow(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = pair
    posted = Message("POST", "/containers/create", {"host": "localhost"}, b"{}")
    for question in (posted, ASKED):
        theirs.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
        assert not ask(ours, question, timeout_s=5).is_last

    head, body = theirs.recv(4096).split(b"\r\n\r\n", 1)
    assert head.startswith(b"POST /containers/create HTTP/1.1\r\n")
    assert b"content-length: 2" in head.lower()
    assert body.startswith(b"{}GET /containers/json?all=1 HTTP/1.1\r\n")
