"""The `terraform` that set-up provides where there is none is Terraform in all that it does."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dostub.cloud import Cloud
from tests.dostub.serve import running
from tests.terraform.program import PATIENCE_S, PROJECT, Terraform, environment

MAIN = """
terraform {
  required_providers {
    digitalocean = { source = "digitalocean/digitalocean" }
  }
}
variable "name" { type = string }
resource "digitalocean_tag" "main" { name = var.name }
output "name" { value = "it is '${digitalocean_tag.main.name}'" }
"""


@pytest.fixture(scope="module")
def provided(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A terraform as set-up makes it, in a folder whose name a shell could stumble over."""
    folder = tmp_path_factory.mktemp("a place")
    subprocess.run([PROJECT / "scripts" / "provide-terraform", folder], check=True)
    return folder / "terraform"


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    return Cloud(tmp_path / "cloud.json")


@pytest.fixture
def terraform(provided: Path, tmp_path: Path, cloud: Cloud) -> Iterator[Terraform]:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "main.tf").write_text(MAIN)
    with running(cloud) as extra:
        made = Terraform(tmp_path / "root", {**extra, "TF_VAR_name": "one"}, str(provided))
        made.run("init")
        yield made


def test_it_plans_applies_and_destroys(terraform: Terraform, cloud: Cloud) -> None:
    terraform.run("plan", "-out=the plan", "-detailed-exitcode", status=2)
    terraform.run("apply", "the plan")

    terraform.run("plan", "-detailed-exitcode", status=0)
    assert terraform.outputs() == {"name": "it is 'one'"}
    terraform.run("destroy", "-auto-approve")
    assert cloud.find("digitalocean_tag") == []


def test_arguments_arrive_as_they_are(terraform: Terraform, tmp_path: Path) -> None:
    elsewhere = Terraform(tmp_path, terraform.extra, terraform.path)

    ended = elsewhere.run("-chdir=root", "plan", "-var", "name=$(id) 'x' \"y\"", status=1)

    assert "name: '$(id) \\'x\\' \"y\"' does not match" in ended.stderr.replace("\n│ ", " ")


def test_faults_are_on_stderr_and_in_the_status(terraform: Terraform) -> None:
    ended = terraform.run("plan", "-var=unknown=1", status=1)

    assert "Value for undeclared variable" in ended.stderr
    assert "undeclared" not in ended.stdout


def test_standard_input_is_read(terraform: Terraform) -> None:
    run = subprocess.run(
        [terraform.path, "console"],
        cwd=terraform.folder,
        env=environment(terraform.extra),
        input="upper(var.name)\n",
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )

    assert run.stdout == '"ONE"\n'


def test_an_interrupt_ends_it_before_it_changes_anything(
    terraform: Terraform, cloud: Cloud
) -> None:
    command = [terraform.path, "apply"]
    pipe, env = subprocess.PIPE, environment(terraform.extra)
    with subprocess.Popen(
        command, cwd=terraform.folder, env=env, stdin=pipe, stdout=pipe, stderr=pipe, text=True
    ) as apply:
        assert apply.stdout
        while "Do you want to perform these actions" not in (line := apply.stdout.readline()):
            assert line, "it ended before it asked"
        apply.send_signal(signal.SIGINT)
        # Its input stays open: nothing else than the signal ends it.
        status = apply.wait(timeout=PATIENCE_S)
        told = apply.stdout.read()

    assert status == 1
    assert "Creating" not in told
    assert cloud.calls() == []
