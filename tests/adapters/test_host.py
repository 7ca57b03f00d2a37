"""The one rule that a host keeps by itself: what HAProxy routes to is not stopped."""

from collections.abc import Iterable
from typing import cast

import pytest

from restoops.adapters.clock import SystemClock
from restoops.adapters.connection import LocalConnection
from restoops.adapters.docker import Engine
from restoops.adapters.host import Host
from restoops.adapters.runtime import Traffic
from restoops.config.schema import Settings
from restoops.errors import NeedsAttention
from restoops.flows.open import host_settings
from restoops.model import Color, Container, Digest, Release

BLUE, GREEN = Color.BLUE, Color.GREEN


class _Engine:
    """Notes what it is to stop and to remove."""

    def __init__(self) -> None:
        self.ended: list[str] = []

    def stop(self, container_id: str, _grace_s: float) -> None:
        self.ended.append(container_id)

    def remove(self, container_id: str) -> None:
        self.ended.append(container_id)


class _Host(Host):
    """Has a release in both slots, and traffic as the test says."""

    def __init__(self, live: Color | None, up: Iterable[Color], *, covering: bool) -> None:
        super().__init__(LocalConnection(), host_settings(Settings()), SystemClock())
        self.engine = _Engine()
        vars(self)["_engine"] = cast("Engine", self.engine)
        self.found = Traffic(live, frozenset(up), covering, dict.fromkeys(Color, 0))
        release = Release("sha-1111111", Digest("sha256:" + "1" * 64))
        self._containers = {
            color: Container(
                id=color.value, color=color, release=release, spec="", status="running"
            )
            for color in Color
        }

    def traffic(self) -> Traffic:
        return self.found


@pytest.mark.parametrize("end", ["stop", "remove"])
@pytest.mark.parametrize(
    ("live", "up", "covering", "kept"),
    [
        (BLUE, {BLUE, GREEN}, False, {BLUE}),
        (BLUE, {BLUE, GREEN}, True, {BLUE}),
        (BLUE, {GREEN}, True, {BLUE, GREEN}),  # green stands in for blue
        (BLUE, {GREEN}, False, {BLUE}),
        (GREEN, set(), False, {GREEN}),
        (None, {BLUE}, False, set()),
    ],
)
def test_what_haproxy_routes_to_is_not_stopped(
    live: Color | None, up: set[Color], covering: bool, kept: set[Color], end: str
) -> None:
    for color in Color:
        host = _Host(live, up, covering=covering)
        act = getattr(host, end)
        if color in kept:
            with pytest.raises(NeedsAttention, match="HAProxy routes to it"):
                act(color)
            assert host.engine.ended == []
        else:
            act(color)
            assert set(host.engine.ended) == {color.value}
