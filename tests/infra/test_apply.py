"""`restoops infra apply` and `destroy`: only what was reviewed, and what is lost only by name."""

import contextlib
import json
import re
import signal
import subprocess
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.infra.stage import PATIENCE_S, TOKEN, Stage
from tests.terraform.program import Terraform

SMALLER = 'droplets = { a = { size = "s-1vcpu-1gb" } }\n'
LARGER = """droplets = {
  a = { size = "s-1vcpu-1gb" }, b = { size = "s-2vcpu-4gb" }, c = { size = "s-1vcpu-2gb" }
}
"""


def names(project: Stage) -> list[str]:
    return sorted(it["name"] for it in project.cloud.find("digitalocean_droplet"))


def rewrite_origin(file: Path, **changes: object) -> None:
    """Change what a saved plan says of its origin, such as its age."""
    with zipfile.ZipFile(file) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    entries["restoops.json"] = json.dumps(json.loads(entries["restoops.json"]) | changes).encode()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)


def saved(project: Stage, variables: str) -> Path:
    """Commit, and save a plan with other variables."""
    project.write(variables, "terraform.tfvars")
    project.good("plan", "dev", "--out", "plans/dev.plan")
    return project.folder / "plans" / "dev.plan"


def test_a_plan_is_made_shown_and_applied(project: Stage) -> None:
    done = project.good("apply", "dev", "--yes")

    assert "a month: 0.00 -> 45.00 USD" in done.out
    assert done.out.splitlines()[-1] == "dev: applied, 4 create"
    assert names(project) == ["dev-a", "dev-b"]
    assert "no changes" in project.good("apply", "dev", "--yes").out


def test_a_dry_run_changes_nothing(project: Stage) -> None:
    done = project.good("apply", "dev", "--yes", "--dry-run")

    assert done.out.splitlines()[-1] == "dry run: nothing was changed"
    assert names(project) == []


def test_nobody_to_ask_is_a_refusal(project: Stage) -> None:
    done = project.run("apply", "dev")

    assert (done.status, names(project)) == (1, [])
    assert "Add `--yes`" in done.err


def test_somebody_at_the_terminal_is_asked(project: Stage) -> None:
    assert project.run("apply", "dev", typed="n\n").status == 1
    assert names(project) == []

    done = project.run("apply", "dev", typed="y\n")

    assert (done.status, names(project)) == (0, ["dev-a", "dev-b"])
    assert "Apply this to dev? [y/N]" in done.err


def test_what_is_lost_has_to_be_named(applied: Stage) -> None:
    applied.write(SMALLER, "terraform.tfvars")

    done = applied.run("apply", "dev", "--yes")
    assert done.status == 1
    assert "this loses for good: droplet dev-b (destroy)" in done.err
    assert "add: --confirm dev-b\n" in done.err
    assert applied.run("apply", "dev", "--yes", "--confirm", "dev-a").status == 1
    assert names(applied) == ["dev-a", "dev-b"]

    applied.good("apply", "dev", "--yes", "--confirm", "dev-b")
    assert names(applied) == ["dev-a"]


@pytest.mark.parametrize(("typed", "left"), [("dev-b\ny\n", 1), ("dev-a\ny\n", 2), ("y\n", 2)])
def test_the_name_is_typed_at_the_terminal(applied: Stage, typed: str, left: int) -> None:
    applied.write(SMALLER, "terraform.tfvars")

    done = applied.run("apply", "dev", typed=typed)

    assert len(names(applied)) == left
    assert done.status == (0 if left == 1 else 1)
    assert "Type its name, dev-b:" in done.err


