"""The workflows' own steps, run as the runner runs them, against hosts and a registry."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import pyrage
import pytest

from tests.actions.job import ActionFailed, JobResult, StepResult
from tests.actions.runner import orders
from tests.actions.stage import DEVELOP, Push, Stage, staged
from tests.lab.images import App
from tests.lab.registry import Registry
from tests.lab.releases import Releases
from tests.lab.standin.fleet import Fleet

pytestmark = pytest.mark.lab

PROXY = "restoops/haproxy:a"
CANARY = "owned"
HOSTILE = (
    f"$(touch {CANARY})", f"`touch {CANARY}`;|&", f'"; touch {CANARY}; "', f"'; touch {CANARY}; '",
    "a\n::set-output name=changed::true", "##[set-env name=PATH]/tmp", "-h", "--preempt",
    f"x\ntouch {CANARY}\n", "${{ github.token }}", "a<<EOF\nb\nEOF",
)  # fmt: skip


@pytest.fixture(scope="module")
def stage(
    tmp_path_factory: pytest.TempPathFactory, registry: Registry, releases: Releases
) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("github")
    with Fleet(1) as fleet:
        desk = fleet.desk(tmp_path_factory.mktemp("desk"), registry, PROXY)
        with staged(folder, desk, registry, releases) as made:
            served(made)
            yield made


def told(step: StepResult) -> list[str]:
    """Return what the runner was told to do, beside hiding the secrets that it handed in."""
    return [it.name for it in orders(step.log) if it.name != "add-mask"]


def ran(jobs: dict[str, JobResult]) -> dict[str, str]:
    return {name: it.result for name, it in jobs.items()}


def served(stage: Stage) -> str:
    """Make another release live, from the desk of an operator; return its tag."""
    tag = stage.releases.push(stage.push(DEVELOP).app).tag
    stage.desk.deploy(tag)
    return tag


def deploy(push: Push, **inputs: object) -> JobResult:
    """Run the workflow for deploys alone, of an image that is there."""
    push.stage.releases.push(push.app)
    wish = {"environment": "staging", "tag": push.tag} | inputs
    return push.runner().run("deploy", wish)["deploy"]


def test_a_push_to_develop_is_checked_built_and_deployed(stage: Stage) -> None:
    before = stage.desk.serving()
    push = stage.push(DEVELOP, message="\n".join(HOSTILE))

    jobs = push.runner().run("ci-cd", {"image": "ghcr.io/menu/menu-api"})

    assert set(ran(jobs).values()) == {"success"}, jobs
    assert list(jobs) == [
        "quality", "test", "build", "docker-build", "deploy-staging/deploy", "deploy-staging",
    ]  # fmt: skip
    assert stage.desk.serving() == push.tag
    done = jobs["deploy-staging/deploy"]
    assert done.outputs["release"] == push.tag
    assert done.outputs["previous"] == before
    assert done.outputs["digest"] == jobs["docker-build"].outputs["digest"]
    assert float(done.outputs["duration"]) > 0
    step = done.step("Deploy")
    assert told(step) == ["group", "endgroup", "notice"]
    assert f"✅ deploy of `{push.tag}` on staging" in step.summary
    made = stage.github.deployments[-1]
    assert (made["ref"], made["environment"]) == (push.sha, "staging")
    assert [it["state"] for it in made["statuses"]] == ["in_progress", "success"]
    assert ":white_check_mark:" in json.dumps(stage.slack.bodies[-1])
    assert push.tag in stage.slack.bodies[-1]["text"]
    asked = (push.folder / "pnpm.log").read_text()
    assert "exec turbo run lint typecheck\n" in asked
    assert "exec turbo run test\n" in asked
    assert not list(push.folder.rglob(CANARY))


@pytest.mark.parametrize("name", [
    HOSTILE[0], *(pytest.param(name, marks=pytest.mark.full) for name in HOSTILE[1:]),
])  # fmt: skip
def test_no_name_is_executed_or_forges_anything(stage: Stage, name: str) -> None:
    serving = stage.desk.serving()
    push = stage.push(f"refs/heads/{name}", message=name)
    for tag, environment in ((name, "staging"), (push.tag, name)):
        done = push.runner().run("deploy", {"environment": environment, "tag": tag})["deploy"]
        assert done.result == "failure"
        step = done.step("Deploy")
        assert step.outputs.get("changed") != "true"
        assert set(told(step)) == {"error"}
        assert done.step("Roll back").outcome == "skipped"
    assert not list(push.folder.rglob(CANARY))
    assert stage.desk.serving() == serving


def test_a_rollback_goes_back_and_says_so(stage: Stage) -> None:
    first = served(stage)
    served(stage)

    done = stage.push(DEVELOP).runner().run("rollback", {"environment": "staging"})["rollback"]

    assert done.result == "success", done
    assert stage.desk.serving() == first
    assert done.step("Roll back").outputs["release"] == first
    assert stage.github.deployments[-1]["statuses"][-1]["state"] == "success"


@pytest.mark.full
def test_a_rollback_to_a_release_that_is_named(stage: Stage) -> None:
    first = deploy(stage.push(DEVELOP))
    deploy(stage.push(DEVELOP))
    wish = {"environment": "staging", "release": first.outputs["digest"], "preempt": True}

    done = stage.push(DEVELOP).runner().run("rollback", wish)["rollback"]

    assert done.result == "success", done
    assert stage.desk.serving() == first.outputs["release"]


def test_the_clean_up_says_what_it_would_do_and_then_does_it(stage: Stage) -> None:
    serving = served(stage)
    tags = [stage.releases.push(App(f"bbbbbb{n}", start_delay_s=0)).tag for n in range(3)]
    push = stage.push("refs/heads/main")
    wish = {"keep": "1", "registry-only": True}

    dry = push.runner().run("cleanup-images", {**wish, "dry-run": True})["cleanup"]
    left = set(tags) & listed(stage)
    assert dry.result == "success", dry
    assert left == set(tags)
    done = push.runner().run("cleanup-images", wish)["cleanup"]

    assert done.result == "success", done
    assert len(set(tags) & listed(stage)) < len(tags)
    assert serving in listed(stage)
    log = (push.folder / "workspace" / "deleted-images.jsonl").read_text().splitlines()
    assert {tag for line in log for tag in json.loads(line)["tags"]} & set(tags)
    action, given = stage.asked[-1]
    assert (action, given["retention-days"]) == ("actions/upload-artifact", "30")
    assert given["path"] == str(push.folder / "workspace" / "deleted-images.jsonl")


def listed(stage: Stage) -> set[str]:
    """Return the tags that the registry has."""
    rows = stage.desk.run("images", "list", "staging", "--json").events
    return {tag for row in rows if row.get("in_registry") for tag in row["tags"]}


def test_a_job_reads_secrets_of_a_release_with_the_key_to_them(stage: Stage) -> None:
    key = pyrage.x25519.Identity.generate()
    stage.desk.settings["secrets"] = {"template": "t", "source": "age", "age_file": "e.age"}
    push = stage.push(DEVELOP)
    del stage.desk.settings["secrets"]
    (push.folder / "workspace/t").write_text("# min: 99\nSESSION_KEY=<key>\n")
    (push.folder / "workspace/e.age").write_bytes(
        pyrage.encrypt(f"SESSION_KEY={CANARY}-{CANARY}\n".encode(), [key.to_public()])
    )
    wish = {"environment": "staging", "tag": push.tag}

    told = push.runner().run("deploy", wish, {**stage.secrets(), "AGE_KEY": f"{key}"})["deploy"]

    log = told.step("Deploy").log
    assert "SESSION_KEY: wrong shape, should have 99 characters or more" in log
    assert str(key) not in log
    assert f"{CANARY}-{CANARY}" not in log.replace(f"::add-mask::{CANARY}-{CANARY}", "")
    (kept,) = push.folder.rglob("age.key")
    assert kept.stat().st_mode & 0o777 == 0o600
    assert not kept.is_relative_to(push.folder / "workspace")


def test_a_clean_up_that_fails_is_told(stage: Stage) -> None:
    served(stage)
    push = stage.push("refs/heads/main")
    done = push.runner().run("cleanup-images", {"max-delete": "0", "keep": "1"})["cleanup"]

    assert done.result == "failure"
    assert "error" in told(done.step("Delete images that nothing needs"))
    assert stage.slack.bodies[-1]["text"] == "The clean-up of images failed"
    assert "--max-delete 0" in json.dumps(stage.slack.bodies[-1])


@pytest.mark.parametrize(
    ("name", "wish"),
    [
        ("deploy", {"environment": "staging", "tag": "sha-abc1234"}),
        ("rollback", {"environment": "staging"}),
        ("cleanup-images", {}),
    ],
)
def test_a_job_that_fails_before_restoops_is_there_is_told(
    stage: Stage, name: str, wish: dict[str, str]
) -> None:
    def fails(_: Mapping[str, str]) -> None:
        raise ActionFailed

    runner = stage.push(DEVELOP).runner()
    runner.actions = {**runner.actions, "actions/setup-python": fails}
    before = len(stage.slack.bodies)

    (done,) = runner.run(name, wish).values()

    assert done.result == "failure"
    (told,) = stage.slack.bodies[before:]
    assert "failed before it began; nothing was" in told["text"]
    assert "/menu/restomarket/actions/runs/7|The run>" in told["text"]


def test_where_no_webhook_is_given_nobody_is_told(stage: Stage) -> None:
    def fails(_: Mapping[str, str]) -> None:
        raise ActionFailed

    runner = stage.push(DEVELOP).runner()
    runner.actions = {**runner.actions, "actions/checkout": fails}

    (done,) = runner.run("rollback", {"environment": "staging"}, {}).values()

    assert done.step("Tell Slack").outcome == "success"
