"""What the clients and the hosts of a fleet say while a command runs, and after it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

from docker.errors import APIError

from tests.e2e.inside import DIRECTORY, answering
from tests.e2e.running import Event, Running, is_step
from tests.lab.droplet import Droplet, DropletFailed
from tests.lab.loadrun import LoadRun
from tests.lab.operator import APP, Operator, Outcome
from tests.lab.patience import PATIENCE_S

RATE = 50
"""Requests a second to each host: four of them share the machine."""
MIGRATES = {"command": ["/testapp", "migrate", "held"]}
"""When this release command speaks all hosts are prepared, and none switches before `migrating`."""
_POST = rf"""
read -r _ live <{DIRECTORY}/proxy/live.map
case $live in blue*) new=12 ;; *) new=11 ;; esac
until exec 3<>/dev/tcp/172.30.0.$new/3001; do sleep .05; done 2>/dev/null
printf 'POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n' "$1" >&3
cat <&3 >/dev/null
"""


@contextmanager
def unnoticed(fleet: Operator, *but: Droplet) -> Iterator[None]:
    """No client of any host may lose a request meanwhile, except those of `but`."""
    urls = [
        url for url, droplet in zip(fleet.urls, fleet.droplets, strict=True) if droplet not in but
    ]
    with ExitStack() as stack:
        loads = [stack.enter_context(LoadRun(url, RATE)) for url in urls]
        for load in loads:
            load.wait_for_traffic()
        yield
        results = [load.stop() for load in loads]
    assert [result.failed for result in results] == [0] * len(urls), results


def serving(fleet: Operator, *but: Droplet) -> list[str]:
    """What answers on each host."""
    pairs = zip(fleet.urls, fleet.droplets, strict=True)
    return [answering(url) for url, droplet in pairs if droplet not in but]


def results(outcome: Outcome) -> dict[str, tuple[str, str]]:
    """What `--json` said of each host: how the run ended there, and the tag that serves."""
    ended = next(event for event in outcome.events if event["event"] == "fleet_ended")
    return {host["host"]: (host["ending"], host["serves"]["tag"]) for host in ended["hosts"]}


def once(matches: Callable[[Event], bool], act: Callable[[], object]) -> Callable[..., None]:
    """Return a listener that acts at the first event that matches."""
    done = threading.Event()

    def listen(_: Running, event: Event) -> None:
        if not done.is_set() and matches(event):
            done.set()
            act()

    return listen


def migrating(fleet: Operator, act: Callable[[], object]) -> Callable[..., None]:
    """Return a listener that acts when the release command speaks, and then lets that go on."""

    def act_and_go_on() -> None:
        act()
        with suppress(APIError, DropletFailed):  # it runs on the first host, which may have gone
            fleet.droplet.exec(["docker", "kill", "--signal=USR1", f"{APP}-release-command"])

    return once(is_output, act_and_go_on)


def begins(step: str, host: Droplet) -> Callable[[Event], bool]:
    return lambda event: is_step(event, "step_started", step) and event["host"] == host.address


def is_output(event: Event) -> bool:
    return bool(event["event"] == "output")


def broken(host: Droplet) -> None:
    """Let the release that is not live yet answer badly on its health path from now on."""
    host.exec(["timeout", f"{PATIENCE_S:g}", "bash", "-c", _POST, "bash", "/break"])


def mended(host: Droplet) -> None:
    """Let the release that is not live yet be healthy from now on, however slowly it starts."""
    host.exec(["timeout", f"{PATIENCE_S:g}", "bash", "-c", _POST, "bash", "/mend"])
