"""Bad input and bad luck: each says what, where, and what to do now, with its own exit status."""

import json
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.infra.stage import TOKEN, Stage, stage

ALL = ("plan", "apply", "destroy", "drift", "cost", "output", "inventory", "graph", "init")


@pytest.mark.parametrize("command", [*ALL, "validate", "host-keys", "backend"])
def test_an_unknown_environment_is_told_with_those_that_there_are(
    tmp_path: Path, command: str
) -> None:
    more = {"host-keys": ["a"], "backend": ["--region", "fra1"]}.get(command, [])
    with stage(tmp_path) as project:
        done = project.run(command, "devv", *more)

    assert done.status == 2
    assert "unknown environment `devv`, did you mean `dev`?" in done.err
    assert "There are: dev." in done.err


def test_an_environment_without_code_is_told_with_where_it_belongs(tmp_path: Path) -> None:
    with stage(tmp_path) as project:
        (project.folder / "restoops.yaml").write_text("environments: {qa: {hosts: [192.0.2.1]}}")
        done = project.run("plan", "qa")

    assert done.status == 2
    assert "environment `qa` has no Terraform code" in done.err
    assert "terraform/environments/qa" in done.err


def test_a_directory_that_is_configured_is_used_and_has_to_hold_code(tmp_path: Path) -> None:
    with stage(tmp_path) as project:
        shutil.move(project.root, project.folder / "elsewhere")
        file = project.folder / "restoops.yaml"
        file.write_text("environments: {dev: {terraform: {directory: elsewhere}}}")
        project.good("init", "dev")
        assert "dev: 4 create" in project.good("plan", "dev").out

        file.write_text("environments: {dev: {terraform: {directory: nowhere}}}")
        done = project.run("plan", "dev")

    assert done.status == 2
    assert "nowhere has no Terraform code" in done.err


def test_the_code_is_found_from_a_directory_below_and_without_a_file(tmp_path: Path) -> None:
    with stage(tmp_path) as project:
        (project.folder / "restoops.yaml").unlink()
        project.good("init", "dev")
        done = project.good("validate")

    assert done.out == "dev: valid\n"


def with_program(folder: Path, script: str) -> str:
    """Return a PATH on which `terraform` is a script, with git and nothing else."""
    folder.mkdir()
    program = folder / "terraform"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    git = shutil.which("git")
    assert git
    (folder / "git").symlink_to(git)
    return str(folder)


def test_terraform_that_is_missing_is_told_with_how_to_get_it(tmp_path: Path) -> None:
    empty = tmp_path / "bin"
    empty.mkdir()
    with stage(tmp_path) as project:
        done = project.run("plan", "dev", PATH=str(empty))

    assert done.status == 2
    assert "terraform is not installed on this machine" in done.err
    assert "https://developer.hashicorp.com/terraform/install" in done.err


def test_terraform_that_is_too_old_is_told_with_what_is_needed(tmp_path: Path) -> None:
    old = with_program(tmp_path / "bin", """echo '{"terraform_version": "1.5.7"}'""")
    with stage(tmp_path) as project:
        done = project.run("plan", "dev", PATH=old)

    assert done.status == 2
    assert "terraform 1.5 is too old; restoops needs 1.6 or newer" in done.err


@pytest.mark.parametrize("command", ["plan", "apply", "destroy", "drift"])
def test_a_token_that_is_missing_is_told_before_anything_is_asked(
    project: Stage, command: str
) -> None:
    done = project.run(command, "dev", DIGITALOCEAN_TOKEN="")

    assert done.status == 5
    assert "the token for DigitalOcean is missing; nothing was asked" in done.err
    assert "Set DIGITALOCEAN_TOKEN" in done.err


