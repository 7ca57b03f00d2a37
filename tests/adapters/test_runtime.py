"""A stream to the runtime API that is closed meanwhile, with a real HAProxy."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import pytest

from restoops.adapters.haproxy import Route
from restoops.adapters.runtime import RuntimeApi
from restoops.errors import Unreachable
from tests.adapters.haproxy_process import Haproxy, running
from tests.plan.states import BLUE, GREEN

pytestmark = pytest.mark.lab


class Line:
    """A stream that keeps what was sent, and can be cut once something has been."""

    def __init__(self, path: str, cut_at: str) -> None:
        self.sent: list[str] = []
        self._cut_at = cut_at
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect(path)

    def hang_up(self) -> None:
        """End it as HAProxy does when nobody has asked for ten minutes.

        Its own limit is no use in a test: HAProxy 2.6 forgets it after some answers.
        """
        self._socket.shutdown(socket.SHUT_RDWR)

    def sendall(self, data: bytes, /) -> None:
        self._socket.sendall(data)
        self.sent.append(data.decode().strip())

    def recv(self, size: int, /) -> bytes:
        is_cut = self._cut_at and self._cut_at in self.sent[-1]
        return b"" if is_cut else self._socket.recv(size)

    def settimeout(self, seconds: float | None, /) -> None:
        self._socket.settimeout(seconds)

    def close(self) -> None:
        self._socket.close()


class Lines:
    """All streams that were opened."""

    def __init__(self) -> None:
        self.opened: list[Line] = []
        self.cut_at = ""

    def dial(self, path: str) -> Line:
        self.opened.append(Line(path, self.cut_at))
        return self.opened[-1]

    @property
    def orders(self) -> list[str]:
        """What was sent that changes something, over all of them."""
        said = (text for line in self.opened for sent in line.sent for text in sent.splitlines())
        return [text for text in said if text.startswith("set ")]

    def fall_asleep(self) -> None:
        """Say nothing until the stream is closed."""
        self.opened[-1].hang_up()


@pytest.fixture(scope="module")
def haproxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Haproxy]:
    with running(tmp_path_factory.mktemp("idle")) as proxy:
        yield proxy


@pytest.fixture
def lines() -> Lines:
    return Lines()


@pytest.fixture
def runtime(haproxy: Haproxy, lines: Lines) -> Iterator[RuntimeApi]:
    api = RuntimeApi("web-1", haproxy.settings.directory, lines.dial)
    with contextlib.closing(api):
        yield api


def test_a_question_after_a_long_silence_is_answered(runtime: RuntimeApi, lines: Lines) -> None:
    runtime.route(Route(BLUE))
    runtime.mark_up(BLUE)  # the last word before a release command
    lines.fall_asleep()

    assert runtime.traffic().live is BLUE
    assert len(lines.opened) > 1


def test_a_stream_that_was_opened_ahead_may_be_closed_before_the_first_question(
    runtime: RuntimeApi, lines: Lines
) -> None:
    runtime.route(Route(BLUE))
    runtime.close()
    runtime.connect()
    lines.opened[-1].recv(65536)
    lines.fall_asleep()

    assert runtime.current() == Route(BLUE)


def test_an_order_after_a_long_silence_is_given_once(
    haproxy: Haproxy, runtime: RuntimeApi, lines: Lines
) -> None:
    runtime.mark_up(GREEN)
    lines.fall_asleep()

    runtime.route(Route(GREEN))

    given = [order.rpartition("live.map ")[2] for order in lines.orders]
    assert given == ["set server app_green/green health up", "live green"]
    assert haproxy.get() == (200, "green")


def test_an_order_over_a_stream_that_is_open_needs_no_question_before_it(
    runtime: RuntimeApi, lines: Lines
) -> None:
    runtime.traffic()
    asked = len(lines.opened[-1].sent)

    runtime.mark_up(BLUE)

    assert lines.opened[-1].sent[asked:] == ["set server app_blue/blue health up"]
    assert len(lines.opened) == 1


def test_an_order_of_which_nobody_knows_whether_it_was_heard_is_not_given_again(
    runtime: RuntimeApi, lines: Lines
) -> None:
    lines.cut_at = "set map"

    with pytest.raises(Unreachable, match="HAProxy does not answer"):
        runtime.route(Route(BLUE))

    assert len(lines.orders) == 1


def test_a_proxy_that_has_gone_is_told(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running(tmp_path_factory.mktemp("gone")) as proxy:
        runtime = proxy.runtime()
        runtime.current()

    with pytest.raises(Unreachable, match="cannot connect to"):
        runtime.current()
