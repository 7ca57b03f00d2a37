"""Ports of the lab stay free while nothing of ours listens on them."""

from pathlib import Path

from tests.lab.inbox import inbox
from tests.lab.ports import OURS, free_port, is_free


def test_no_outgoing_connection_can_have_one() -> None:
    first, last = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    lent = range(first, last + 1)

    assert not set(OURS) & set(lent)
    assert free_port() in OURS


def test_one_that_somebody_listens_on_is_not_free() -> None:
    with inbox() as box:
        assert not is_free(box.port)
    assert is_free(box.port)
