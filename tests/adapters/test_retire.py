"""The timer of a warm release, as the script runs it, with a real HAProxy and a real engine."""

from __future__ import annotations

import contextlib
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from docker import DockerClient
from docker.models.containers import Container

from restoops.adapters.connection import describe_holder, script
from restoops.adapters.haproxy import Route
from tests.adapters.haproxy_process import Haproxy, running, until
from tests.lab import images
from tests.lab.patience import PATIENCE_S
from tests.plan.states import BLUE, GREEN

pytestmark = pytest.mark.lab

APP = "restoops-lab-retire"
Retire = Callable[[int], subprocess.Popen[bytes]]


@pytest.fixture
def haproxy(tmp_path: Path) -> Iterator[Haproxy]:
    """A proxy that routes to blue, with green in reserve."""
    (tmp_path / "proxy").mkdir()
    with running(tmp_path / "proxy") as proxy:
        with contextlib.closing(proxy.runtime()) as runtime:
            runtime.route(Route(BLUE, covered=True))
            runtime.mark_up(BLUE)
        yield proxy


@pytest.fixture
def warm(engine: DockerClient) -> Iterator[Container]:
    """What is kept warm in green."""
    image = images.testapp(engine, images.App("one"))
    container = engine.containers.run(image, detach=True, labels={"restoops.app": APP})
    yield container
    container.remove(force=True)


@pytest.fixture
def retire(tmp_path: Path, warm: Container) -> Iterator[Retire]:
    """Starts a timer of so many seconds; one that still runs at the end is killed."""
    with contextlib.ExitStack() as started:

        def start(after_s: int) -> subprocess.Popen[bytes]:
            timer = subprocess.Popen(
                [*script("retire"), str(tmp_path), str(warm.id), "green", str(after_s), "5"]
            )
            started.enter_context(timer)
            started.callback(timer.kill)
            return timer

        yield start


def state(container: Container) -> str:
    container.reload()
    return str(container.status)


def test_only_the_last_timer_of_a_container_stops_it(
    haproxy: Haproxy, warm: Container, retire: Retire
) -> None:
    first = retire(1)
    until_written(haproxy, first)
    first.send_signal(signal.SIGSTOP)
    second = retire(1)
    until_written(haproxy, second)
    second.send_signal(signal.SIGSTOP)

    first.send_signal(signal.SIGCONT)
    assert first.wait(PATIENCE_S) == 0
    assert state(warm) == "running"
    with contextlib.closing(haproxy.runtime()) as runtime:
        assert runtime.current() == Route(BLUE, covered=True)
    second.send_signal(signal.SIGCONT)
    assert second.wait(PATIENCE_S) == 0
    assert state(warm) == "exited"


def until_written(haproxy: Haproxy, timer: subprocess.Popen[bytes]) -> None:
    """Wait until a timer has made itself the last one."""
    file = Path(haproxy.settings.directory).parent / "warm-green"
    until(lambda: file.exists() and file.read_text().startswith(f"{timer.pid}-"))


def test_a_timer_that_holds_the_lock_says_so(
    haproxy: Haproxy, warm: Container, retire: Retire
) -> None:
    lock = Path(haproxy.settings.directory).parent / "lock"
    lock.write_text('{"who": "olga", "origin": "laptop", "purpose": "old", "since": "then"}\n')

    assert retire(1).wait(PATIENCE_S) == 0

    who, process = lock.read_text().splitlines()
    assert describe_holder(who).startswith("this host from ")
    assert "for `stop green, which was kept warm for 1 s`, since 20" in describe_holder(who)
    assert process == "0 0 0"
    assert state(warm) == "exited"


def test_a_timer_leaves_alone_what_is_live_by_then(
    haproxy: Haproxy, warm: Container, retire: Retire
) -> None:
    with contextlib.closing(haproxy.runtime()) as runtime:
        runtime.route(Route(GREEN))

    assert retire(1).wait(PATIENCE_S) == 0

    assert state(warm) == "running"


@pytest.mark.usefixtures("haproxy")
def test_a_timer_waits_for_a_proxy_that_still_ends(
    engine: DockerClient, warm: Container, retire: Retire
) -> None:
    labels = {"restoops.app": APP, "restoops.role": "proxy"}
    image = images.testapp(engine, images.App("one"))
    old = engine.containers.run(image, detach=True, labels=labels, name=f"{APP}-ending")
    try:
        timer = retire(1)
        with pytest.raises(subprocess.TimeoutExpired):
            timer.wait(2.5)
        assert state(warm) == "running"
    finally:
        old.remove(force=True)

    assert timer.wait(PATIENCE_S) == 0
    assert state(warm) == "exited"
