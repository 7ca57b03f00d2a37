"""Wait until nothing runs on a slot that nobody is sent to any more."""

from __future__ import annotations

from collections.abc import Callable

from restoops.adapters.clock import Clock
from restoops.flows.host import Host
from restoops.plan.steps import Drain

_IDLE_POLLS = 2
"""Polls in a row without a request: one alone can fall between two requests."""
_IDLE_INTERVAL_S = 0.02
_OLD_PROXY_INTERVAL_S = 0.1


def drain(host: Host, step: Drain, clock: Clock, pause: Callable[[float], None]) -> tuple[int, str]:
    """Wait as `step` says; return how many requests still run at the deadline, and a note."""
    end = clock.monotonic() + step.timeout_s
    idle = 0
    while True:
        sessions = host.traffic().sessions[step.color]
        idle = idle + 1 if sessions == 0 else 0
        if idle >= _IDLE_POLLS:
            break
        if sessions and clock.monotonic() >= end:
            return sessions, f"{sessions} requests still running"
        pause(_IDLE_INTERVAL_S)
    # Its requests nobody can count: its runtime socket went to the one that took over.
    while step.stops and host.has_old_proxy():
        if clock.monotonic() >= end:
            return 0, "a proxy that was replaced may still run requests"
        pause(_OLD_PROXY_INTERVAL_S)
    return 0, "idle"
