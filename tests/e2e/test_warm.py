"""The release before stays warm: going back is a switch, and it stands in for one that dies."""

import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.e2e.conditions import refused, settings, unchanged_but_for_history
from tests.e2e.inside import answering, assert_at_rest, look, restart_proxy
from tests.e2e.running import Running, planned, result
from tests.lab.images import App
from tests.lab.loadrun import LoadRun
from tests.lab.operator import Operator
from tests.lab.patience import eventually
from tests.lab.registry import Registry
from tests.lab.releases import Releases

pytestmark = pytest.mark.lab

RATE = 500
SLOW_S = 60
"""A request takes that long of which a signal is not to wait for the answer."""
WARM_S = 8
"""Long enough for a look at the host, and for a rollback, before the time is over."""


@contextmanager
def outage(registry: Registry) -> Iterator[None]:
    """Have no registry."""
    registry.stop()
    try:
        yield
    finally:
        registry.start()


@pytest.fixture
def pair(operator: Operator, releases: Releases) -> Operator:
    """An operator whose host serves `two`, with `one` warm."""
    operator.settings["swap"] = {"warm_s": 600}
    for name in ("one", "two"):
        operator.deploy(releases.push(App(name)).tag)
    return operator


def test_a_rollback_to_a_warm_release_needs_no_registry_and_starts_nothing(
    pair: Operator, registry: Registry
) -> None:
    before = assert_at_rest(pair.droplet)
    since = pair.droplet.exec(["date", "+%s.%N"]).strip()

    with outage(registry), LoadRun(pair.url, RATE) as load:
        load.wait_for_release("two")
        outcome = pair.rollback("--json")
        load.wait_for_release("one")
        seen = load.stop()

    assert (seen.failed, seen.mixed, seen.sequence) == (0, 0, ["two", "one"]), str(seen)
    assert not {"pull", "start", "remove", "stop"} & set(planned(outcome))
    assert result(outcome)["release"]["tag"] == "sha-one"
    after = assert_at_rest(pair.droplet)
    assert (after.containers, after.live) == (before.containers, before.other)
    assert engine_events(pair, since) == []


def test_a_change_of_the_port_drops_nothing_on_any_way(pair: Operator, releases: Releases) -> None:
    """Each release is reached on the port that it was started with, whatever the settings say."""
    sick = releases.push(App("sick", mode="never-healthy")).tag
    with LoadRun(pair.url, RATE) as load:
        load.wait_for_release("two")
        with settings(pair, container=on_port(3999)):
            pair.deploy(releases.push(App("three")).tag)
            load.wait_for_release("three")
            load.expect_change()
            pair.rollback()
            load.wait_for_release("two")
        with settings(pair, container=on_port(4001), health={"timeout_s": 1}):
            assert pair.run("deploy", sick, "staging").status == 1
        with settings(pair, container=on_port(4002)):
            pair.rollback("sha-one")  # a cold one, started with the settings of today
            load.wait_for_release("one")
        seen = load.stop()

    assert (seen.failed, seen.mixed) == (0, 0), str(seen)
    assert seen.sequence == ["two", "three", "two", "one"]
    restart_proxy(pair.droplet)
    assert eventually(lambda: answering(pair.url) == "one")


def test_a_change_of_the_subnet_is_refused_while_containers_use_it(
    pair: Operator, releases: Releases
) -> None:
    new = releases.push(App("moved")).tag
    with (
        LoadRun(pair.url, RATE) as load,
        settings(pair, network={"subnet": "172.30.77.0/24"}),
        unchanged_but_for_history(pair.droplet),
    ):
        load.wait_for_release("two")
        outcome = pair.run("deploy", new, "staging")
        seen = load.stop()

    refused(outcome, 1, "testapp has the addresses 172.30.0.0/24 and is in use", "Set it back to")
    assert (seen.failed, seen.sequence) == (0, ["two"]), str(seen)


def on_port(port: int) -> dict[str, object]:
    """Return the section `container` for an application that listens on another port."""
    return {"port": port, "environment": {"PORT": str(port)}}


def engine_events(operator: Operator, since: str) -> list[str]:
    """Return what the engine of the droplet has done to containers and images."""
    until = operator.droplet.exec(["date", "+%s.%N"]).strip()
    argv = ["docker", "events", "--since", since, "--until", until, "--format", "{{.Action}}"]
    return operator.droplet.exec(
        [*argv, "--filter", "type=container", "--filter", "type=image"]
    ).split()


def test_the_list_of_releases_needs_no_registry(pair: Operator, registry: Registry) -> None:
    with outage(registry):
        rows = pair.must("rollback", "--list", "staging", "--json").events
        table = pair.must("rollback", "--list", "staging").stdout

    found = {row["release"]["tag"]: row for row in rows}
    assert found["sha-two"]["whereabouts"] == "live"
    assert found["sha-one"]["whereabouts"] == "warm"
    assert found["sha-one"]["who"] == "olga"
    assert found["sha-one"]["takes_s"] > 0
    for row in rows:
        assert row["release"]["tag"] in table
        assert row["release"]["digest"][7:19] in table


