"""`restoops infra plan`, `drift`, `cost`, `output`, `inventory`: the real terraform is asked."""

import contextlib
import json
import os
import pty
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.infra.stage import TOKEN, Stage
from tests.terraform.program import Terraform

SECRET = "hunter2-hunter2"
RESIZED = 'droplets = { a = { size = "s-2vcpu-4gb" } }\n'


def change_behind_terraform(project: Stage) -> None:
    with project.cloud.open() as account:
        for droplet in account["objects"]["digitalocean_droplet"].values():
            if droplet["name"] == "dev-b":
                droplet["size"] = "s-4vcpu-8gb"


def test_a_plan_is_streamed_and_then_told_in_short(project: Stage) -> None:
    done = project.good("plan", "dev")

    assert "Terraform will perform the following actions" in done.err
    lines = done.out.splitlines()
    assert lines[0] == "dev: 4 create"
    assert [line.split()[:2] for line in lines[1:6]] == [
        ["ACTION", "RESOURCE"],
        ["create", "digitalocean_database_cluster.main"],
        ["create", 'digitalocean_droplet.web["a"]'],
        ["create", 'digitalocean_droplet.web["b"]'],
        ["create", "digitalocean_vpc.main"],
    ]
    assert "a month: 0.00 -> 45.00 USD (+45.00)" in lines
    assert any(line.startswith("prices of 2025-06-01") for line in lines)


def test_what_is_lost_for_good_is_called_out_with_what_it_costs(applied: Stage) -> None:
    applied.write(RESIZED, "terraform.tfvars")

    done = applied.good("plan", "dev")

    assert "dev: 1 destroy, 1 change" in done.out
    assert "lost for good: droplet dev-b (destroy)" in done.out
    assert "size: s-1vcpu-1gb -> s-2vcpu-4gb; is powered off while it is resized" in done.out
    assert "a month: 45.00 -> 39.00 USD (-6.00)" in done.out


def on_terminal(project: Stage, *words: str, **env: str) -> str:
    """Return what a command prints to a terminal of 120 columns."""
    ours, its = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "restoops", "infra", *words],
        cwd=project.folder, env=project.variables({"COLUMNS": "120", "TERM": "xterm", **env}),
        stdin=subprocess.DEVNULL, stdout=its, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(its)
    told = b""
    with contextlib.suppress(OSError):  # that is how the end of a terminal reads
        while chunk := os.read(ours, 65536):
            told += chunk
    os.close(ours)
    assert process.wait(60) == 0
    return told.decode()


def test_what_is_lost_is_red_on_a_terminal_unless_colours_are_not_wanted(applied: Stage) -> None:
    applied.write(RESIZED, "terraform.tfvars")

    assert "\x1b[1;31mdestroy" in on_terminal(applied, "plan", "dev")
    assert "\x1b[1;31m" not in on_terminal(applied, "plan", "dev", NO_COLOR="1")
    assert "\x1b" not in applied.good("plan", "dev").all


def test_a_plan_is_one_json_object_with_terraforms_lines_elsewhere(applied: Stage) -> None:
    applied.write(RESIZED, "terraform.tfvars")

    done = applied.good("plan", "dev", "--json")

    (line,) = done.out.splitlines()
    found = json.loads(line)
    assert (found["v"], found["environment"]) == (1, "dev")
    assert [(it["kind"], it["name"], it["loses"]) for it in found["changes"]] == [
        ("destroy", "dev-b", True),
        ("change", "dev-a", False),
    ]
    assert (found["before"]["monthly"], found["after"]["monthly"]) == (45, 39)
    assert "will be destroyed" in done.err


def test_a_plan_is_markdown_for_a_pull_request(applied: Stage) -> None:
    applied.write(RESIZED, "terraform.tfvars")

    done = applied.good("plan", "dev", "--markdown")

    assert done.out.startswith("### `dev`: 1 destroy, 1 change\n")
    assert "> - destroy droplet `dev-b`" in done.out
    assert '| **destroy** | `digitalocean_droplet.web["b"]` |' in done.out


def test_two_forms_at_once_are_refused(project: Stage) -> None:
    assert project.run("plan", "dev", "--json", "--markdown").status == 2


def test_check_ends_with_6_only_when_there_is_something_to_do(project: Stage) -> None:
    assert project.run("plan", "dev", "--check").status == 6
    project.good("apply", "dev", "--yes")

    assert project.good("plan", "dev", "--check").out.startswith("dev: no changes")
    change_behind_terraform(project)

    done = project.run("plan", "dev", "--check")
    assert done.status == 6
    assert 'changed outside of Terraform: digitalocean_droplet.web["b"]' in done.out
    assert "dev is not as its code says: 1 change" in done.err


def test_drift_is_what_was_changed_outside_and_nothing_else(applied: Stage) -> None:
    applied.write(RESIZED, "terraform.tfvars")  # a change of the code is no drift
    assert "nothing was changed outside" in applied.good("drift", "dev").out

    change_behind_terraform(applied)
    done = applied.run("drift", "dev")

    assert done.status == 6
    assert "size: s-2vcpu-4gb -> s-4vcpu-8gb" in done.out
    assert applied.run("drift", "dev", "--json").out.count('"name": "dev-b"') == 1


def test_a_saved_plan_can_be_read_by_its_owner_only(project: Stage) -> None:
    done = project.good("plan", "dev", "--out", "plans/dev.plan")

    file = project.folder / "plans" / "dev.plan"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [it.name for it in file.parent.iterdir()] == ["dev.plan"]
    assert done.out.startswith("dev: 4 create")
    assert project.run("plan", "dev", "--saved", str(file)).out == done.out


