"""Smoke checks of deploys, and `restoops health`, on a droplet and at a public address."""

from __future__ import annotations

import signal
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.e2e.conditions import dropping, settings
from tests.e2e.inside import answering, assert_at_rest
from tests.lab.images import App
from tests.lab.loadrun import LoadRun
from tests.lab.operator import Operator, finish
from tests.lab.releases import Releases

pytestmark = pytest.mark.lab

RATE = 100
SMOKE: dict[str, object] = {
    "checks": [{"name": "front", "path": "/"}, {"name": "order", "path": "/x", "method": "POST"}]
}


@pytest.fixture(scope="module", autouse=True)
def first(operator: Operator, releases: Releases) -> None:
    """`first` serves."""
    operator.deploy(releases.push(App("first")).tag)


@contextmanager
def balancer(url: str, breaks_with: str = "") -> Iterator[str]:
    """A public address before a host; it answers badly for a release of that name."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            data = b"" if self.command == "POST" else None
            asked = url + self.path.lstrip("/")
            with urllib.request.urlopen(asked, data=data, timeout=10) as answer:
                body = answer.read()
            is_bad = breaks_with and breaks_with in body.decode()
            self.send_response(500 if is_bad else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def post(operator: Operator, path: str) -> None:
    urllib.request.urlopen(operator.url + path, data=b"", timeout=10).close()


def test_a_release_that_fails_a_check_before_the_switch_gets_no_traffic(
    operator: Operator, releases: Releases
) -> None:
    before = assert_at_rest(operator.droplet)
    with LoadRun(operator.url, RATE) as load, settings(operator, smoke=SMOKE):
        load.wait_for_traffic()
        outcome = operator.run("deploy", releases.push(App("errs", "erring")).tag, "staging")
        result = load.stop()

    assert result.failed == 0, str(result)
    assert outcome.status == 1, outcome
    assert "smoke check 'front' of green failed: GET /: expected status 200, got 500" in (
        outcome.stderr
    )
    after = assert_at_rest(operator.droplet)
    assert (after.live, after.live_tag) == (before.live, before.live_tag)


def test_a_public_address_that_errs_after_the_switch_takes_traffic_back(
    operator: Operator, releases: Releases
) -> None:
    tag = releases.push(App("second")).tag
    with (
        LoadRun(operator.url, RATE) as load,
        balancer(operator.url, breaks_with="second") as url,
        settings(operator, smoke=SMOKE, public={"url": url}),
    ):
        load.wait_for_traffic()
        outcome = operator.run("deploy", tag, "staging")
        result = load.stop()

    assert result.failed == 0, str(result)
    assert outcome.status == 1, outcome
    assert "switch traffic to green" in outcome.stderr
    assert f"error: {url}: smoke check 'front' failed after the switch: GET /: expected" in (
        outcome.stderr
    )
    assert answering(operator.url) == "first"
    assert_at_rest(operator.droplet)


def test_a_release_that_passes_all_checks_is_live_and_healthy(
    operator: Operator, releases: Releases
) -> None:
    tag = releases.push(App("third")).tag
    with balancer(operator.url) as url, settings(operator, smoke=SMOKE, public={"url": url}):
        planned = operator.must("deploy", tag, "staging", "--dry-run")
        done = operator.deploy(tag)
        health = operator.must("health", "staging", "--json").events[0]

    assert f"{url}  would ask after the switch: front, order" in planned.stderr
    assert "ask green: front, order" in done.stderr or "ask blue: front, order" in done.stderr
    assert f"{url}  front  " in done.stderr
    assert (health["verdict"], health["reasons"]) == ("healthy", [])
    assert health["hosts"][0]["release"]["tag"] == tag
    assert [it["passed"] for it in health["public"]["smoke"]] == [True, True]


@pytest.mark.full
def test_an_address_that_cannot_be_reached_at_all_is_warned_of(
    operator: Operator, releases: Releases
) -> None:
    tag = releases.push(App("fourth")).tag
    with settings(operator, smoke=SMOKE, public={"url": "http://nowhere.invalid"}):
        outcome = operator.deploy(tag)
        health = operator.run("health", "staging", "--json")

    assert "WARNING: it answered as badly before the switch" in outcome.stderr
    assert health.status == 1
    assert health.events[0]["verdict"] == "down"
    assert health.events[0]["hosts"][0]["verdict"] == "healthy"


def test_what_is_not_as_expected_is_degraded(operator: Operator) -> None:
    wrong: dict[str, object] = {
        "checks": [{"name": "tea", "path": "/", "status": 418}],
        "attempts": 1,
    }
    with settings(operator, smoke=wrong):
        outcome = operator.run("health", "staging")

    assert outcome.status == 1
    assert outcome.stdout.startswith("staging is degraded\n")
    assert "smoke check 'tea': GET /: expected status 418, got 200" in outcome.stdout


def test_health_waits_until_a_release_that_is_down_is_well_again(operator: Operator) -> None:
    post(operator, "break")
    try:
        down = operator.run("health", "staging", "--json")
        waiting = operator.start("health", "staging", "--wait", "2m")
        assert waiting.stderr
        first = waiting.stderr.readline()
    finally:
        post(operator, "mend")
    outcome = finish(waiting)

    assert (down.status, down.events[0]["verdict"]) == (1, "down")
    assert first.startswith("waiting: ")
    assert "staging is down: 0 of 1 healthy" in first
    assert outcome.status == 0, outcome
    assert outcome.stdout.startswith("staging is healthy\n")


def test_what_cannot_be_reached_is_told_apart_from_what_is_down(operator: Operator) -> None:
    with dropping(operator.droplet), settings(operator, ssh={"connect_timeout_s": 3}):
        outcome = operator.run("health", "staging", "--json")

    assert outcome.status == 5, outcome
    assert outcome.events[0]["verdict"] == "unreachable"


@pytest.mark.full
def test_a_signal_ends_the_wait_for_a_host_that_hangs(operator: Operator) -> None:
    with dropping(operator.droplet), settings(operator, ssh={"connect_timeout_s": 300}):
        waiting = operator.start("health", "staging")
        # It has begun to connect once its socket is there.
        sockets = Path(f"/proc/{waiting.pid}/net/tcp")
        address = "".join(f"{int(it):02X}" for it in operator.droplet.address.split(".")[::-1])
        while f"{address}:0016 02" not in sockets.read_text():
            assert waiting.poll() is None
            time.sleep(0.02)
        waiting.send_signal(signal.SIGINT)
        outcome = finish(waiting)

    assert outcome.status == 130, outcome
    assert "interrupted" in outcome.stderr


@pytest.mark.full
def test_watch_prints_a_line_for_each_look_in_a_pipe(operator: Operator) -> None:
    watching = operator.start("health", "staging", "--watch")
    assert watching.stdout
    lines = [watching.stdout.readline() for _ in range(2)]
    watching.send_signal(signal.SIGINT)

    assert finish(watching).status == 130
    assert all("staging is healthy: 1 of 1 healthy" in line for line in lines), lines
