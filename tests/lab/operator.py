"""An operator's machine: a home with a key and known hosts, a restoops.yaml, the real command."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.lab.droplet import Droplet
from tests.lab.patience import PATIENCE_S
from tests.lab.registry import Registry
from tests.lab.releases import REPOSITORY

APP = "testapp"
PORT = 3001
_COMMAND = (sys.executable, "-m", "restoops")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended, and what it printed."""

    status: int
    stdout: str
    stderr: str

    @property
    def events(self) -> list[dict[str, Any]]:
        """What `--json` printed."""
        return [json.loads(line) for line in self.stdout.splitlines()]


class Desk:
    """Runs restoops against hosts of any kind as its environment `staging`."""

    def __init__(
        self, folder: Path, hosts: Mapping[str, str], registry: Registry, key: Path, proxy: str
    ) -> None:
        """Know the `hosts` by address, each with its line for known_hosts; `proxy` is an image."""
        self.folder = folder
        self.settings: dict[str, Any] = {
            "app": {"name": APP},
            "registry": {"host": registry.host, "plain_http": True},
            "image": {"repository": REPOSITORY},
            "proxy": {"image": proxy},
            "health": {"timeout_s": 5},
            "ssh": {"key": str(key), "user": "deploy"},
            "environments": {"staging": {"hosts": list(hosts)}},
        }
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "LC_ALL": "C.UTF-8",
            "USER": "olga",
            "REGISTRY_USERNAME": registry.username,
            "GITHUB_TOKEN": registry.password,
        }
        (folder / ".ssh").mkdir(mode=0o700)
        self.known_hosts.write_text("".join(f"{line}\n" for line in hosts.values()))

    @property
    def known_hosts(self) -> Path:
        """The operator's file of host keys."""
        return self.folder / ".ssh" / "known_hosts"

    def write_settings(self) -> None:
        """Write `settings` where the command finds them; `start` does it as well."""
        (self.folder / "restoops.yaml").write_text(json.dumps(self.settings))

    def start(
        self,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        stdin: int = subprocess.DEVNULL,
        own_group: bool = False,
    ) -> subprocess.Popen[str]:
        """Start a command and leave it running, as a shell does in a terminal (`own_group`)."""
        self.write_settings()
        return subprocess.Popen(
            [*_COMMAND, *arguments],
            cwd=self.folder,
            env=self.env | dict(env or {}),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0 if own_group else None,
        )

    def run(
        self, *arguments: str, env: Mapping[str, str] | None = None, piped: str | None = None
    ) -> Outcome:
        """Run a command to its end, with `piped` on its standard input."""
        stdin = subprocess.DEVNULL if piped is None else subprocess.PIPE
        return finish(self.start(*arguments, env=env, stdin=stdin), piped=piped)

    def must(self, *arguments: str) -> Outcome:
        """Run a command that has to succeed."""
        outcome = self.run(*arguments)
        assert outcome.status == 0, f"{arguments}: {outcome}"
        return outcome

    def deploy(self, tag: str, *options: str) -> Outcome:
        """Deploy a tag, which has to succeed."""
        return self.must("deploy", tag, "staging", *options)

    def rollback(self, *arguments: str) -> Outcome:
        """Roll back, which has to succeed."""
        return self.must("rollback", *arguments, "staging", "--yes")

    def status(self) -> dict[str, Any]:
        """Return what `status --json` says, whatever its exit status."""
        return self.run("status", "staging", "--json").events[0]

    def serving(self) -> str:
        """Return the tag that serves."""
        return str(self.status()["serving"]["release"]["tag"])


class Operator(Desk):
    """Runs restoops against one droplet, or several in order, as its environment `staging`."""

    def __init__(
        self,
        folder: Path,
        droplets: Droplet | Sequence[Droplet],
        registry: Registry,
        key: Path,
        proxy_image: str,
    ) -> None:
        self.droplets = (droplets,) if isinstance(droplets, Droplet) else tuple(droplets)
        hosts = {droplet.address: droplet.known_hosts_line for droplet in self.droplets}
        super().__init__(folder, hosts, registry, key, proxy_image)

    @property
    def droplet(self) -> Droplet:
        """The droplet, the first of several."""
        return self.droplets[0]

    @property
    def url(self) -> str:
        """Where clients reach the application, on the first droplet."""
        return self.urls[0]

    @property
    def urls(self) -> tuple[str, ...]:
        """Where clients reach the application, on each droplet."""
        return tuple(f"http://{droplet.address}:{PORT}/" for droplet in self.droplets)


def finish(process: subprocess.Popen[str], piped: str | None = None) -> Outcome:
    """Wait for a command and return its outcome."""
    stdout, stderr = process.communicate(piped, timeout=2 * PATIENCE_S)
    return Outcome(process.returncode, stdout, stderr)
