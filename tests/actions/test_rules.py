"""Workflows are thin, can do no more than they must, and hold what deploys rely on."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from restoops.config.load import load
from restoops.report.github import outputs
from restoops.report.run_summary import Run
from tests.actions.workflows import (
    ACTIONS,
    CALLERS,
    GITHUB,
    OWN,
    PROJECT,
    WORKFLOWS,
    caller,
    jobs,
    read,
    steps,
    workflow,
)

BIN = Path(sys.executable).parent
FILES = (*WORKFLOWS, *CALLERS)
PINNED = re.compile(r"^\s*(?:- )?uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
MOST_LINES = 5
REUSABLE = {"ci-cd", "deploy", "rollback", "cleanup-images", "infra"}
BAD = """\
name: Bad
on: push
permissions: {}
jobs:
  bad:
    runs-on: ubuntu-24.04
    concurrency: {group: a, queue: maximum}
    steps:
      - uses: actions/checkout@v4
      - run: echo ${{ github.event.head_commit.message }}
"""


def lint(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_actionlint_finds_nothing() -> None:
    ended = lint("actionlint", *map(str, FILES))
    assert (ended.returncode, ended.stdout) == (0, ""), ended


def test_zizmor_finds_nothing() -> None:
    ended = lint("zizmor", "--offline", "--no-progress", str(GITHUB), *map(str, CALLERS))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    for path in (*WORKFLOWS, *ACTIONS):
        assert str(path.relative_to(PROJECT)) in ended.stderr.replace(f"{PROJECT}/", "")


def test_what_is_wrong_is_found(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yml"
    bad.write_text(BAD)

    assert "queue" in lint("actionlint", str(bad)).stdout
    found = lint("zizmor", "--offline", "--no-progress", str(bad)).stdout
    assert "template-injection" in found
    assert "unpinned-uses" in found


@pytest.mark.parametrize(
    "path", [*WORKFLOWS, *ACTIONS], ids=lambda path: path.parent.name + path.name
)
def test_actions_are_named_by_commit_with_the_version_behind_it(path: Path) -> None:
    for line in path.read_text().splitlines():
        if re.match(r"\s*(- )?uses:", line) and f"uses: {OWN}" not in line:
            assert PINNED.match(line), line


def test_one_action_is_the_same_commit_everywhere() -> None:
    found: dict[str, set[str]] = {}
    for path in (*WORKFLOWS, *ACTIONS):
        for name, version in re.findall(r"uses: ([\w./-]+)@(.*)", path.read_text()):
            found.setdefault("/".join(name.split("/")[:2]), set()).add(version)
    assert {name: versions for name, versions in found.items() if len(versions) > 1} == {}
    assert len(found) > 10


def test_no_expression_is_inside_a_run_and_each_is_short() -> None:
    runs = [step for step in steps() if "run" in step.of]
    assert len(runs) > 15
    for step in runs:
        assert "${{" not in step.of["run"], step.place
        assert len(step.of["run"].strip().splitlines()) <= MOST_LINES, step.place


def test_what_changes_something_gets_the_signal_of_who_cancels() -> None:
    """So does what holds the lock of Terraform's state, such as a plan."""
    held = r"restoops (deploy|rollback|infra (plan|apply|drift)|images prune)"
    found = [it.of["run"] for it in steps() if re.search(held, it.of.get("run", ""))]
    assert len(found) == 7
    assert all(run.strip().startswith("exec restoops ") for run in found)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_a_workflow_may_do_nothing_but_what_its_jobs_ask_for(path: Path) -> None:
    assert read(path)["permissions"] == {}
    assert "pull_request_target" not in read(path)["on"]
    assert "workflow_run" not in read(path)["on"]


def test_a_job_says_what_it_may_and_how_long() -> None:
    for place, job in jobs():
        assert isinstance(job["permissions"], dict), place
        assert "uses" in job or "timeout-minutes" in job, place


def test_no_checkout_leaves_a_token_behind() -> None:
    for step in steps():
        if step.of.get("uses", "").startswith("actions/checkout@"):
            assert step.of["with"]["persist-credentials"] is False, step.place


def test_only_what_publishes_or_deploys_may_write() -> None:
    writes = {
        f"{path.stem}: {name}": {it for it, may in job["permissions"].items() if may == "write"}
        for path in WORKFLOWS
        for name, job in read(path)["jobs"].items()
    }
    assert {place: found for place, found in writes.items() if found} == {
        "ci-cd: quality": {"security-events"},
        "ci-cd: docker-build": {"packages", "security-events"},
        "ci-cd: deploy-staging": {"deployments"},
        "deploy: deploy": {"deployments"},
        "rollback: rollback": {"deployments"},
        "cleanup-images: cleanup": {"packages"},
        "release: attest": {"id-token", "attestations"},
        "release: pypi": {"id-token"},
        "release: image": {"packages", "id-token", "attestations"},
        "release: release": {"contents"},
    }


