"""Terraform takes the stand-in for a provider."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dostub.cloud import Cloud
from tests.dostub.serve import install, running
from tests.terraform.program import Terraform

MAIN = """
terraform {
  required_providers {
    digitalocean = { source = "digitalocean/digitalocean" }
  }
}
variable "droplets" {
  type    = list(string)
  default = ["a", "b"]
}
resource "digitalocean_vpc" "main" {
  name     = "main"
  region   = "nyc3"
  ip_range = "10.1.0.0/20"
}
resource "digitalocean_droplet" "web" {
  for_each  = toset(var.droplets)
  name      = each.key
  image     = "ubuntu-24-04-x64"
  region    = "NYC3"
  size      = "s-1vcpu-1gb"
  vpc_uuid  = digitalocean_vpc.main.id
  user_data = "x"
}
output "private" {
  value = { for key, it in digitalocean_droplet.web : key => it.ipv4_address_private }
}
"""
DROPLET = "digitalocean_droplet"


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    return Cloud(tmp_path / "cloud.json")


@pytest.fixture
def terraform(tmp_path: Path, cloud: Cloud) -> Iterator[Terraform]:
    folder = tmp_path / "root"
    folder.mkdir()
    (folder / "main.tf").write_text(MAIN)
    with running(cloud) as extra:
        yield Terraform(folder, extra)


def test_a_life_from_init_to_destroy(terraform: Terraform, cloud: Cloud) -> None:
    terraform.run("init")
    assert not (terraform.folder / ".terraform" / "providers").exists()
    terraform.run("validate")
    terraform.apply()

    assert terraform.outputs()["private"].keys() == {"a", "b"}
    assert {it["name"] for it in cloud.find(DROPLET)} == {"a", "b"}
    terraform.run("plan", "-detailed-exitcode")
    terraform.run("plan", "-detailed-exitcode", '-var=droplets=["a"]', status=2)
    terraform.run("destroy", "-auto-approve")
    assert cloud.find("digitalocean_vpc") == []


def test_what_was_lost_can_be_imported(terraform: Terraform, cloud: Cloud) -> None:
    terraform.run("init")
    terraform.apply()
    [droplet] = cloud.find(DROPLET, name="a")

    terraform.run("state", "rm", 'digitalocean_droplet.web["a"]')
    terraform.run("import", 'digitalocean_droplet.web["a"]', droplet["id"])

    terraform.run("plan", "-detailed-exitcode")


def test_what_the_api_refuses_is_told_and_what_was_made_before_is_kept(
    terraform: Terraform, cloud: Cloud
) -> None:
    cloud.fail_on(DROPLET, "create", "429 Too many requests")
    terraform.run("init")

    ended = terraform.run("apply", "-auto-approve", status=1)

    assert "Error in digitalocean_droplet: 429 Too many requests" in ended.said
    cloud.fail_on(DROPLET, "create", "")
    terraform.apply()
    assert len(cloud.find(DROPLET)) == 2
    assert cloud.calls().count(("create", "digitalocean_vpc", "main")) == 1


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        pytest.param("s-1vcpu-1gb", "none", "422 You specified an invalid size", id="the API's"),
        pytest.param("10.1.0.0/20", "10.1.0.0", "to be a valid cidr", id="the schema's"),
        pytest.param('name     = "main"', "", '"name" is required', id="Terraform's own"),
    ],
)
def test_a_fault_is_refused(terraform: Terraform, before: str, after: str, said: str) -> None:
    (terraform.folder / "main.tf").write_text(MAIN.replace(before, after, 1))
    terraform.run("init")

    assert said in terraform.run("apply", "-auto-approve", status=1).said


def test_a_deprecated_argument_is_told(terraform: Terraform) -> None:
    fault = MAIN.replace('user_data = "x"', "private_networking = true")
    (terraform.folder / "main.tf").write_text(fault)
    terraform.run("init")

    assert "Argument is deprecated" in terraform.run("validate").said


def test_terraform_can_start_it_as_a_program(tmp_path: Path, cloud: Cloud) -> None:
    folder = tmp_path / "root"
    folder.mkdir()
    (folder / "main.tf").write_text(MAIN)
    config = install(tmp_path / "providers")
    terraform = Terraform(
        folder, {"TF_CLI_CONFIG_FILE": str(config), "DOSTUB_CLOUD": str(cloud.path)}
    )

    terraform.run("init")
    terraform.apply()

    assert len(cloud.find(DROPLET)) == 2


def test_a_program_without_a_token_is_refused(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(MAIN)
    config = install(tmp_path / "providers")
    extra = {"TF_CLI_CONFIG_FILE": str(config), "DIGITALOCEAN_TOKEN": ""}
    terraform = Terraform(tmp_path, extra)

    terraform.run("init")

    assert "401 Unable to authenticate you" in terraform.run("plan", status=1).said
