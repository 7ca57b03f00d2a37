"""What goes wrong in a job: sick releases, and releases that turn out ill."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.actions.job import cancel
from tests.actions.runner import orders
from tests.actions.stage import Stage, deploy, staged
from tests.e2e.inside import wipe
from tests.lab.images import App
from tests.lab.operator import Operator
from tests.lab.patience import eventually
from tests.lab.registry import Registry
from tests.lab.releases import Releases

pytestmark = [pytest.mark.lab, pytest.mark.full]


class Public:
    """The public address of the application, ill from some moment on."""

    def __init__(self) -> None:
        self.is_ill = False
        public = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(503 if public.is_ill else 200)
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def stage(
    tmp_path_factory: pytest.TempPathFactory,
    registry: Registry,
    releases: Releases,
    operator: Operator,
) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("github"), operator, registry, releases) as made:
        yield made


@pytest.fixture
def public(stage: Stage) -> Iterator[Public]:
    running = Public()
    stage.desk.settings["public"] = {"url": running.url}
    yield running
    del stage.desk.settings["public"]
    running.close()


def test_a_release_that_is_not_well_never_serves(stage: Stage) -> None:
    good = deploy(stage)
    done = deploy(stage, App("abcdef1", mode="crash"))

    assert (good.result, done.result) == ("success", "failure")
    assert done.step("Roll back").outcome == "skipped"
    assert done.step("Deploy").outputs["changed"] == "false"
    assert "error" in [it.name for it in orders(done.log)]
    assert stage.desk.serving() == good.outputs["release"]
    states = [it["state"] for it in stage.github.deployments[-1]["statuses"]]
    assert states == ["in_progress", "failure"]
    told = [json.dumps(body) for body in stage.slack.bodies[-2:]]
    assert ":white_check_mark:" in told[0]
    assert ":x:" in told[1]


def test_a_release_that_turns_out_ill_is_rolled_back(stage: Stage, public: Public) -> None:
    good = deploy(stage)
    assert good.result == "success", good
    assert good.outputs["url"] == public.url

    def turns(name: str, log: str) -> bool:
        public.is_ill = public.is_ill or (name == "Deploy" and "::endgroup::" in log)
        return False

    done = deploy(stage, cancels=turns)

    assert done.result == "failure"
    assert [done.step(it).outcome for it in ("Deploy", "Check its health", "Roll back")] == [
        "success", "failure", "success",
    ]  # fmt: skip
    assert stage.desk.serving() == good.outputs["release"]
    new, back = stage.github.deployments[-2:]
    assert [it["state"] for it in new["statuses"]] == ["in_progress", "success", "failure"]
    assert [it["state"] for it in back["statuses"]] == ["in_progress", "success"]
    ill, back_again = stage.slack.bodies[-2:]
    assert ill["text"] == "The health check of staging failed"
    assert f"{public.url}: answers 503" in json.dumps(ill)
    assert ":rewind:" in json.dumps(back_again)


def test_a_first_release_that_turns_out_ill_is_no_success(stage: Stage, public: Public) -> None:
    """There is nothing to go back to."""
    wipe(stage.desk.droplet)  # type: ignore[attr-defined]  # an Operator's
    public.is_ill = True

    done = deploy(stage)

    assert done.step("Deploy").outputs["previous"] == ""
    assert [done.step(it).outcome for it in ("Deploy", "Check its health", "Roll back")] == [
        "success", "failure", "skipped",
    ]  # fmt: skip
    last = stage.github.deployments[-1]["statuses"]
    assert [it["state"] for it in last] == ["in_progress", "success", "failure"]
    assert "503" in last[-1]["description"]


def test_a_step_that_does_not_end_is_killed_with_all_it_started() -> None:
    """After 10 s, as by the runner."""
    script = "trap 'echo one' INT; trap 'echo two' TERM; sleep 99 & echo $!; while :; do wait; done"
    with subprocess.Popen(
        ["bash", "-c", script], stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stdout
        child = int(process.stdout.readline())
        began = time.monotonic()
        cancel(process)
        told = process.stdout.read().decode().split()
    assert told == ["one", "two"]
    assert time.monotonic() - began >= 10
    assert eventually(lambda: has_ended(child))


def has_ended(pid: int) -> bool:
    """Return whether a process has ended; in some containers nobody reaps orphans."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].startswith("Z")
    except (FileNotFoundError, ProcessLookupError):
        return True