def test_all_of_an_environment_is_destroyed_by_its_names(applied: Stage) -> None:
    done = applied.run("destroy", "dev", "--yes")
    assert done.status == 1
    flags = re.findall(r"--confirm (\S+)", done.err)
    assert sorted(flags) == ["dev-a", "dev-b", "dev-db"]
    assert applied.good("destroy", "dev", "--dry-run").out.splitlines()[-1].startswith("dry run")

    applied.good("destroy", "dev", "--yes", *(it for flag in flags for it in ("--confirm", flag)))

    assert names(applied) == []
    assert applied.cloud.find("digitalocean_vpc") == []


def test_a_saved_plan_is_applied_as_it_is(applied: Stage) -> None:
    file = saved(applied, LARGER)
    applied.write(SMALLER, "terraform.tfvars")  # not in the repository: the plan holds its values

    done = applied.good("apply", "dev", "--plan", str(file), "--yes")

    assert "planning again" not in done.err
    assert names(applied) == ["dev-a", "dev-b", "dev-c"]


def test_a_saved_first_plan_is_applied_as_it_is(project: Stage) -> None:
    project.good("plan", "dev", "--out", "dev.plan")

    done = project.good("apply", "dev", "--plan", "dev.plan", "--yes")

    assert "planning again" not in done.err
    assert len(names(project)) == 2


def test_another_commit_makes_it_plan_again_and_the_same_is_applied(applied: Stage) -> None:
    file = saved(applied, LARGER)
    (applied.folder / "README").write_text("a commit that has nothing to do with it")
    applied.commit()

    done = applied.good("apply", "dev", "--plan", str(file), "--yes")

    assert "it was made at commit" in done.err
    assert "the new plan does the same" in done.err
    assert names(applied) == ["dev-a", "dev-b", "dev-c"]


@pytest.mark.parametrize("change", ["code", "variables", "state", "account"])
def test_what_is_not_what_was_reviewed_is_not_applied(applied: Stage, change: str) -> None:
    file = saved(applied, LARGER)
    if change == "code":
        main = (applied.root / "main.tf").read_text()
        applied.write(main.replace("ubuntu-24-04-x64", "debian-12-x64"))
    elif change == "variables":
        rewrite_origin(file, at=(datetime.now(UTC) - timedelta(hours=25)).isoformat())
        applied.write(LARGER.replace("s-1vcpu-2gb", "s-4vcpu-8gb"), "terraform.tfvars")
    elif change == "state":
        terraform = Terraform(applied.root, applied.env)
        droplets = '{a={size="s-1vcpu-1gb"}, c={size="s-1vcpu-2gb"}}'
        terraform.run("apply", "-auto-approve", f"-var=droplets={droplets}")
    else:
        rewrite_origin(file, at=(datetime.now(UTC) - timedelta(hours=25)).isoformat())
        with applied.cloud.open() as account:
            account["objects"]["digitalocean_droplet"].clear()
    before = names(applied)

    done = applied.run("apply", "dev", "--plan", str(file), "--yes", "--confirm", "dev-a")

    assert done.status == 1, done.all
    assert "is not what would be done now; nothing was done. It differs in: " in done.err
    assert names(applied) == before


def test_a_plan_of_yesterday_is_made_again(applied: Stage) -> None:
    file = saved(applied, LARGER)
    rewrite_origin(file, at=(datetime.now(UTC) - timedelta(hours=25)).isoformat())

    done = applied.good("apply", "dev", "--plan", str(file), "--yes")

    assert "it is 25 h old, more than 24 h" in done.err
    assert "the new plan does the same" in done.err


def test_a_plan_of_another_environment_is_not_taken(applied: Stage) -> None:
    file = saved(applied, LARGER)
    rewrite_origin(file, environment="production")

    done = applied.run("apply", "dev", "--plan", str(file), "--yes")

    assert done.status == 2
    assert "is a plan for production, not for dev" in done.err


def test_a_saved_plan_that_loses_something_asks_for_its_name_as_well(applied: Stage) -> None:
    file = saved(applied, SMALLER)

    assert applied.run("apply", "dev", "--plan", str(file), "--yes").status == 1
    applied.good("apply", "dev", "--plan", str(file), "--yes", "--confirm", "dev-b")
    assert names(applied) == ["dev-a"]


