"""Images built with the Dockerfile in docker/, and what is in them."""

import json
import os
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.docker.workspace import PROGRAMS, WORKSPACE
from tests.lab.images import CA_CERTIFICATES

CLIENTS = ("docker", "/usr/bin/docker")
"""The second one is Debian's, which has BuildKit built in."""


class BuildFailed(Exception):
    """The build failed; the message carries its output."""


@dataclass(frozen=True, slots=True)
class Build:
    """What is handed to the Dockerfile."""

    tag: str
    node: str
    """The base image."""
    context: Path = WORKSPACE
    target: str = "production"
    arguments: tuple[tuple[str, str], ...] = ()
    is_cold: bool = False
    npmrc: Path | None = None
    """The npm configuration, when it is not this machine's."""

    def run(self) -> str:
        """Build, and return what the builder said.

        Raises:
            BuildFailed: it did not work.
        """
        arguments = {"NODE_IMAGE": self.node, **dict(self.arguments)}
        argv = [
            *(client(), "build", "--progress", "plain", "--tag", self.tag),
            *("--target", self.target, "--file", str(WORKSPACE / "Dockerfile")),
            *(f"--build-arg={name}={value}" for name, value in arguments.items()),
            *(f"--secret=id={name},src={file}" for name, file in self._secrets()),
            *(["--no-cache"] if self.is_cold else []),
            str(self.context),
        ]
        done = subprocess.run(
            argv, env={**os.environ, "DOCKER_BUILDKIT": "1"}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        if done.returncode:
            raise BuildFailed(done.stdout)
        return done.stdout

    def _secrets(self) -> Iterator[tuple[str, Path]]:
        npmrc = self.npmrc or Path.home() / ".npmrc"
        ca = Path(os.environ.get("NODE_EXTRA_CA_CERTS") or CA_CERTIFICATES)
        yield from (it for it in (("npmrc", npmrc), ("ca", ca)) if it[1].is_file())


def reused(told: str) -> dict[str, bool]:
    """Return for each step of a build, such as `[builder 2/3]`, whether it was reused."""
    names: dict[str, str] = {}
    found: dict[str, bool] = {}
    for line in told.splitlines():
        number, _, rest = line.partition(" ")
        if rest.startswith("[") and "/" in rest and "] FROM " not in rest:
            names[number] = rest
            found[rest] = False
        elif rest == "CACHED" and number in names:
            found[names[number]] = True
    return found


def export(tag: str, folder: Path) -> dict[str, object]:
    """Unpack every layer of an image into a folder of its own, and return its configuration.

    What a later layer removes is still there.
    """
    archive = folder / "image.tar"
    subprocess.run(["docker", "save", "--output", str(archive), tag], check=True)
    with tarfile.open(archive) as image:
        image.extractall(folder, filter="tar")
    archive.unlink()
    [manifest] = json.loads((folder / "manifest.json").read_text())
    for number, layer in enumerate(manifest["Layers"]):
        with tarfile.open(folder / layer) as files:
            members = [it for it in files if not it.isdev()]
            files.extractall(folder / "layers" / str(number), members, filter=_as_it_is)
        (folder / layer).unlink()
    config: dict[str, object] = json.loads((folder / manifest["Config"]).read_text())
    return config


def _as_it_is(member: tarfile.TarInfo, _: str) -> tarfile.TarInfo | None:
    """Unpack what can hold a secret: files, and not what they may be called otherwise."""
    return member if member.isfile() or member.isdir() else None


def leaks(folder: Path) -> tuple[int, str]:
    """Return the status of gitleaks over a folder, 0 for none and 42 for some, and what it said."""
    done = subprocess.run(
        [str(PROGRAMS / "gitleaks"), "dir", str(folder), "--exit-code", "42",
         "--no-banner", "--no-color", "--redact", "--verbose"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    return done.returncode, done.stdout


def files_with(folder: Path, text: str) -> list[Path]:
    """Return the files below a folder that hold `text`."""
    wanted = text.encode()
    return [it for it in folder.rglob("*") if it.is_file() and wanted in it.read_bytes()]


def client() -> str:
    for client in CLIENTS:
        help_text = subprocess.run(
            [client, "build", "--help"], env={**os.environ, "DOCKER_BUILDKIT": "1"},
            capture_output=True, text=True,
        )  # fmt: skip
        if "--secret" in help_text.stdout:
            return client
    raise BuildFailed("no client here builds with BuildKit")
