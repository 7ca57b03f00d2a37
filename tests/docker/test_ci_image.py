"""The image for jobs of CI: restoops, Terraform and Ansible in it, run by nobody special.

Its official bases cannot be pulled here: it is built for real upon those of the lab.
"""

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from docker import DockerClient

from tests.docker.image import client
from tests.docker.test_workspace import hadolint
from tests.docs_shell import lines, typed
from tests.docs_text import PROJECT
from tests.lab import cache, stack_images
from tests.lab.images import CA_CERTIFICATES

# Ansible's bundle has tens of thousands of files.
pytestmark = pytest.mark.timeout(1200)

DOCKERFILE = PROJECT / "packaging" / "Dockerfile"
ELF = b"\x7fELF"
NO_TERRAFORM = "#!/bin/sh\necho 'Terraform v0.0.0-lab'\n"
"""Stands in where this machine's terraform is a script around a library."""


def test_hadolint_finds_nothing_and_bases_have_versions() -> None:
    assert hadolint(DOCKERFILE) == (0, "")
    bases = re.findall(r"^ARG \w+_IMAGE=(\S+)$", DOCKERFILE.read_text(), re.MULTILINE)
    assert [re.fullmatch(r"[\w/]+:\d+\.\d+\.\d+(-[\w-]+)?", it) is not None for it in bases] == [
        True, True,
    ]  # fmt: skip


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the image is built from: the wheel and the lock, and a file that must stay out."""
    folder = tmp_path_factory.mktemp("context")
    argv = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    subprocess.run([*argv, "--directory", str(folder / "dist")], cwd=PROJECT, check=True,
                   capture_output=True)  # fmt: skip
    shutil.copy(PROJECT / "requirements.lock", folder)
    shutil.copytree(PROJECT / "packaging", folder / "packaging")
    (folder / ".env").write_text("PASSWORD=made-up\n")
    return folder


def terraform(engine: DockerClient, folder: Path) -> str:
    """Return an image with this machine's Terraform where the official one has it."""
    folder.mkdir()
    found = Path(shutil.which("terraform") or "/nowhere")
    if found.is_file() and found.read_bytes()[:4] == ELF:
        shutil.copy(found, folder / "terraform")
    else:
        (folder / "terraform").write_text(NO_TERRAFORM)
    (folder / "terraform").chmod(0o755)
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY terraform /bin/terraform\n")
    tag = f"{cache.LABEL}/terraform:{secrets.token_hex(4)}"
    engine.images.build(path=str(folder), tag=tag, rm=True, forcerm=True)
    return tag


@pytest.fixture(scope="module")
def image(
    engine: DockerClient, context: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    tag = f"{cache.LABEL}/restoops:{secrets.token_hex(4)}"
    bases = {
        "PYTHON_IMAGE": stack_images.python(engine),
        "TERRAFORM_IMAGE": terraform(engine, tmp_path_factory.mktemp("terraform") / "it"),
        "REVISION": "abc1234",
    }
    trusted = Path(os.environ.get("PIP_CERT") or CA_CERTIFICATES)
    argv = [
        *(client(), "build", "--progress", "plain", "--tag", tag),
        *("--file", str(context / "packaging/Dockerfile"), f"--secret=id=ca,src={trusted}"),
        *(f"--build-arg={name}={value}" for name, value in bases.items()),
        str(context),
    ]
    done = subprocess.run(
        argv, env={**os.environ, "DOCKER_BUILDKIT": "1"}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    yield tag
    for name in (tag, bases["TERRAFORM_IMAGE"]):
        engine.images.remove(name, force=True)


def said(image: str, *words: str, entrypoint: str = "") -> str:
    argv = ["docker", "run", "--rm", *((f"--entrypoint={entrypoint}",) if entrypoint else ())]
    done = subprocess.run([*argv, image, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.lab
@pytest.mark.full
def test_the_programs_are_in_it_and_start(engine: DockerClient, image: str, tmp_path: Path) -> None:
    for line in lines("run image"):
        [name] = re.findall(r"ghcr\.io/\S+", line)
        with stack_images.taken_for(engine, image, name):
            assert re.fullmatch(r"restoops \d\S+\n", typed(line, tmp_path))
    assert said(image, "version", entrypoint="terraform").startswith("Terraform v")
    assert "ansible-playbook [core 2." in said(image, "--version", entrypoint="ansible-playbook")
    assert said(image, "--version", entrypoint="git").startswith("git version 2.")
    modules = said(image, "-l", "-t", "module", "ansible.posix", entrypoint="ansible-doc")
    assert "ansible.posix.sysctl" in modules


@pytest.mark.lab
@pytest.mark.full
def test_it_brings_everything_and_runs_as_nobody_special(image: str) -> None:
    assert said(image, "-u", entrypoint="id") == "1001\n"
    assert "terraform: 7" in said(image, "init", "--dry-run")
    shell = ("-c", "restoops init >/dev/null && ls -A /work && ls -A / /opt/restoops")
    listed = said(image, *shell, entrypoint="sh").split()
    assert {"restoops.yaml", "terraform", "ansible", "docker", ".restoops"} <= set(listed)
    assert ".env" not in listed
    assert "build" not in listed


@pytest.mark.lab
@pytest.mark.full
def test_labels_say_what_it_is_and_no_layer_holds_a_certificate(image: str) -> None:
    inspect = ["docker", "image", "inspect", image]
    (found,) = json.loads(subprocess.run(inspect, capture_output=True, check=True).stdout)
    labels = found["Config"]["Labels"]

    assert labels["org.opencontainers.image.revision"] == "abc1234"
    assert found["Config"]["User"] == "1001"
    looking = "find / -xdev -name ca.pem 2>/dev/null; ls -A /"
    listed = said(image, "-c", looking, entrypoint="sh")
    assert "ca.pem" not in listed
    assert "build\n" not in listed
    assert "opt\n" in listed