def test_the_other_name_of_the_token_does_as_well(project: Stage) -> None:
    project.good("plan", "dev", DIGITALOCEAN_TOKEN="", DIGITALOCEAN_ACCESS_TOKEN=TOKEN)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param('resource "digitalocean_tag" "x" {\n  name = \n}\n', 2, id="syntax"),
        pytest.param('resource "digitalocean_tag" "x" {\n  name = "a"\n  nam = "b"\n}\n', 3,
                     id="unknown argument"),
        pytest.param('locals {\n  a = 1\n}\nlocals {\n  b = var.nothing\n}\n', 5,
                     id="undeclared variable"),
        pytest.param('locals {\n', 1, id="a brace that is not closed"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("command", ["plan", "validate"])
def test_code_that_is_not_valid_is_told_with_file_and_line(
    project: Stage, command: str, text: str, line: int
) -> None:
    project.write(text, "broken.tf")

    done = project.run(command, "dev")

    assert done.status == 2, done.all
    assert f"terraform/environments/dev/broken.tf:{line}: " in done.all
    assert "is not valid" in done.err


def test_a_fault_in_a_module_is_told_with_the_path_that_an_editor_opens(tmp_path: Path) -> None:
    with stage(tmp_path) as project:
        module = project.root.parents[1] / "modules" / "m"
        module.mkdir(parents=True)
        (module / "main.tf").write_text("locals {\n  b = var.nothing\n}\n")
        project.write('module "m" {\n  source = "../../modules/m"\n}\n', "module.tf")
        project.good("init", "dev")
        done = project.run("validate", "dev")

    assert done.status == 2
    assert "terraform/modules/m/main.tf:2: " in done.out
    assert ".." not in done.out


def test_faults_are_objects_with_json(project: Stage) -> None:
    project.write("locals {\n  b = var.nothing\n}\n", "broken.tf")

    done = project.run("validate", "dev", "--json")

    assert '"is_valid": false' in done.out
    assert done.last_json["status"] == done.status == 2


def test_a_variable_without_a_value_is_told(project: Stage) -> None:
    project.write('variable "needed" {\n  type = string\n}\n', "needed.tf")

    done = project.run("plan", "dev")

    assert done.status == 2
    told = 'needed.tf:1: No value for required variable: The root module input variable "needed" is'
    assert told in done.err
    assert "in terraform.tfvars" in done.err


@pytest.mark.parametrize(
    ("code", "message"),
    [
        pytest.param('''variable "size" {
  default = "big"
  validation {
    condition     = var.size != "big"
    error_message = "Give a size such as small."
  }
}
''', "limits.tf:1: Invalid value for variable: Give a size such as small.", id="validation"),
        pytest.param('''resource "terraform_data" "x" {
  lifecycle {
    precondition {
      condition     = length(var.droplets) > 9
      error_message = "Take more droplets."
    }
  }
}
''', "limits.tf:4: Resource precondition failed: Take more droplets.", id="precondition"),
    ],
)  # fmt: skip
def test_a_value_that_the_code_refuses_is_told_with_what_the_code_says(
    project: Stage, code: str, message: str
) -> None:
    project.write(code, "limits.tf")

    done = project.run("plan", "dev")

    assert done.status == 2, done.all
    (told,) = [line for line in done.err.splitlines() if line.startswith("error: ")]
    assert told.endswith(message)
    assert "validate" not in done.err.partition(told)[2]


@pytest.mark.parametrize("name", ["terraform.tfvars", "dev.auto.tfvars.json"])
def test_variables_that_cannot_be_read_are_told_with_file_and_line(
    project: Stage, name: str
) -> None:
    project.write("{", name)

    done = project.run("plan", "dev")

    assert done.status == 2, done.all
    assert f"error: terraform/environments/dev/{name}:1: " in done.err


def test_a_module_that_is_not_set_up_is_told_with_the_command(tmp_path: Path) -> None:
    with stage(tmp_path) as project:
        project.write('module "m" {\n  source = "./m"\n}\n', "module.tf")
        (project.root / "m").mkdir()
        (project.root / "m" / "main.tf").write_text("locals {}\n")
        done = project.run("plan", "dev")

    assert done.status == 2
    assert "`restoops infra init dev` sets it up" in done.err


API_FAULTS = pytest.mark.parametrize(
    ("message", "said"),
    [
        ("429 API rate limit exceeded", "the DigitalOcean API limits our calls for dev"),
        ("401 Unable to authenticate you", "DigitalOcean refused our token for dev"),
        ("Post: dial tcp 192.0.2.1:443: i/o timeout", "could not be reached"),
    ],
)


@API_FAULTS
@pytest.mark.parametrize("command", ["plan", "drift"])
def test_an_api_that_does_not_let_itself_be_asked_is_status_5(
    applied: Stage, command: str, message: str, said: str
) -> None:
    applied.cloud.refusal = message

    done = applied.run(command, "dev")

    assert done.status == 5, done.all
    assert said in done.err
    assert TOKEN not in done.all


@API_FAULTS
def test_an_api_that_does_not_do_what_it_is_asked_is_status_5_and_nothing_changed(
    project: Stage, message: str, said: str
) -> None:
    with project.cloud.open() as account:
        account["fail"]["digitalocean_vpc.create"] = message
        account["fail"]["digitalocean_database_cluster.create"] = message

    done = project.run("apply", "dev", "--yes")

    assert done.status == 5, done.all
    assert said in done.err
    assert "nothing was changed" in done.err
    assert TOKEN not in done.all


def test_half_an_apply_is_status_1_also_when_the_api_limits_calls(project: Stage) -> None:
    with project.cloud.open() as account:
        account["fail"]["digitalocean_droplet.create"] = "429 API rate limit exceeded"

    done = project.run("apply", "dev", "--yes")

    assert done.status == 1
    assert "limits our calls" in done.err
    assert "2 of 4 changes are done" in done.err


def test_what_the_code_protects_is_not_destroyed(tmp_path: Path) -> None:
    main = """terraform {
  required_providers { digitalocean = { source = "digitalocean/digitalocean" } }
}
resource "digitalocean_tag" "t" {
  name = "t"
  lifecycle { prevent_destroy = true }
}
"""
    with stage(tmp_path, main) as project:
        project.good("init", "dev")
        project.good("apply", "dev", "--yes")
        done = project.run("destroy", "dev", "--yes")

    assert done.status == 1
    assert "dev is protected" in done.err


@pytest.fixture
def keyed(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as project:
        yield project


def test_host_keys_are_made_once_and_only_for_the_owner(keyed: Stage) -> None:
    assert keyed.good("host-keys", "dev", "a", "--dry-run").out == "a  would be made\n"
    file = keyed.root / "host_keys.auto.tfvars.json"
    assert not file.exists()

    first = keyed.good("host-keys", "dev", "a", "b")
    kept = file.read_text()
    second = keyed.good("host-keys", "dev", "a", "c")

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    fingerprint = first.out.splitlines()[0].split()
    assert second.out.splitlines()[0].split() == ["a", "kept", fingerprint[2]]
    assert "PRIVATE KEY" not in first.all + second.all
    assert kept != file.read_text()


def test_host_keys_are_keys_that_ssh_knows(keyed: Stage, tmp_path: Path) -> None:
    found = keyed.good("host-keys", "dev", "a", "--json").last_json
    pair = json.loads((keyed.root / "host_keys.auto.tfvars.json").read_text())["host_keys"]["a"]
    file = tmp_path / "key"
    file.write_text(pair["private"])
    file.chmod(0o600)

    argv = ["ssh-keygen", "-y", "-f", str(file)]
    public = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    argv = ["ssh-keygen", "-l", "-f", str(file)]
    shown = subprocess.run(argv, capture_output=True, text=True, check=True).stdout

    assert public.split()[:2] == pair["public"].split()[:2] == found["public"].split()[:2]
    assert found["fingerprint"] in shown


@pytest.mark.parametrize("content", ["", "{", "[]", '{"host_keys": {"a": {"public": "x"}}}'])
def test_a_file_that_holds_no_host_keys_is_left_alone(keyed: Stage, content: str) -> None:
    file = keyed.root / "host_keys.auto.tfvars.json"
    file.write_text(content)

    done = keyed.run("host-keys", "dev", "b")

    assert done.status == 2
    assert file.read_text() == content


@pytest.mark.parametrize("key", ["A", "a b", "../x", "-a", ""])
def test_what_cannot_be_the_key_of_a_droplet_is_refused(keyed: Stage, key: str) -> None:
    done = keyed.run("host-keys", "dev", "--", key)

    assert done.status == 2
    assert not (keyed.root / "host_keys.auto.tfvars.json").exists()
