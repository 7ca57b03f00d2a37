"""A fleet can be hurt host by host, and heals."""

import socket

import pytest

from tests.lab.droplet import Droplet
from tests.lab.operator import Operator
from tests.lab.patience import PATIENCE_S

pytestmark = pytest.mark.lab

NOBODY_S = 0.5


def greeting(droplet: Droplet, patience_s: float = PATIENCE_S) -> bytes:
    """Return what the host says first, or nothing when it does not answer."""
    try:
        with socket.create_connection((droplet.address, 22), timeout=patience_s) as connection:
            return connection.recv(4)
    except OSError:
        return b""


def is_silent(droplet: Droplet) -> bool:
    return greeting(droplet, NOBODY_S) == b""


def test_an_operator_knows_each_host_of_a_fleet(fleet: Operator) -> None:
    addresses = [droplet.address for droplet in fleet.droplets]
    assert len(set(addresses)) == 4
    assert fleet.droplet is fleet.droplets[0]
    assert fleet.settings["environments"]["staging"]["hosts"] == addresses
    known = fleet.known_hosts.read_text().splitlines()
    assert [line.split()[0] for line in known] == addresses
    assert fleet.url == fleet.urls[0] == f"http://{addresses[0]}:3001/"


def test_a_droplet_without_power_does_not_answer_until_it_is_on_again(fleet: Operator) -> None:
    first, second, *_ = fleet.droplets
    before = first.known_hosts_line
    first.power_off()
    try:
        assert is_silent(first)
        assert greeting(second) == b"SSH-"
    finally:
        first.start()
    assert greeting(first) == b"SSH-"
    assert first.known_hosts_line == before


@pytest.mark.parametrize("port", [22, None])
def test_lost_packets_leave_a_connection_hanging(fleet: Operator, port: int | None) -> None:
    droplet = fleet.droplets[2]
    with socket.create_connection((droplet.address, 22), timeout=PATIENCE_S) as connection:
        assert connection.recv(100).startswith(b"SSH-")
        droplet.drop_packets(port)
        try:
            assert is_silent(droplet)
            connection.sendall(b"SSH-2.0-test\r\n")
            connection.settimeout(NOBODY_S)
            with pytest.raises(TimeoutError):
                connection.recv(4)
        finally:
            droplet.pass_packets()
        connection.settimeout(PATIENCE_S)
        assert connection.recv(4)
    assert greeting(droplet) == b"SSH-"


def test_packets_lost_twice_are_passed_again_at_once(fleet: Operator) -> None:
    droplet = fleet.droplets[3]
    droplet.drop_packets()
    droplet.drop_packets(22)
    droplet.pass_packets()
    droplet.pass_packets()
    assert greeting(droplet) == b"SSH-"