def test_an_apply_that_fails_says_what_is_done_and_goes_on_later(project: Stage) -> None:
    with project.cloud.open() as account:
        account["fail"]["digitalocean_droplet.create"] = "422 droplet limit exceeded"

    done = project.run("apply", "dev", "--yes")

    assert done.status == 1
    assert "2 of 4 changes are done" in done.err
    assert 'not done: digitalocean_droplet.web["a"], digitalocean_droplet.web["b"]' in done.err
    assert "`restoops infra apply dev` goes on with it" in done.err

    with project.cloud.open() as account:
        account["fail"].clear()
    assert "dev: applied, 2 create" in project.good("apply", "dev", "--yes").out


def let_go_once_stopping(project: Stage, process: subprocess.Popen[str]) -> None:
    """Let the account answer once the signal has arrived."""
    assert process.stderr
    for line in process.stderr:
        if line.startswith("stopping: "):
            break
    project.cloud.go_on.set()


def test_an_apply_that_is_interrupted_ends_orderly_and_says_what_is_true(project: Stage) -> None:
    project.cloud.slow = "digitalocean_vpc"  # which all the others are in
    process = project.start("apply", "dev", "--yes")
    assert project.cloud.begun.wait(PATIENCE_S)

    def finish() -> None:
        process.send_signal(signal.SIGTERM)  # a second one must not cut terraform off
        let_go_once_stopping(project, process)

    done = project.interrupt(process, finish)

    assert done.status == 130
    assert "interrupted; terraform has ended orderly: " in done.err
    assert "1 of 4 changes are done" in done.err
    (vpc,) = project.cloud.find("digitalocean_vpc")
    assert vpc["id"] in (project.root / "terraform.tfstate").read_text()
    assert not (project.root / ".terraform.tfstate.lock.info").exists()

    project.good("apply", "dev", "--yes")
    assert project.cloud.find("digitalocean_vpc") == [vpc]


def test_no_secret_is_an_argument_of_a_program(project: Stage) -> None:
    secret = "hunter2-hunter2"
    project.write(f'api_secret = "{secret}"\n', "terraform.tfvars")
    project.cloud.slow = "digitalocean_vpc"
    process = project.start("apply", "dev", "--yes")
    assert project.cloud.begun.wait(PATIENCE_S)

    seen = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            seen.append(file.read_bytes().decode(errors="replace"))
    project.cloud.go_on.set()
    process.communicate(timeout=PATIENCE_S)

    assert any("terraform\0apply" in it for it in seen)
    assert not any(TOKEN in it or secret in it for it in seen)


def test_an_interrupt_is_told_as_json(project: Stage) -> None:
    project.cloud.slow = "digitalocean_vpc"
    process = project.start("apply", "dev", "--yes", "--json")
    assert project.cloud.begun.wait(PATIENCE_S)

    done = project.interrupt(process, lambda: let_go_once_stopping(project, process))

    assert done.last_json["event"] == "error"
    assert done.last_json["status"] == done.status == 130


def test_another_run_is_told_who_holds_the_lock_and_can_wait(project: Stage) -> None:
    project.cloud.slow = "digitalocean_vpc"
    first = project.start("apply", "dev", "--yes")
    assert project.cloud.begun.wait(PATIENCE_S)

    done = project.run("plan", "dev")
    assert done.status == 4, done.all
    assert re.search(r"the state of dev is locked by \S+@\S+ for apply since \d{4}-", done.err)
    assert "`--wait 600`" in done.err

    waiting = project.start("plan", "dev", "--wait", "60")
    project.cloud.go_on.set()
    assert first.communicate(timeout=PATIENCE_S) is not None
    out, _ = waiting.communicate(timeout=PATIENCE_S)
    assert (first.returncode, waiting.returncode) == (0, 0)
    assert out.startswith("dev: ")
