"""A project with Terraform code, the real terraform, and an account that tests can look into."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.dostub.cloud import Attributes, Cloud, Resolve
from tests.dostub.rules import ApiError
from tests.dostub.serve import running
from tests.terraform.program import environment, program

TOKEN = "dop_v1_" + "5ec7e7" * 10
PATIENCE_S = 120
MAIN = """\
terraform {
  required_version = ">= 1.6"
  required_providers {
    digitalocean = { source = "digitalocean/digitalocean" }
  }
}

variable "droplets" {
  type    = map(object({ size = string }))
  default = { a = { size = "s-1vcpu-1gb" }, b = { size = "s-2vcpu-4gb" } }
}

variable "api_secret" {
  type      = string
  default   = "unset"
  sensitive = true
}

resource "digitalocean_vpc" "main" {
  name     = "dev"
  region   = "nyc3"
  ip_range = "10.10.0.0/16"
}

resource "digitalocean_droplet" "web" {
  for_each  = var.droplets
  name      = "dev-${each.key}"
  image     = "ubuntu-24-04-x64"
  region    = "nyc3"
  size      = each.value.size
  vpc_uuid  = digitalocean_vpc.main.id
  user_data = "password=${var.api_secret}"
}

resource "digitalocean_database_cluster" "main" {
  name                 = "dev-db"
  engine               = "pg"
  version              = "16"
  size                 = "db-s-1vcpu-1gb"
  region               = "nyc3"
  node_count           = 1
  private_network_uuid = digitalocean_vpc.main.id
}

output "hosts" {
  value = {
    for key, it in digitalocean_droplet.web : key => {
      name     = it.name
      public   = it.ipv4_address
      private  = it.ipv4_address_private
      host_key = key == "a" ? "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE1hZGU" : null
    }
  }
}

output "inventory" {
  value = {
    all = { children = { api = {
      vars = {}
      hosts = { for it in digitalocean_droplet.web : it.name => {
        ansible_host = it.ipv4_address, ansible_user = "deploy"
      } }
    } } }
  }
}

output "url" { value = "http://${digitalocean_droplet.web["a"].ipv4_address}:3001" }

output "database" {
  value     = digitalocean_database_cluster.main.uri
  sensitive = true
}
"""


class SlowCloud(Cloud):
    """An account in which making a kind of thing takes until a test says that it is done.

    With a `refusal` it does not let itself be looked at either.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.slow = ""
        self.refusal = ""
        self.begun = threading.Event()
        self.go_on = threading.Event()

    def read(self, kind: str, which: str) -> Attributes | None:
        if self.refusal:
            raise ApiError(self.refusal)
        return super().read(kind, which)

    def create(self, kind: str, planned: Attributes, resolve: Resolve) -> Attributes:
        if kind == self.slow:
            self.begun.set()
            assert self.go_on.wait(PATIENCE_S), "no test said that it is done"
        return super().create(kind, planned, resolve)


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def all(self) -> str:
        return self.out + self.err

    @property
    def last_json(self) -> dict[str, Any]:
        """The last object that was printed."""
        found: dict[str, Any] = json.loads(self.out.splitlines()[-1])
        return found


@dataclass(frozen=True, slots=True)
class Stage:
    """A folder with a project in it, a repository, and an account."""

    folder: Path
    cloud: SlowCloud
    env: dict[str, str] = field(default_factory=dict)
    environment: str = "dev"
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def root(self) -> Path:
        return self.folder / "terraform" / "environments" / self.environment

    def write(self, text: str, name: str = "main.tf") -> None:
        (self.root / name).write_text(text)

    def commit(self) -> None:
        """Commit all that there is."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "change")

    def git(self, *words: str) -> None:
        who = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
        argv = ["git", "-C", str(self.folder), *who, *words]
        subprocess.run(argv, check=True, capture_output=True, env=self.variables({}))

    def run(self, *words: str, typed: str | None = None, **env: str) -> Done:
        """Run a command of `restoops infra` to its end."""
        process = self.start(*words, typed=typed, **env)
        out, err = process.communicate(timeout=PATIENCE_S)
        return Done(process.returncode, out, err)

    def good(self, *words: str, **env: str) -> Done:
        """Run a command that has to succeed."""
        done = self.run(*words, **env)
        assert done.status == 0, done.all
        return done

    def start(self, *words: str, typed: str | None = None, **env: str) -> subprocess.Popen[str]:
        """Start a command of `restoops infra`; `typed` is a terminal's input."""
        argv = [sys.executable, "-m", "restoops", "infra", *words]
        process = subprocess.Popen(
            argv if typed is None else [sys.executable, "-c", _AT_TERMINAL, typed, *argv],
            cwd=self.folder,
            env=self.variables(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def interrupt(self, process: subprocess.Popen[str], when: Callable[[], object]) -> Done:
        """Send SIGINT, do `when`, and wait for the end."""
        process.send_signal(signal.SIGINT)
        when()
        out, err = process.communicate(timeout=PATIENCE_S)
        return Done(process.returncode, out, err)

    def variables(self, extra: dict[str, str]) -> dict[str, str]:
        """Return the environment that commands run in."""
        path = os.pathsep.join([str(Path(program()).parent), os.environ["PATH"]])
        found = environment({"DIGITALOCEAN_TOKEN": TOKEN, "PATH": path, **self.env, **extra})
        kept = {name: it for name, it in found.items() if not name.startswith("RESTOOPS_")}
        return {name: it for name, it in kept.items() if it} | {"HOME": str(self.folder)}


_AT_TERMINAL = """
import os, pty, subprocess, sys
ours, its = pty.openpty()
os.write(ours, sys.argv[1].encode())
sys.exit(subprocess.run(sys.argv[2:], stdin=its).returncode)
"""
"""Runs a program with a terminal as its standard input, into which something was typed."""


def end(process: subprocess.Popen[str]) -> None:
    """Kill a command that still runs because its test has failed."""
    with process:
        if process.poll() is None:
            process.kill()


@contextmanager
def entered(folder: Path, name: str = "dev") -> Iterator[Stage]:
    """Have the project of a folder, and the account beside it, as they are."""
    cloud = SlowCloud(folder / "account.json")
    with running(cloud) as env:
        made = Stage(folder / "project", cloud, env, name)
        try:
            yield made
        finally:
            cloud.go_on.set()
            for process in made.started:
                end(process)


@contextmanager
def stage(folder: Path, main: str = MAIN, name: str = "dev") -> Iterator[Stage]:
    """Make a project with one environment, whose state is in a file."""
    with entered(folder, name) as made:
        made.root.mkdir(parents=True)
        made.write(main)
        settings = f"{{terraform: {{directory: terraform/environments/{name}}}}}"
        (made.folder / "restoops.yaml").write_text(f"environments: {{{name}: {settings}}}\n")
        (made.folder / ".gitignore").write_text(
            ".terraform/\n*.tfstate*\nterraform.tfvars\n*.auto.tfvars.json\n.terraform.lock.hcl\n"
            ".terraform.tfstate.lock.info\n"
        )
        made.git("init", "--quiet")
        made.commit()
        yield made
