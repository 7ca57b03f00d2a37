"""A configuration of sshd that locks everybody out does not stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ansible.conftest import Place
from tests.ansible.roles import options
from tests.lab import network
from tests.lab.patience import eventually
from tests.lab.visitor import Visitor

# The first test waits for three runs of the playbook, on a machine that may be busy.
pytestmark = [pytest.mark.lab, pytest.mark.timeout(1200)]

OURS = "/etc/ssh/sshd_config.d/10-restoops.conf"


@pytest.fixture(autouse=True)
def is_not_banned(place: Place) -> None:
    """Each of these tests fails to log in from this machine."""
    place.droplet.exec(["fail2ban-client", "set", "sshd", "addignoreip", network.GATEWAY])


def try_bad_users(place: Place, way_back_s: int) -> str:
    """Let nobody in but a user that is not there; return what the run said."""
    settings = {"ssh_hardening_allow_users": ["nobody"], "ssh_hardening_way_back_s": way_back_s}
    run = place.site.run_roles("ssh_hardening", **settings)
    assert run.status != 0
    return str(run.tasks["Say that the old configuration comes back"]["msg"])


def test_allowing_the_wrong_users_fails_and_is_taken_back(
    place: Place, visitor: Visitor, lab_key: Path
) -> None:
    before = place.droplet.exec(["cat", OURS])

    told = try_bad_users(place, way_back_s=10)

    assert "deploy cannot log in" in told
    assert "Permission denied" in told, told
    assert "puts the old one back by itself" in told
    deploy = f"deploy@{place.droplet.address}"
    assert eventually(lambda: place.droplet.exec(["cat", OURS]) == before)
    assert eventually(lambda: visitor.ssh(deploy, lab_key).endswith("deploy"))


@pytest.mark.full
def test_a_boot_before_the_proof_takes_it_back_too(
    place: Place, visitor: Visitor, lab_key: Path
) -> None:
    before = place.droplet.exec(["cat", OURS])
    try_bad_users(place, way_back_s=60)
    assert "Permission denied" in visitor.ssh(f"deploy@{place.droplet.address}", lab_key)

    place.droplet.reboot()

    assert place.droplet.exec(["cat", OURS]) == before
    assert visitor.ssh(f"deploy@{place.droplet.address}", lab_key).endswith("deploy")


@pytest.mark.full
def test_as_it_comes_the_host_goes_back_within_a_minute(
    place: Place, visitor: Visitor, lab_key: Path
) -> None:
    deploy = f"deploy@{place.droplet.address}"
    try_bad_users(place, way_back_s=options("ssh_hardening")["ssh_hardening_way_back_s"]["default"])

    # Looked at from inside: who tries every second is limited by the firewall.
    assert eventually(lambda: "AllowUsers deploy" in place.droplet.exec(["cat", OURS]), 60)
    assert eventually(lambda: visitor.ssh(deploy, lab_key).endswith("deploy"))


@pytest.mark.full
def test_a_run_that_follows_at_once_begins_with_the_old_configuration(
    place: Place,
) -> None:
    before = place.droplet.exec(["cat", OURS])
    try_bad_users(place, way_back_s=60)

    again = place.site.run_roles("ssh_hardening")

    assert again.status == 0, again.told
    assert place.droplet.exec(["cat", OURS]) == before
    armed = place.droplet.exec(["sh", "-c", "systemctl is-active restoops-sshd-restore.timer || :"])
    assert armed.strip() == "inactive"
