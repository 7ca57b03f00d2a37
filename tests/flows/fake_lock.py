"""The lock of a host in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.flows.fake import FakeHost


class FakeLock:
    """The lock while it is held; given back twice is a fault."""

    def __init__(self, host: FakeHost) -> None:
        self._host = host

    def release(self) -> None:
        assert self._host.holder is not None
        self._host.holder = None