def test_an_unknown_release_is_refused_with_those_that_are_known(pair: Operator) -> None:
    before = look(pair.droplet)

    outcome = pair.run("rollback", "abc1234", "staging", "--yes")

    assert outcome.status == 1
    assert ": abc1234 never was live here" in outcome.stderr
    assert "Known releases: sha-two, sha-one" in outcome.stderr
    assert look(pair.droplet) == before


@pytest.mark.parametrize("then", ["deploy", pytest.param("rollback", marks=pytest.mark.full)])
def test_a_warm_release_stands_in_for_one_that_dies(
    pair: Operator, releases: Releases, then: str
) -> None:
    live = assert_at_rest(pair.droplet).live
    with LoadRun(pair.url, RATE) as load:
        load.wait_for_release("two")
        # Killed by hand, it is not started again by the engine.
        pair.droplet.exec(["docker", "kill", f"testapp-{live}"])
        load.wait_for_release("one")
        dying = load.stop()
    print(f"a release that died cost {dying.failed} of {dying.requests} requests: {dying}")
    # Only requests that ran in it can fail, and nobody may send the POSTs among them again: at 500
    # a second a few at a time, or what comes in the half second that a busy machine takes.
    assert dying.failed <= RATE / 2, str(dying)

    status = pair.run("status", "staging", "--json")
    assert status.status == 3
    assert f"{live} is live but down" in status.events[0]["faults"][0]
    assert status.events[0]["serving"]["release"]["tag"] == "sha-one"

    with LoadRun(pair.url, RATE) as load:
        load.wait_for_release("one")
        if then == "deploy":
            serves = "three"
            pair.deploy(releases.push(App(serves)).tag)
            load.wait_for_release(serves)
        else:
            serves = "one"
            pair.rollback("sha-one")
        healing = load.stop()
    assert (healing.failed, healing.mixed) == (0, 0), str(healing)
    assert answering(pair.url) == serves
    assert pair.run("status", "staging").status == 0
    assert assert_at_rest(pair.droplet).live_tag == f"sha-{serves}"


def test_the_host_itself_stops_a_warm_release_when_its_time_is_over(
    pair: Operator, releases: Releases
) -> None:
    pair.settings["swap"] = {"warm_s": WARM_S}
    with LoadRun(pair.url, RATE) as load:
        load.wait_for_traffic()
        pair.deploy(releases.push(App("brief")).tag)
        kept = time.monotonic()
        found = assert_at_rest(pair.droplet)
        assert found.slots[found.other].state == "running"
        assert eventually(lambda: is_stopped(pair, found.other))
        print(
            f"stopped {time.monotonic() - kept:.1f} s after the deploy, {WARM_S} s were asked for"
        )
        seen = load.stop()

    assert seen.failed == 0, str(seen)
    assert assert_at_rest(pair.droplet).live_tag == "sha-brief"
    assert pair.status()["warm"] is None


def test_a_warm_release_that_is_live_again_is_not_stopped(
    pair: Operator, releases: Releases
) -> None:
    pair.settings["swap"] = {"warm_s": WARM_S}
    pair.deploy(releases.push(App("brief")).tag)
    with LoadRun(pair.url, RATE) as load:
        load.wait_for_release("brief")
        pair.rollback()
        found = assert_at_rest(pair.droplet)
        # Its own time is over before that of the release that it was exchanged for.
        assert eventually(lambda: is_stopped(pair, found.other))
        seen = load.stop()

    assert (seen.failed, seen.sequence) == (0, ["brief", "two"]), str(seen)
    assert state_of(pair, found.live) == "running"


def is_stopped(operator: Operator, slot: str) -> bool:
    """Return whether the host has stopped what is in a slot, and is at rest again."""
    found = look(operator.droplet)
    return found.slots[slot].state == "exited" and not found.lock_is_held


def state_of(operator: Operator, slot: str) -> str:
    """Return the state of what is in a slot."""
    return look(operator.droplet).slots[slot].state


def test_a_signal_does_not_wait_for_a_release_that_takes_its_time_to_stop(
    pair: Operator, releases: Releases
) -> None:
    pair.settings["swap"] = {"warm_s": 0, "drain_s": 0, "stop_grace_s": SLOW_S}
    old = assert_at_rest(pair.droplet).live_tag
    tag = releases.push(App("five")).tag
    with (
        request_of(f"{pair.url}slow?s={SLOW_S}"),
        Running(pair.start("deploy", tag, "staging", "--json")) as running,
    ):
        running.await_step("stop")
        time.sleep(1)
        assert running.process.poll() is None, "it waits for its request, and Docker for it"
        running.signal(signal.SIGTERM)
        outcome = running.finish(SLOW_S / 2)

    assert outcome.status == 130, outcome
    found = assert_at_rest(pair.droplet)
    assert (found.live_tag, found.other_tag) == (tag, old)
    assert found.slots[found.other].state == "exited"


@contextmanager
def request_of(url: str) -> Iterator[None]:
    """Have a request that the release has begun to answer, and give it up in the end."""
    host, _, rest = url.removeprefix("http://").partition("/")
    address, _, port = host.partition(":")
    with socket.create_connection((address, int(port)), timeout=5) as client:
        client.sendall(f"GET /{rest} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        yield
