"""docker-py's transport over a stream of ours: a local socket or an SSH channel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import docker
import urllib3
from docker.transport import UnixHTTPAdapter

from restoops.adapters.connection import Stream


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

    def __init__(self, dial: Callable[[], Stream]) -> None:
        super().__init__("http+unix://dial")
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

    def _get_raw_response_socket(self, response: Any) -> Any:
        """Return what an answer that is streamed is read from; its timeout is then taken off."""
        file = response.raw._fp.fp
        return getattr(file, "channel", None) or file.raw
