"""What goes wrong in a job: sick releases, releases that turn out ill, and who cancels it."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.actions.job import JobResult, cancel, kill
from tests.actions.runner import orders
from tests.actions.stage import Stage
from tests.e2e.inside import assert_at_rest
from tests.lab.github import Github
from tests.lab.images import App
from tests.lab.inbox import inbox
from tests.lab.operator import Operator
from tests.lab.patience import eventually
from tests.lab.registry import Registry
from tests.lab.releases import Releases

pytestmark = [pytest.mark.lab, pytest.mark.full]

DEVELOP = "refs/heads/develop"


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
    with Github("staging") as github, inbox() as slack:
        github.token = registry.password
        operator.settings["registry"]["api"] = github.api
        folder = tmp_path_factory.mktemp("github")
        operator.settings["notify"] = {"slack": "SLACK_WEBHOOK_URL"}
        yield Stage(folder, operator, registry, releases, github, slack)


@pytest.fixture
def public(stage: Stage) -> Iterator[Public]:
    running = Public()
    stage.desk.settings["public"] = {"url": running.url}
    yield running
    del stage.desk.settings["public"]
    running.close()


def deploy(
    stage: Stage,
    release: App | None = None,
    cancels: Callable[[str, str], bool] = lambda _name, _log: False,
    ends: Callable[[subprocess.Popen[bytes]], None] = cancel,
) -> JobResult:
    push = stage.push(DEVELOP, release=release)
    stage.releases.push(push.app)
    wish = {"environment": "staging", "tag": push.tag}
    return push.runner(cancels=cancels, ends=ends).run("deploy", wish)["deploy"]


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
    assert [it["state"] for it in new["statuses"]] == ["in_progress", "success", "inactive"]
    assert [it["state"] for it in back["statuses"]] == ["in_progress", "success"]
    ill, back_again = stage.slack.bodies[-2:]
    assert ill["text"] == "The health check of staging failed"
    assert f"{public.url}: answers 503" in json.dumps(ill)
    assert ":rewind:" in json.dumps(back_again)


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param("::group::", id="as it begins"),
        pytest.param("start sha-", id="while the new release is awaited"),
        pytest.param("switch traffic to", id="after the switch"),
    ],
)
def test_a_job_that_is_cancelled_leaves_a_release_that_serves(stage: Stage, moment: str) -> None:
    deploy(stage)
    before = stage.desk.serving()
    done = deploy(stage, cancels=lambda name, log: name == "Deploy" and moment in log)

    assert done.result == "cancelled"
    assert done.step("Roll back").outcome == "skipped"
    found = assert_at_rest(stage.desk.droplet)  # type: ignore[attr-defined]  # an Operator's
    release = done.step("Deploy").outputs.get("release", "")
    assert found.live_tag in (before, release)
    assert found.slots[found.live].state == "running"
    last = stage.github.deployments[-1]["statuses"][-1]["state"]
    assert last in ("inactive", "success", "failure")
    assert deploy(stage).result == "success"


@pytest.mark.parametrize("moment", ["start sha-", "switch traffic to"])
def test_a_job_that_is_killed_is_put_right_by_the_next(stage: Stage, moment: str) -> None:
    deploy(stage)
    before = stage.desk.serving()
    # It is not healthy, and traffic is not switched, before the kill.
    slow = App("abcdef2", mode="slow-start") if moment == "start sha-" else None
    done = deploy(
        stage, slow, cancels=lambda name, log: name == "Deploy" and moment in log, ends=kill
    )

    assert done.result == "cancelled"
    assert done.step("Deploy").outputs == {}
    assert (stage.desk.serving() == before) == (moment == "start sha-")
    after = deploy(stage)
    assert after.result == "success"
    assert stage.desk.serving() == after.outputs["release"]
    assert_at_rest(stage.desk.droplet)  # type: ignore[attr-defined]  # an Operator's


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