def test_what_hands_findings_to_code_scanning_may_read_its_own_run() -> None:
    """In a private repository the upload fails without."""
    handing = [
        (place, job)
        for place, job in jobs()
        if any("/upload-sarif@" in step.get("uses", "") for step in job.get("steps", ()))
    ]
    assert len(handing) == 2
    for place, job in handing:
        assert job["permissions"] == job["permissions"] | {
            "actions": "read", "security-events": "write",
        }, place  # fmt: skip


def test_only_a_pull_request_is_tested_in_part() -> None:
    """The image of a push has what earlier pushes brought, whose runs were cancelled or failed."""
    found = [it for it in steps() if "turbo run" in it.of.get("run", "")]
    assert len(found) == 3
    assert not any("--affected" in it.of["run"] for it in found)
    in_part = [it.of["env"]["AFFECTED"] for it in found if "AFFECTED" in it.of["run"]]
    assert in_part == ["${{ github.event_name == 'pull_request' && '--affected' || '' }}"] * 2


def test_what_compares_with_earlier_commits_has_all_of_them() -> None:
    """With some of them Turborepo takes every package for changed; a scan sees a part."""
    needs = r"turbo run .*AFFECTED|secrets scan --history"
    for _, job in jobs():
        of = job.get("steps", ())
        if any(re.search(needs, it.get("run", "")) for it in of):
            (checkout,) = (it for it in of if "actions/checkout@" in it.get("uses", ""))
            assert checkout["with"]["fetch-depth"] == 0


def test_a_scanner_without_its_database_is_not_taken_for_one_that_found_something() -> None:
    """Both end with 1: what fetches the database ends so for nothing else, what judges has it."""
    trivy = [it.of for it in steps() if "trivy-action@" in it.of.get("uses", "")]
    fetching, judging = trivy[::2], trivy[1::2]
    assert len(fetching) == len(judging) == 2
    for step in fetching:
        assert step["with"]["exit-code"] == "0"
        assert "env" not in step
    for step in judging:
        assert step["with"]["exit-code"] == "1"
        assert step["env"]["TRIVY_SKIP_DB_UPDATE"] == "true"
        assert step["env"]["TRIVY_SKIP_JAVA_DB_UPDATE"] == "true"


def test_nothing_is_rolled_back_for_what_no_release_is_at_fault_for(
    tmp_path: Path,
) -> None:
    """Else the last two weeks of a certificate would take back every deploy."""
    (check,) = [
        it.of
        for it in steps()
        if it.place.startswith("deploy.yml") and it.of.get("name") == "Check its health"
    ]
    address = "{url: https://example.com, tls_days: 30, http_port: 80}"
    (tmp_path / "restoops.yaml").write_text(f"public: {address}\n")
    settings = load(
        "local", start=tmp_path, environ=check["env"], terraform_outputs=None
    ).settings.public

    assert (settings.tls_days, settings.http_port) == (0, None)
    assert settings.url == "https://example.com"


def test_what_lies_in_hidden_folders_is_kept_where_it_is_asked_for() -> None:
    """Such as the build of Next.js: uploads leave it out by default, and say nothing."""
    for step in steps():
        given = step.of.get("with", {})
        wanted = [it for it in str(given.get("path", "")).split() if not it.startswith("!")]
        if "/upload-artifact@" in step.of.get("uses", "") and any("/." in it for it in wanted):
            assert given["include-hidden-files"] is True, step.place
            return
    pytest.fail("no such step")


@pytest.mark.parametrize("name", ["release", "restoops-ci"])
def test_the_tests_run_against_the_wheel(name: str) -> None:
    assert workflow(name)["jobs"]["test"]["env"]["RESTOOPS_INSTALL"] == "wheel"


def test_the_page_tells_every_task_and_script_that_a_workspace_has_to_have() -> None:
    page = (PROJECT / "docs" / "github-actions.md").read_text()
    found = re.findall(
        r"(?:turbo run|--if-present(?: run)?) ((?:[a-z][\w:]* ?)+)",
        (GITHUB / "workflows" / "ci-cd.yml").read_text(),
    )
    names = [name for it in found for name in it.split()]
    assert len(names) == 8
    assert all(f"`{name}`" in page for name in names), names


def groups(name: str) -> dict[str, dict[str, Any]]:
    """Return the concurrency of a workflow and of its jobs."""
    found = workflow(name)
    whole = {"": found["concurrency"]} if "concurrency" in found else {}
    return whole | {
        job: of["concurrency"] for job, of in found["jobs"].items() if "concurrency" in of
    }


