"""Where the credentials of a registry are found, and which registry they are for."""

from __future__ import annotations

import base64
import contextlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from restoops.adapters.registry import find_login
from restoops.errors import RestoopsError, Unreachable
from restoops.model import Login, registry_of
from tests.adapters.test_registry import OLGA, PASSWORD


def test_the_environment_names_the_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRY_USERNAME", "olga")
    monkeypatch.setenv("GITHUB_TOKEN", PASSWORD)

    assert find_login("ghcr.io", ours="ghcr.io") == OLGA


@pytest.mark.usefixtures("docker_config")
@pytest.mark.parametrize(
    ("registry", "ours", "expected"),
    [
        ("docker.io", "ghcr.io", None),
        ("ghcr.io.example.com", "ghcr.io", None),
        ("127.0.0.1:5000", "127.0.0.1:5001", None),
        ("GHCR.io", "ghcr.io:443", OLGA),
        ("docker.io", "index.docker.io", OLGA),
    ],
)
def test_credentials_of_the_environment_are_for_the_applications_registry_alone(
    registry: str, ours: str, expected: Login | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGISTRY_USERNAME", "olga")
    monkeypatch.setenv("GITHUB_TOKEN", PASSWORD)

    assert find_login(registry, ours=ours) == expected


@pytest.mark.parametrize(
    ("reference", "registry"),
    [
        ("haproxy:3.2", "docker.io"),
        ("library/haproxy", "docker.io"),
        ("docker.io/library/haproxy:3.2.4-alpine", "docker.io"),
        ("ghcr.io/team/haproxy@sha256:0", "ghcr.io"),
        ("localhost/haproxy", "localhost"),
        ("mirror:5000/haproxy", "mirror:5000"),
    ],
)
def test_an_image_names_its_registry(reference: str, registry: str) -> None:
    assert registry_of(reference) == registry


@pytest.fixture
def docker_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty Docker configuration, found before all others."""
    monkeypatch.delenv("REGISTRY_USERNAME", raising=False)
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return tmp_path / "config.json"


def _install_helper(folder: Path, body: str) -> None:
    helper = folder / "docker-credential-vault"
    helper.write_text(f"#!/bin/sh\ncat >/dev/null\n{body}\n")
    helper.chmod(0o755)


def test_docker_names_the_credentials(docker_config: Path) -> None:
    auth = base64.b64encode(f"olga:{PASSWORD}".encode()).decode()
    docker_config.write_text(json.dumps({"auths": {"ghcr.io": {"auth": auth}}}))

    assert find_login("ghcr.io", ours="ghcr.io") == OLGA
    assert find_login("other.example", ours="other.example") is None
    assert find_login("ghcr.io", ours="other.example") == OLGA


def test_a_credential_helper_names_the_credentials(docker_config: Path) -> None:
    docker_config.write_text(json.dumps({"credHelpers": {"ghcr.io": "vault"}}))
    answer = json.dumps({"ServerURL": "ghcr.io", "Username": "olga", "Secret": PASSWORD})
    _install_helper(docker_config.parent, f"echo '{answer}'")

    assert find_login("ghcr.io", ours="ghcr.io") == OLGA


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("echo 'the vault is locked'; exit 1", id="it fails"),
        pytest.param("echo 'no JSON'", id="it says something else"),
    ],
)
def test_a_credential_helper_that_fails_is_told(docker_config: Path, body: str) -> None:
    docker_config.write_text(json.dumps({"credHelpers": {"ghcr.io": "vault"}}))
    _install_helper(docker_config.parent, body)

    with pytest.raises(Unreachable, match=r"credentials for ghcr\.io cannot be read"):
        find_login("ghcr.io", ours="ghcr.io")


def test_a_credential_helper_that_is_missing_is_told(docker_config: Path) -> None:
    docker_config.write_text(json.dumps({"credHelpers": {"ghcr.io": "nowhere"}}))

    with pytest.raises(Unreachable, match=r"credentials for ghcr\.io cannot be read"):
        find_login("ghcr.io", ours="ghcr.io")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"auths": 1}'])
def test_a_damaged_docker_configuration_is_no_traceback(docker_config: Path, text: str) -> None:
    docker_config.write_text(text)

    with contextlib.suppress(RestoopsError):
        assert find_login("ghcr.io", ours="ghcr.io") is None


LOADED_MEANWHILE = """
import importlib.abc, sys, threading, time
from restoops.adapters.registry import find_login

begun = threading.Event()

class Slow(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "docker.api.client":
            begun.set()
        if name in ("docker.api.client", "docker.credentials"):
            time.sleep(0.5)

def use_engine():
    from restoops.adapters.docker import docker
    print(docker.APIClient(version="1.41").api_version)

sys.meta_path.insert(0, Slow())
thread = threading.Thread(target=use_engine)
thread.start()
begun.wait()
print(find_login("127.0.0.1:5000", ours="127.0.0.1:5000"))
thread.join()
"""


def test_credentials_are_looked_for_while_the_client_of_the_engine_is_loaded(
    docker_config: Path,
) -> None:
    """Both happen at once in each deploy; one of them once saw half of `docker.auth`."""
    found = subprocess.run(
        [sys.executable, "-c", LOADED_MEANWHILE],
        env={"DOCKER_CONFIG": str(docker_config.parent)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (found.stderr, found.stdout.split()) == ("", ["None", "1.41"])
