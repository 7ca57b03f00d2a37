"""Ports for servers that begin to listen later, and again after an outage."""

import random
import socket

OURS = range(20_000, 32_000)
"""Below those that Linux lends to outgoing connections: one of these could have the port by then,
and on loopback even be connected to itself while nobody listens there."""


def free_port() -> int:
    """Return a port on which nothing listens, on any address; workers hardly choose the same."""
    chance = random.SystemRandom()  # Hypothesis seeds the other one, in all workers alike
    return next(port for port in iter(lambda: chance.choice(OURS), None) if is_free(port))


def is_free(port: int) -> bool:
    """Return whether a server could listen on the port, on all addresses."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            return False
    return True
