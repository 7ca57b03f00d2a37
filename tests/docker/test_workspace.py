"""The files in docker/ agree with one another, and pass their own checks."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.docker import workspace
from tests.docker.workspace import PROGRAMS, PROJECT, WORKSPACE

FILES = {
    "docker-compose.dev.yml": ".env.development.example",
    "docker-compose.staging.yml": ".env.staging.example",
}
PORTS = {
    "docker-compose.dev.yml": {"api": 3001, "postgres": 5432, "redis": 6379, "adminer": 8080},
    "docker-compose.staging.yml": {"api": 3002, "postgres": 5433, "redis": 6380, "adminer": 8081},
}
VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)([^}]*)\}")


def variables(file: str) -> dict[str, set[str]]:
    """Return the variables of a compose file, each with the defaults that it has there."""
    found: dict[str, set[str]] = {}
    for line in (WORKSPACE / file).read_text().splitlines():
        for name, default in VARIABLE.findall(line.partition("# ")[0]):
            found.setdefault(name, set()).add(default)
    return found


def hadolint(file: Path) -> tuple[int, str]:
    """Return what hadolint says of a Dockerfile."""
    argv = [str(PROGRAMS / "hadolint"), "--no-color", str(file)]
    done = subprocess.run(argv, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout


def test_the_workspace_is_linted_typed_tested_and_formatted() -> None:
    workspace.built()
    told = workspace.run("pnpm", "exec", "turbo", "run", "lint", "typecheck", "test")
    workspace.run("pnpm", "exec", "prettier", "--check", ".")

    assert len(re.findall(r"# fail 0", told)) == 2
    assert sum(int(count) for count in re.findall(r"# pass (\d+)", told)) >= 25


@pytest.mark.parametrize("file", FILES)
def test_every_value_of_a_compose_file_has_a_default_that_its_example_shows(file: str) -> None:
    found = variables(file)
    example = (WORKSPACE / FILES[file]).read_text()
    shown = dict(re.findall(r"^([A-Z_]+)=(.*)$", example, re.MULTILINE))

    assert {name: {f":-{value}"} for name, value in shown.items()} == found


def stack(file: str) -> dict[str, Any]:
    """Return a compose file with the defaults of its variables."""
    text = VARIABLE.sub(lambda match: match[2].removeprefix(":-"), (WORKSPACE / file).read_text())
    found: dict[str, Any] = yaml.safe_load(text)
    return found


@pytest.mark.parametrize("file", FILES)
def test_ports_are_those_that_were_asked_for_and_names_are_the_files_own(file: str) -> None:
    found = stack(file)

    ports = {name: it["ports"][0].split(":") for name, it in found["services"].items()}
    assert {name: int(port) for name, (_, port, _) in ports.items()} == PORTS[file]
    assert {host for host, _, _ in ports.values()} == {"127.0.0.1"}
    assert set(found["volumes"]) == {"postgres-data", "redis-data"}
    assert set(found["networks"]) == {"app"}
    assert all("healthcheck" in service for service in found["services"].values())


def test_both_stacks_have_the_same_servers() -> None:
    servers = []
    for file in FILES:
        found = stack(file)
        del found["services"]["api"]
        for service in found["services"].values():
            service.pop("ports")
            service.pop("restart", None)
        servers.append((found["services"], found["configs"], found["volumes"]))

    assert servers[0] == servers[1]


def test_versions_are_the_same_wherever_they_stand() -> None:
    dockerfile = (WORKSPACE / "Dockerfile").read_text()
    defaults = dict(re.findall(r"^ARG (\w+)=\"?([^\"\n]*)\"?$", dockerfile, re.MULTILINE))
    package = json.loads((WORKSPACE / "package.json").read_text())

    assert package["packageManager"] == f"pnpm@{defaults['PNPM_VERSION']}"
    assert defaults["NODE_IMAGE"].startswith("node:20.")
    assert "alpine" in defaults["NODE_IMAGE"]
    for file in FILES:
        for name, told in variables(file).items():
            assert {f":-{defaults[name]}"} == told if name in defaults else True, name


def test_the_page_about_containers_has_every_argument_and_every_setting() -> None:
    page = (PROJECT / "docs" / "containers.md").read_text()
    dockerfile = (WORKSPACE / "Dockerfile").read_text()
    config = (WORKSPACE / "apps" / "api" / "src" / "config.ts").read_text()
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| `?([^`|]+?)`? \|", page, re.MULTILINE))
    defaults = dict(re.findall(r'^ARG (\w+)="?([^"\n]+)"?$', dockerfile, re.MULTILINE))
    defaults |= dict(re.findall(r"reader\.number\('(\w+)', (\d+)\)", config))
    needed = re.findall(r"reader\.url\('(\w+)'", config)

    assert rows | {"PNPM_VERSION": defaults["PNPM_VERSION"]} == (
        defaults | dict.fromkeys(needed, "required")
    )


def test_the_dockerfile_has_five_stages_and_hadolint_finds_nothing() -> None:
    text = (WORKSPACE / "Dockerfile").read_text()

    assert re.findall(r"^FROM .* AS (\S+)$", text, re.MULTILINE) == [
        *("base", "dependencies", "builder", "production-deps", "production"),
    ]
    assert hadolint(WORKSPACE / "Dockerfile") == (0, "")


def test_hadolint_finds_a_bad_dockerfile(tmp_path: Path) -> None:
    bad = tmp_path / "Dockerfile"
    bad.write_text("FROM debian:latest\nRUN cd /tmp && sudo make\n")

    status, told = hadolint(bad)

    assert status == 1
    assert "DL3007" in told


def test_no_address_of_a_registry_is_in_the_lockfile() -> None:
    assert "://" not in (WORKSPACE / "pnpm-lock.yaml").read_text()


def test_an_example_is_in_git_and_what_is_made_of_it_is_not() -> None:
    def is_ignored(name: str) -> bool:
        argv = ["git", "check-ignore", "--quiet", f"docker/{name}"]
        return subprocess.run(argv, cwd=PROJECT).returncode == 0

    assert [is_ignored(name) for name in FILES.values()] == [False, False]
    assert [is_ignored(name.removesuffix(".example")) for name in FILES.values()] == [True, True]
