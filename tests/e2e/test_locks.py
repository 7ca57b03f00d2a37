"""Two runs at once: one at a time gets its way, and whoever is cut off cannot come back."""

import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from restoops.adapters.connection import LEASE_S
from tests.e2e.fleets import mended
from tests.e2e.inside import DIRECTORY, Inside, answering, look
from tests.e2e.running import Running
from tests.lab.droplet import Droplet
from tests.lab.images import App
from tests.lab.loadrun import LoadRun
from tests.lab.operator import Operator
from tests.lab.patience import eventually
from tests.lab.releases import Releases

pytestmark = pytest.mark.lab

RATE = 300
NEVER = 60
"""Seconds: longer than a release takes to be mended."""


@pytest.fixture(autouse=True)
def load(operator: Operator, releases: Releases) -> Iterator[LoadRun]:
    """Load that must not notice anything of what the runs do to each other."""
    operator.settings["health"]["timeout_s"] = NEVER
    operator.deploy(releases.push(App("first")).tag)
    with LoadRun(operator.url, RATE) as running:
        running.wait_for_traffic()
        yield running
        result = running.stop()
    assert result.failed == 0, str(result)


@contextmanager
def at_its_health_gate(operator: Operator, releases: Releases) -> Iterator[Running]:
    """Have a deploy of `held` that holds the lock until its release is mended."""
    tag = releases.push(App("held", "slow-start", start_delay_s=NEVER)).tag
    with Running(operator.start("deploy", tag, "staging", "--json")) as running:
        running.await_step("await_healthy")
        yield running


def lock_is_free(droplet: Droplet) -> bool:
    """Return whether anybody could take the lock now."""
    said = droplet.exec(["sh", "-c", f"flock -n {DIRECTORY}/lock echo free || echo held"])
    return said.strip() == "free"


def test_a_second_deploy_is_told_at_once_who_holds_the_lock(
    operator: Operator, releases: Releases
) -> None:
    other = releases.push(App("other")).tag
    with at_its_health_gate(operator, releases) as holder:
        refused = operator.run("deploy", other, "staging", env={"USER": "otto"})

        assert refused.status == 4
        who = f"olga from {socket.gethostname()}, for `restoops deploy sha-held staging --json`"
        assert f"{who}, since 20" in refused.stderr
        assert "`--wait 600` queues behind it" in refused.stderr
        assert holder.process.poll() is None, "it waited for the holder"
        mended(operator.droplet)
        assert holder.finish().status == 0
    assert answering(operator.url) == "held"


def test_a_deploy_that_waits_goes_second(operator: Operator, releases: Releases) -> None:
    other = releases.push(App("other")).tag
    with at_its_health_gate(operator, releases) as first:
        waits = operator.start("deploy", other, "staging", "--json", "--wait", "60")
        with Running(waits) as second:
            told = second.await_event(lambda event: event["event"] == "waiting", "waiting")
            assert "olga" in told["holder"]
            assert "sha-held" in told["holder"]
            assert first.process.poll() is None
            mended(operator.droplet)
            assert first.finish().status == 0
            assert second.finish().status == 0
            assert second.events[-1]["previous"]["tag"] == "sha-held"
    assert answering(operator.url) == "other"


def test_after_kill_9_the_lock_is_free_long_before_the_lease_ends(
    operator: Operator, releases: Releases
) -> None:
    with at_its_health_gate(operator, releases) as holder:
        assert not lock_is_free(operator.droplet)
        holder.signal(signal.SIGKILL)
        killed = time.monotonic()
        assert eventually(lambda: lock_is_free(operator.droplet), timeout_s=LEASE_S / 2)
        print(f"free {time.monotonic() - killed:.2f} s after kill -9")

    operator.deploy(releases.push(App("other")).tag)
    assert answering(operator.url) == "other"


def test_a_frozen_holder_can_change_nothing_after_another_has_taken_over(
    operator: Operator, releases: Releases
) -> None:
    other = releases.push(App("other")).tag
    with at_its_health_gate(operator, releases) as frozen:
        frozen.signal(signal.SIGSTOP)
        try:
            operator.deploy(other, "--wait", str(4 * LEASE_S))
            before = everything(operator.droplet)
        finally:
            frozen.signal(signal.SIGCONT)
        outcome = frozen.finish()

    assert outcome.status not in (0, -signal.SIGKILL), outcome
    assert everything(operator.droplet) == before
    assert answering(operator.url) == "other"
    assert operator.status()["faults"] == []


def everything(droplet: Droplet) -> tuple[Inside, str]:
    """Return what is on a droplet, with all files of restoops."""
    files = f"cd {DIRECTORY} && find . -type f | sort | xargs md5sum"
    return look(droplet), droplet.exec(["sh", "-c", files])
