"""An environment of ours in a folder of its own, with an account to be applied to."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.dostub.cloud import Cloud
from tests.dostub.serve import running
from tests.terraform.program import PROJECT, Terraform

TREE = PROJECT / "terraform"
ENVIRONMENTS = ("dev", "staging", "production")
MODULES = ("api-cluster", "database", "load-balancer", "monitoring", "networking", "redis")
SSH_KEY = "laptop"
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKey laptop"
LOCAL_BACKEND = 'terraform {\n  backend "local" {}\n}\n'
LEFT_BEHIND = shutil.ignore_patterns(
    ".terraform*", "*.tfstate*", "*.tfvars", "*.tfvars.json", "backend.hcl"
)
ADMIN = "198.51.100.7"

Values = dict[str, Any]


def copy_tree(folder: Path) -> Path:
    """Copy our Terraform code, without what an operator's use of it left there."""
    return Path(shutil.copytree(TREE, folder / "terraform", ignore=LEFT_BEHIND))


def new_cloud(path: Path) -> Cloud:
    """Return an account that has the SSH key which variables name."""
    cloud = Cloud(path)
    key = {"id": "7", "name": SSH_KEY, "public_key": PUBLIC_KEY, "fingerprint": "aa:bb"}
    with cloud.open() as account:
        account["objects"]["digitalocean_ssh_key"] = {"7": key}
    return cloud


@dataclass(frozen=True, slots=True)
class Estate:
    """An environment, and the account it is applied to."""

    terraform: Terraform
    cloud: Cloud

    @property
    def environment(self) -> str:
        """The name of the environment."""
        return self.terraform.folder.name

    def give(self, **values: object) -> None:
        """Set variables, in place of those that were set before."""
        file = self.terraform.folder / "terraform.tfvars.json"
        file.write_text(json.dumps(values))

    def names(self, kind: str) -> set[str]:
        """Return the names of what the account has of a kind."""
        return {it["name"] for it in self.cloud.find(f"digitalocean_{kind}")}

    def one(self, kind: str, **wanted: object) -> Values:
        """Return the one object of a kind that has these values."""
        [found] = self.cloud.find(f"digitalocean_{kind}", **wanted)
        return found

    def rules(self, name: str) -> list[Values]:
        """Return the inbound rules of a firewall, without what they leave empty."""
        found = self.one("firewall", name=f"restomarket-{self.environment}-{name}")
        return [{k: v for k, v in rule.items() if v} for rule in found["inbound_rule"]]

    def plan(self, *, status: int) -> Values:
        """Plan, and return what the plan says as JSON."""
        self.terraform.run("plan", "-input=false", "-detailed-exitcode", "-out=plan", status=status)
        plan: Values = json.loads(self.terraform.run("show", "-json", "plan").stdout)
        return plan

    def changes(self) -> dict[str, list[str]]:
        """Plan a change, and return what it does to each resource that it does not leave alone."""
        changes = self.plan(status=2)["resource_changes"]
        actions = {it["address"]: it["change"]["actions"] for it in changes}
        return {it: does for it, does in actions.items() if does not in (["no-op"], ["read"])}


def needed(environment: str) -> Values:
    """Return the variables that have no default."""
    alerts = {} if environment == "dev" else {"alert_emails": ["ops@example.com"]}
    return {"ssh_key_names": [SSH_KEY], "admin_addresses": [ADMIN], **alerts}


@contextmanager
def estate(folder: Path, environment: str) -> Iterator[Estate]:
    """Yield an environment that is initialised, with its state in its folder."""
    root = copy_tree(folder) / "environments" / environment
    (root / "backend_override.tf").write_text(LOCAL_BACKEND)
    cloud = new_cloud(folder / "cloud.json")
    with running(cloud) as extra:
        terraform = Terraform(root, extra)
        terraform.run("init", "-input=false")
        made = Estate(terraform, cloud)
        made.give(**needed(environment))
        yield made
