"""docker-py's transport over a stream of ours: a local socket or an SSH channel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import docker
import h11
import requests
import urllib3
from docker.transport import UnixHTTPAdapter

from restoops.adapters.connection import Stream
from restoops.adapters.exchange import Message, Reply, ask

_API_VERSION = "1.41"  # of Docker 20.10, the oldest engine that we support


class _Streams:
    """The connected streams that nobody uses, whoever used them before."""

    def __init__(self, dial: Callable[[], Stream]) -> None:
        self._dial = dial
        self._idle: list[Stream] = []

    def take(self) -> Stream:
        """Return a stream for one question."""
        try:
            return self._idle.pop()
        except IndexError:
            return self._dial()

    def give_back(self, stream: Stream) -> None:
        """Keep a stream for the next question."""
        self._idle.append(stream)

    def close(self) -> None:
        """Close all of them."""
        while self._idle:
            self._idle.pop().close()


class _DialConnection(urllib3.connection.HTTPConnection):
    def __init__(self, streams: _Streams, timeout: float | None) -> None:
        super().__init__("localhost", timeout=timeout)
        self._streams = streams

    def connect(self) -> None:
        self.sock = self._streams.take()  # an SSH channel is socket enough
        self.sock.settimeout(self.timeout)


class _DialPool(urllib3.connectionpool.HTTPConnectionPool):
    def __init__(self, streams: _Streams, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._streams = streams

    def _new_conn(self) -> _DialConnection:
        return _DialConnection(self._streams, self.timeout.read_timeout)

    def _put_conn(self, conn: Any) -> None:
        stream, conn.sock = conn.sock, None
        if stream is not None:
            self._streams.give_back(stream)


class DialAdapter(UnixHTTPAdapter):
    """docker-py's adapter for Unix sockets, over streams of ours.

    One pool for all, where docker-py makes one, and so a connection, for each URL.
    """

    def __init__(self, dial: Callable[[], Stream], timeout_s: float) -> None:
        super().__init__("http+unix://dial", timeout=timeout_s)  # type: ignore[arg-type]  # or float
        self._streams = _Streams(dial)
        self._pool = _DialPool(self._streams, self.timeout)

    def get_connection(self, url: Any, proxies: Any = None) -> Any:  # noqa: ARG002
        """Return the one pool, whatever the URL."""
        return self._pool

    def ask(self, question: Message, timeout_s: float | None) -> Reply:
        """Ask what has a short answer.

        Raises:
            requests.ConnectionError: what came is no answer.
            OSError: nothing came.
        """
        stream = self._streams.take()
        try:
            reply = ask(stream, question, timeout_s=timeout_s)
        except h11.ProtocolError as error:
            stream.close()
            raise requests.ConnectionError(str(error)) from error
        except BaseException:
            stream.close()
            raise
        if reply.is_last:
            stream.close()
        else:
            self._streams.give_back(stream)
        return reply

    def close(self) -> None:
        """Close the streams."""
        self._streams.close()
        self._pool.close()
        super().close()


class DialClient(docker.APIClient):
    """docker-py's client, for what it would otherwise look for in a socket only.

    It speaks a version of the API that the engine still knows. Which are known is asked only of an
    engine that refuses the first question in ours: nearly all of them answer it.
    """

    _is_understood = False

    def request(  # type: ignore[override]  # what docker-py uses of it
        self,
        method: str,
        url: str,
        *,
        params: Any = None,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        stream: bool = False,
        **_: Any,
    ) -> requests.Response:
        """Ask without what only the web needs: cookies, redirects, proxies, ~/.netrc.

        That takes requests as long as all the rest, for each of the dozen questions to each host.
        """
        adapter = self.get_adapter(url)
        if stream:
            if not self._is_understood:
                url = self._in_their_version(url)
            every = {**self.headers, **(headers or {})}
            asked = requests.Request(method, url, headers=every, params=params, data=data)
            return adapter.send(asked.prepare(), stream=True, timeout=timeout)
        given = {name: value for name, value in (params or {}).items() if value is not None}
        asked_for = f"{'?' * bool(given)}{urlencode(given, doseq=True)}"
        usual = {"host": "localhost", "User-Agent": str(self.headers["User-Agent"])}
        body = data.encode() if isinstance(data, str) else data
        every = {**usual, **(headers or {})}
        assert isinstance(adapter, DialAdapter)  # noqa: S101  connect() has mounted it

        def ask(url: str) -> Reply:
            target = f"/{url.split('/', 3)[3]}{asked_for}"
            return adapter.ask(Message(method, target, every, body), timeout)

        reply = ask(url)
        if reply.status == requests.codes.bad_request and not self._is_understood:
            theirs = self._in_their_version(url)
            reply = reply if theirs == url else ask(theirs)
        self._is_understood = True
        return _response(url, reply)

    def _in_their_version(self, url: str) -> str:
        """Ask which versions the engine knows; return `url` in the one that is spoken from now."""
        ours, self._is_understood = f"/v{self._version}/", True
        oldest = self.version(api_version=False)["MinAPIVersion"]
        if _as_numbers(oldest) > _as_numbers(self._version):
            self._version = oldest
        return url.replace(ours, f"/v{self._version}/", 1)

    def _get_raw_response_socket(self, response: Any) -> Any:
        """Return what an answer that is streamed is read from; its timeout is then taken off."""
        file = response.raw._fp.fp
        return getattr(file, "channel", None) or file.raw


def _response(url: str, reply: Reply) -> requests.Response:
    response = requests.Response()
    response.url, response.status_code, response.reason = url, reply.status, reply.reason
    response.headers.update(reply.headers)
    response.encoding = "utf-8"
    response._content = reply.body
    return response


def connect(dial: Callable[[], Stream], timeout_s: float) -> DialClient:
    """Return a client; its first question connects.

    An answer that takes longer than `timeout_s`, or a part of one, is none: docker-py's own
    patience of a minute is not what an operator set for a host that hangs.
    """
    client = DialClient(
        base_url="unix:///dial",
        version=_API_VERSION,
        timeout=timeout_s,  # type: ignore[arg-type]  # or float
    )
    client.mount("http+docker://", DialAdapter(dial, timeout_s))
    return client


def _as_numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
