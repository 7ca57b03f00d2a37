"""`restoops logs` shows what the release that answers wrote, and goes on with what it writes."""

from __future__ import annotations

import signal
import subprocess

import pytest

from tests.e2e.conditions import shell
from tests.e2e.inside import look
from tests.e2e.running import Running
from tests.lab.images import App
from tests.lab.operator import Operator
from tests.lab.releases import Releases

pytestmark = pytest.mark.lab

FIRST = "lately: listening on port 3001 (healthy)"


@pytest.fixture(scope="module")
def serving(operator: Operator, releases: Releases) -> Operator:
    """An operator whose host serves `lately`, with `before` warm."""
    for name in ("before", "lately"):
        operator.deploy(releases.push(App(name)).tag)
    return operator


def live(operator: Operator) -> str:
    """Return the container that serves."""
    found = look(operator.droplet)
    return found.slots[found.live].id


def write(operator: Operator, line: str) -> None:
    """Have the release that serves write a line."""
    process = f"$(docker inspect -f '{{{{.State.Pid}}}}' {live(operator)})"
    shell(operator.droplet, f"echo '{line}' >/proc/{process}/fd/1")


def test_the_lines_are_those_of_the_release_that_serves(serving: Operator) -> None:
    assert serving.must("logs", "staging").stdout == f"{FIRST}\n"


def test_each_line_is_an_object_with_json(serving: Operator) -> None:
    host = serving.droplet.address

    told = serving.must("logs", "staging", "--json").events

    assert told == [{"v": 1, "environment": "staging", "host": host, "line": FIRST}]


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["plain", "as JSON"])
def test_new_lines_are_followed_until_ctrl_c(serving: Operator, options: list[str]) -> None:
    write(serving, "order 1")
    process = serving.start("logs", "staging", "--follow", "--lines", "1", *options)
    try:
        seen = [read(process)]
        write(serving, "order 2")
        seen.append(read(process))
        process.send_signal(signal.SIGINT)
        _, told = process.communicate()
    finally:
        process.kill()

    assert all(f"order {number}" in line for number, line in enumerate(seen, 1)), seen
    assert [line.startswith("{") for line in seen] == [bool(options)] * 2
    assert (process.returncode, told) == (130, "")


def read(process: subprocess.Popen[str]) -> str:
    """Return the next line of a command, as soon as it has printed it."""
    assert process.stdout
    return process.stdout.readline()


def test_the_end_of_the_release_ends_what_follows_it(serving: Operator) -> None:
    with Running(serving.start("logs", "staging", "--follow", "--json")) as running:
        running.await_event(lambda it: it["line"] == FIRST, "first line")
        shell(serving.droplet, f"docker stop {live(serving)}")
        outcome = running.finish()

    assert outcome.status == 0, outcome
