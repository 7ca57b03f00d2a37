"""Hosts that are this machine, or near it: no proxy leads there, and plain HTTP may."""

from __future__ import annotations

import contextlib
from ipaddress import IPv4Address, IPv6Address, ip_address


def is_this_machine(host: str) -> bool:
    """Return whether a host, by its address or as `localhost`, is this machine itself."""
    address = _address(host)
    return address.is_loopback if address else host == "localhost"


def is_near(host: str) -> bool:
    """Return whether a host is this machine, or has an address of a private network."""
    address = _address(host)
    return address.is_private if address else host == "localhost"


def _address(host: str) -> IPv4Address | IPv6Address | None:
    with contextlib.suppress(ValueError):
        return ip_address(host.removeprefix("[").removesuffix("]"))
    return None
