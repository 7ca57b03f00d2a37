"""Every line for a shell that the documentation shows is run by a test, or says why it is not.

Those of restoops itself are in test_docs.py, and what is quick is run here.
"""

import json
import re
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
import yaml

from tests.docs_shell import NOT_RUN, SHAPES, all_lines, lines, shown, typed
from tests.docs_text import PROJECT
from tests.lab.service import Service

REPOSITORY = "menu/restomarket"
API = "http://api.github.localhost"
WORKFLOWS = PROJECT / "templates" / "github" / "workflows"
NUMBERS = sorted(file.name for file in WORKFLOWS.iterdir())
"""Of workflows: GitHub starts them by number."""


class Workflows(Service):
    """Stands in for what `gh workflow run` asks GitHub, about the workflows that `init` brings.

    gh speaks plain HTTP to `github.localhost` only, so it is reached as the proxy in front of that.
    """

    def __init__(self) -> None:
        super().__init__()
        self.started: list[tuple[str, dict[str, str]]] = []
        """Each workflow with its inputs."""
        self.environment = {
            "GH_HOST": "github.localhost",
            "GH_REPO": f"github.localhost/{REPOSITORY}",
            "GH_TOKEN": "made-up",
            **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY"), f"http://{self.host}"),
            **dict.fromkeys(("http_proxy", "https_proxy", "NO_PROXY", "no_proxy"), ""),
        }

    def answer(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        # gh tells why it was refused only where it is told that it reads JSON.
        self.say(request, *self._answer(request.path, body), {"content-type": "application/json"})

    def _answer(self, path: str, body: bytes) -> tuple[int, object]:
        if path == f"{API}/graphql":
            return 200, {"data": {"repository": {"defaultBranchRef": {"name": "main"}}}}
        match path.removeprefix(f"{API}/repos/{REPOSITORY}/actions/workflows/").split("/"):
            case [name] if (WORKFLOWS / name).is_file():
                return 200, {"id": NUMBERS.index(name), "name": name, "state": "active"}
            case [number, "dispatches"]:
                return self._start(NUMBERS[int(number)], json.loads(body)["inputs"])
        return 404, {"message": "Not Found"}

    def _start(self, name: str, given: dict[str, str]) -> tuple[int, object]:
        workflow = yaml.safe_load((WORKFLOWS / name).read_text())
        known = workflow[True]["workflow_dispatch"]["inputs"]  # YAML reads `on` as true
        if unknown := given.keys() - known.keys():
            return 422, {"message": f"Unexpected inputs provided: {sorted(unknown)}"}
        if missing := {it for it in known if known[it].get("required")} - given.keys():
            return 422, {"message": f"Required input not provided: {sorted(missing)}"}
        self.started.append((name, given))
        return 204, None


def test_a_workflow_is_started_by_hand(tmp_path: Path) -> None:
    with Workflows() as github:
        for line in lines("gh workflow"):
            typed(line, tmp_path, **github.environment)

        assert github.started == [("deploy.yml", {"environment": "staging", "tag": "sha-abc1234"})]
        with pytest.raises(AssertionError, match="Unexpected inputs provided"):
            typed("gh workflow run deploy.yml -f sha=abc1234", tmp_path, **github.environment)


def test_gh_understands_how_attestations_are_verified(tmp_path: Path) -> None:
    """As far as it goes without Sigstore: gh takes all words, and then asks for its trust root."""
    (tmp_path / "FILE").write_text("a wheel")
    with Workflows() as nothing_else:
        for line in lines("gh attestation"):
            with pytest.raises(AssertionError) as told:
                typed(line, tmp_path, **nothing_else.environment)
            assert "no valid Sigstore verifiers could be initialized" in str(told.value)
            with pytest.raises(AssertionError, match="unknown flag: --repos"):
                typed(line.replace("--repo ", "--repos "), tmp_path)


def test_a_key_for_fingerprints_is_as_long_as_it_has_to_be(tmp_path: Path) -> None:
    made = {line: typed(line, tmp_path).strip() for line in lines("openssl")}

    assert {line: len(it) for line, it in made.items()} == {
        "openssl rand -hex 32": 64, "openssl rand -base64 32": 44,
    }  # fmt: skip


def test_a_key_for_ssh_is_made_and_listed(tmp_path: Path) -> None:
    make, look = sorted(lines("ssh"), reverse=True)
    typed(make, tmp_path, said=f"{tmp_path}/key\n\n\n")

    listed = typed(f"ssh-agent bash -c 'ssh-add -q key && {look}'", tmp_path)

    assert "(ED25519)" in listed


def test_the_module_of_the_playbooks_has_its_documentation() -> None:
    for line in lines("ansible-doc"):
        assert "restoops_swap" in typed(line, PROJECT / "ansible")


def test_a_damaged_file_is_set_aside(tmp_path: Path) -> None:
    for name in ("lock", "run.json"):
        (tmp_path / name).write_text("{not json")

    for line in lines("flock"):
        typed(line, tmp_path)

    assert sorted(it.name for it in tmp_path.iterdir()) == ["lock", "run.json.damaged"]


@pytest.mark.lab
def test_what_fills_a_disk_or_has_a_port_is_seen(tmp_path: Path) -> None:
    told = {line: typed(line, tmp_path).split()[0] for line in lines("look")}

    assert told == {"df -h": "Filesystem", "docker system df": "TYPE", "ss -ltnp": "State"}


@pytest.mark.parametrize("line", all_lines())
def test_a_line_is_run_by_a_test_or_says_why_it_is_not(line: str) -> None:
    asked = [name for name, shape in SHAPES.items() if re.fullmatch(shape, line)]

    assert len(asked) + (line in NOT_RUN) == 1


def test_every_kind_of_line_is_asked_for_by_a_test_and_none_is_left_over() -> None:
    tests = "".join(file.read_text() for file in (PROJECT / "tests").rglob("test_*.py"))

    assert [name for name in SHAPES if f'lines("{name}")' not in tests] == []
    assert [name for name in SHAPES if not lines(name)] == []
    assert NOT_RUN.keys() - set(all_lines()) == set()


def test_a_line_is_found_wherever_it_stands(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "1. a, or `gh run list`\n\n    ```console\n    $ rm -r /\n    gone\n    ```\n\n"
        "```sh\nls\n```\n```yaml\nrun: `git status -s`\n```\n"
    )

    assert list(shown(page)) == ["rm -r /", "ls", "gh run list"]