@pytest.mark.parametrize("name", ["deploy", "rollback", "infra", "release"])
def test_what_changes_hosts_or_publishes_is_neither_cancelled_nor_replaced(name: str) -> None:
    (group,) = groups(name).values()
    assert group["cancel-in-progress"] is False
    assert group["queue"] == "max"
    assert name == "release" or "${{ inputs.environment }}" in group["group"]


def test_superseded_checks_are_cancelled_but_not_with_them_a_deploy() -> None:
    found = groups("ci-cd")
    assert set(found) == {"quality", "test", "build", "docker-build"}
    assert all(group["cancel-in-progress"] is True for group in found.values())
    assert len({group["group"] for group in found.values()}) == len(found)
    deploy = next(iter(groups("deploy").values()))["group"]
    assert deploy not in {group["group"] for group in found.values()}


def test_a_rollback_does_not_wait_in_the_queue_of_deploys() -> None:
    (deploy,), (rollback,) = groups("deploy").values(), groups("rollback").values()
    assert deploy["group"].partition("${{")[0] != rollback["group"].partition("${{")[0]


def test_only_a_push_to_develop_deploys() -> None:
    found = workflow("ci-cd")["jobs"]
    deploying = {name: job for name, job in found.items() if "deploy.yml" in job.get("uses", "")}
    assert list(deploying) == ["deploy-staging"]
    job = deploying["deploy-staging"]
    assert job["if"] == "github.event_name == 'push' && github.ref == 'refs/heads/develop'"
    assert job["with"]["environment"] == "staging"


def test_the_clean_up_is_on_sundays_and_its_log_is_kept() -> None:
    found = workflow("cleanup-images")
    assert found["on"]["schedule"] == [{"cron": "0 2 * * 0"}]
    assert caller("cleanup-images")["on"]["schedule"] == [{"cron": "0 2 * * 0"}]
    assert {"keep", "dry-run"} <= set(found["on"]["workflow_dispatch"]["inputs"])
    kept = found["jobs"]["cleanup"]["steps"][-1]
    assert kept["if"] == "always()"
    assert kept["with"]["retention-days"] == 30


def test_every_workflow_for_others_can_be_called_and_has_a_caller() -> None:
    callable_ = {path.stem for path in WORKFLOWS if "workflow_call" in read(path)["on"]}
    assert callable_ == REUSABLE
    assert {path.stem for path in CALLERS} == REUSABLE


@pytest.mark.parametrize("name", sorted(REUSABLE))
def test_a_caller_gives_what_is_asked_for_and_nothing_else(name: str) -> None:
    called = workflow(name)["on"]["workflow_call"]
    (job,) = caller(name)["jobs"].values()
    inputs = called["inputs"]
    assert set(job["with"]) <= set(inputs)
    assert {it for it, of in inputs.items() if of.get("required")} <= set(job["with"])
    assert set(job["secrets"]) == set(called["secrets"])
    asked = [of["permissions"] for of in workflow(name)["jobs"].values()]
    for permissions in asked:
        for permission, may in permissions.items():
            assert job["permissions"].get(permission) in (may, "write"), permission


def test_infrastructure_can_have_the_webhook_of_its_alerts() -> None:
    """Where Terraform asks for its variables; what only fetches providers needs none."""
    (job,) = workflow("infra")["jobs"].values()
    given = {it["name"]: it["env"] for it in job["steps"] if "restoops infra" in it.get("run", "")}
    name = "TF_VAR_slack_webhook_url"
    with_it = {
        step for step, env in given.items() if env.get(name) == f"${{{{ secrets.{name.upper()} }}}}"
    }
    assert set(given) - with_it == {"Get what the code needs"}


def test_the_page_tells_every_output_every_secret_and_every_permission() -> None:
    page = (PROJECT / "docs" / "github-actions.md").read_text()
    told = re.findall(r"^\| `(\w+)` \|", page.partition("| output |")[2].partition("\n\n")[0], re.M)
    assert told == list(outputs(Run(), ""))
    for name in REUSABLE:
        called = workflow(name)["on"]["workflow_call"]
        assert all(f"`{secret}`" in page for secret in called["secrets"])
    for name, job in ((it.stem, next(iter(read(it)["jobs"].values()))) for it in CALLERS):
        (row,) = re.findall(rf"^\| (?=.*`{name}\.yml`)`.*\| (`\w+: .*) \|$", page, re.M)
        assert set(re.findall(r"`([\w-]+: \w+)`", row)) == {
            f"{permission}: {may}" for permission, may in job["permissions"].items()
        }
