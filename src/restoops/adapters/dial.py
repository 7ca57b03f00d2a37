"""docker-py's transport over a stream of ours: a local socket or an SSH channel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import docker
import requests
import urllib3
from docker.transport import UnixHTTPAdapter

from restoops.adapters.connection import Stream

_API_VERSION = "1.41"  # of Docker 20.10, the oldest engine that we support


class _DialConnection(urllib3.connection.HTTPConnection):
    def __init__(self, dial: Callable[[], Stream], timeout: float | None) -> None:
        super().__init__("localhost", timeout=timeout)
        self._dial = dial

    def connect(self) -> None:
        self.sock = self._dial()  # an SSH channel is socket enough
        self.sock.settimeout(self.timeout)

    @property
    def is_connected(self) -> bool:
        """Whether it may be used again; urllib3 would poll a descriptor, which channels lack."""
        return self.sock is not None


class _DialPool(urllib3.connectionpool.HTTPConnectionPool):
    def __init__(self, dial: Callable[[], Stream], timeout: float) -> None:
        # One is in use, and others while that one hands over what a container writes.
        super().__init__("localhost", timeout=timeout, maxsize=4)
        self._dial = dial

    def _new_conn(self) -> _DialConnection:
        return _DialConnection(self._dial, self.timeout.read_timeout)


class DialAdapter(UnixHTTPAdapter):
    """docker-py's adapter for Unix sockets, over a stream of ours.

    One pool for all, where docker-py makes one, and so a connection, for each URL.
    """

    def __init__(self, dial: Callable[[], Stream], timeout_s: float) -> None:
        super().__init__("http+unix://dial", timeout=timeout_s)  # type: ignore[arg-type]  # or float
        self._pool = _DialPool(dial, self.timeout)

    def get_connection(self, url: Any, proxies: Any = None) -> Any:  # noqa: ARG002
        """Return the one pool, whatever the URL."""
        return self._pool

    def close(self) -> None:
        """Close the stream."""
        self._pool.close()
        super().close()


class DialClient(docker.APIClient):
    """docker-py's client, for what it would otherwise look for in a socket only."""

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
        every = {**self.headers, **(headers or {})}
        asked = requests.Request(method, url, headers=every, params=params, data=data)
        answer = self.get_adapter(url).send(asked.prepare(), stream=stream, timeout=timeout)
        if not stream:
            answer.content  # noqa: B018  read it now: the connection is wanted for the next one
        return answer

    def _get_raw_response_socket(self, response: Any) -> Any:
        """Return what an answer that is streamed is read from; its timeout is then taken off."""
        file = response.raw._fp.fp
        return getattr(file, "channel", None) or file.raw


def connect(dial: Callable[[], Stream], timeout_s: float) -> DialClient:
    """Return a client that speaks a version of the API that the engine still knows.

    An answer that takes longer than `timeout_s`, or a part of one, is none: docker-py's own
    patience of a minute is not what an operator set for a host that hangs.
    """
    adapter = DialAdapter(dial, timeout_s)

    def speaking(version: str) -> DialClient:
        client = DialClient(
            base_url="unix:///dial",
            version=version,
            timeout=timeout_s,  # type: ignore[arg-type]  # or float
        )
        client.mount("http+docker://", adapter)
        return client

    client = speaking(_API_VERSION)
    oldest = client.version(api_version=False)["MinAPIVersion"]
    return client if _as_numbers(oldest) <= _as_numbers(_API_VERSION) else speaking(oldest)


def _as_numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