def test_a_saved_plan_is_still_one_for_terraform_itself(project: Stage) -> None:
    project.good("plan", "dev", "--out", "dev.plan")

    Terraform(project.root, project.env).run("apply", str(project.folder / "dev.plan"))

    assert len(project.cloud.find("digitalocean_droplet")) == 2


def test_a_plan_that_cannot_be_saved_says_so_and_leaves_nothing(project: Stage) -> None:
    (project.folder / "file").write_text("")

    done = project.run("plan", "dev", "--out", "file/dev.plan")

    assert done.status == 1
    assert "error: file cannot be made: File exists" in done.err


def test_a_directory_is_no_file_to_save_a_plan_to_and_that_is_told_at_once(project: Stage) -> None:
    done = project.run("plan", "dev", "--out", "terraform")

    assert done.status == 2
    assert done.err.startswith("error: terraform is a directory")


@pytest.mark.parametrize("content", [b"", b"no plan", None])
def test_a_file_that_is_no_plan_is_told(project: Stage, content: bytes | None) -> None:
    file = project.folder / "x.plan"
    if content is None:
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("a", "b")
    else:
        file.write_bytes(content)

    done = project.run("plan", "dev", "--saved", "x.plan")

    assert done.status == 2
    assert "is no plan that restoops has saved" in done.err


def test_no_secret_is_in_any_output(applied: Stage) -> None:
    applied.write(f'api_secret = "{SECRET}"\n', "terraform.tfvars")
    applied.write('resource "digitalocean_tag" "t" { name = nonsensitive(var.api_secret) }\n',
                  "leak.tf")  # fmt: skip
    password = applied.cloud.find("digitalocean_database_cluster")[0]["password"]
    commands = [
        ("plan", "dev"), ("plan", "dev", "--json"), ("plan", "dev", "--markdown"),
        ("output", "dev"), ("output", "dev", "--json"), ("cost", "dev", "--json"),
        ("drift", "dev"), ("inventory", "dev"), ("graph", "dev"), ("apply", "dev"),
        ("destroy", "dev", "--dry-run"),
    ]  # fmt: skip

    told = "".join(applied.run(*words).all for words in commands)

    assert "(sensitive)" in told
    for secret in (SECRET, password, TOKEN):
        assert secret not in told


def test_a_secret_in_what_a_provider_says_is_masked(project: Stage) -> None:
    project.write(f'api_secret = "{SECRET}"\n', "terraform.tfvars")
    with project.cloud.open() as account:
        account["fail"]["digitalocean_droplet.create"] = f"422 bad: {SECRET} with {TOKEN}"

    done = project.run("apply", "dev", "--yes")

    assert done.status == 1
    assert "422 bad: *** with ***" in done.err
    assert SECRET not in done.all
    assert TOKEN not in done.all


def test_outputs_are_shown_and_one_by_its_name(applied: Stage) -> None:
    assert "database: (sensitive)" in applied.good("output", "dev").out
    assert applied.good("output", "dev", "url").out.startswith("url: http://203.0.113.")

    done = applied.run("output", "dev", "nothing")
    assert done.status == 2
    assert "There are: database, hosts, inventory, url." in done.err


def test_what_is_not_applied_yet_is_told(project: Stage) -> None:
    assert "dev gives nothing out: was it applied?" in project.good("output", "dev").err
    assert "dev: 0.00 USD a month" in project.good("cost", "dev").out
    for command in ("graph", "inventory"):
        done = project.run(command, "dev")
        assert (done.status, done.out) == (1, "")
        assert "applied?" in done.err
    project.good("plan", "dev", "--out", "dev.plan")
    assert "dev-db" in project.good("graph", "dev", "--saved", "dev.plan").out


def test_the_cost_of_what_is_there_and_of_what_would_be(applied: Stage) -> None:
    assert "dev: 45.00 USD a month" in applied.good("cost", "dev").out
    applied.write(RESIZED, "terraform.tfvars")
    applied.good("plan", "dev", "--out", "dev.plan")

    found = applied.good("cost", "dev", "--saved", "dev.plan", "--json").last_json

    assert found["monthly"] == 39
    assert {it["what"] for it in found["lines"]} == {
        "database pg db-s-1vcpu-1gb, nodes: 1", "droplet s-2vcpu-4gb",
    }  # fmt: skip


def test_the_inventory_is_printed_and_written(applied: Stage) -> None:
    import yaml

    done = applied.good("inventory", "dev")
    hosts = yaml.safe_load(done.out)["all"]["children"]["api"]["hosts"]
    assert set(hosts) == {"dev-a", "dev-b"}
    assert "no host key is known for: dev-b" in done.err

    applied.good("inventory", "dev", "--write", "inv/dev", "--dry-run")
    assert not (applied.folder / "inv").exists()
    applied.good("inventory", "dev", "--write", "inv/dev")

    folder = applied.folder / "inv" / "dev"
    assert yaml.safe_load((folder / "hosts.yml").read_text()) == yaml.safe_load(done.out)
    (line,) = (folder / "known_hosts").read_text().splitlines()
    assert line.split()[1] == "ssh-ed25519"
    assert line.split()[0].split(",")[0] == hosts["dev-a"]["ansible_host"]


def test_the_graph_is_a_picture_of_what_is_there(applied: Stage, tmp_path: Path) -> None:
    applied.good("graph", "dev", "--out", str(tmp_path / "dev.svg"))

    picture = (tmp_path / "dev.svg").read_text()
    for name in ("dev-a", "dev-b", "dev-db", "PostgreSQL 16", "10.10.0.0/16"):
        assert name in picture
    assert applied.good("graph", "dev").out == picture
