"""`restoops init` on the command line."""

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from restoops.cli.app import run
from restoops.flows.init_source import brought
from restoops.plan.placing import Part


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_all_parts_are_put_in_place(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init"]) == 0

    for path in (
        "restoops.yaml",
        "terraform/environments/dev/main.tf",
        "docker/Dockerfile",
        "ansible/playbooks/update-api.yml",
        ".env.example",
        ".restoops/manifest.json",
        ".github/workflows/deploy.yml",
    ):
        assert (repository / path).is_file(), path
    assert "wrote restoops.yaml" in capsys.readouterr().out


@pytest.mark.parametrize("own", [None, "node_modules/\n"])
def test_what_work_leaves_behind_is_not_committed(
    repository: Path, capsys: pytest.CaptureFixture[str], own: str | None
) -> None:
    """Private halves of host keys lie there, states with passwords, and plans with both."""
    if own:
        (repository / ".gitignore").write_text(own)
    subprocess.run(["git", "init", "--quiet"], check=True)
    assert run(["init"]) == 0

    below = "terraform/environments/dev"
    left = {
        f"{below}/{name}"
        for name in ("host_keys.auto.tfvars.json", "terraform.tfvars", "terraform.tfstate",
                     "terraform.tfstate.1.backup", ".terraform/x", "errored.tfstate", "a.tfplan",
                     "plan")
    }  # fmt: skip
    left |= set() if own else {".env", ".env.staging", "apps/api/.env.local", "plans/dev.plan"}
    kept = {
        f"{below}/{name}" for name in ("backend.hcl", ".terraform.lock.hcl", "main.tf",
                                       "terraform.tfvars.example")
    } | {".env.example", "apps/api/.env.example", "docker/.env.staging.example"}  # fmt: skip
    asked = ["git", "check-ignore", *sorted(left | kept)]
    ignored = subprocess.run(asked, check=False, capture_output=True, text=True).stdout
    assert set(ignored.split()) == left
    if own:
        assert (repository / ".gitignore").read_text() == own
        assert ".gitignore is there already and was left as it is" in capsys.readouterr().out


def test_parts_can_be_chosen(repository: Path) -> None:
    assert run(["init", "--only", "ansible, env"]) == 0

    assert {path.name for path in repository.iterdir()} == {
        ".env.example", ".gitignore", ".gitleaks.toml", ".restoops", "ansible", "apps",
    }  # fmt: skip


@pytest.mark.parametrize("parts", ["kubernetes", ",", "ansible,x"])
def test_an_unknown_part_is_told(
    repository: Path, capsys: pytest.CaptureFixture[str], parts: str
) -> None:
    assert run(["init", "--only", parts]) == 2

    assert "There are: config, terraform" in capsys.readouterr().err
    assert list(repository.iterdir()) == []


def test_the_parts_of_the_command_line_are_those_that_there_are() -> None:
    from restoops.cli.init import PARTS

    assert tuple(Part) == PARTS


def test_json_has_an_object_for_each_file(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["init", "--json", "--dry-run"]) == 0

    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {it["path"] for it in told} == brought(frozenset(Part)).keys()
    assert {it["verdict"] for it in told} == {"written"}
    assert list(repository.iterdir()) == []


def test_what_needs_a_person_ends_with_status_3(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["init", "--only", "ansible"]) == 0
    file = repository / "ansible/ansible.cfg"
    manifest = repository / ".restoops/manifest.json"
    _as_if_an_earlier_version_had_brought(manifest, "ansible/ansible.cfg", b"[defaults]\nforks=2\n")
    file.write_text("[defaults]\nforks=3\n")

    assert run(["init", "--upgrade"]) == 3

    assert file.read_text() == "[defaults]\nforks=3\n"
    assert "ansible/ansible.cfg could not be merged" in capsys.readouterr().err
    assert "+forks = 10" in (repository / "ansible/ansible.cfg.rej").read_text()


def _as_if_an_earlier_version_had_brought(manifest: Path, path: str, content: bytes) -> None:
    from restoops.adapters.manifest import Entry, Manifest, parse, render

    files = dict(parse(manifest.read_bytes(), "").files)
    manifest.write_bytes(render(Manifest({**files, path: Entry(files[path].part, content)})))


def test_a_diff_cannot_command_a_terminal(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / ".env.example").write_text("A=\x1b]0;title\x07\n")

    assert run(["init", "--only", "env"]) == 0

    assert "\x1b" not in capsys.readouterr().out


def test_compose_finds_the_dockerfile_and_the_sources(repository: Path) -> None:
    assert run(["init", "--only", "docker"]) == 0

    for name in ("dev", "staging"):
        file = repository / f"docker/docker-compose.{name}.yml"
        api = yaml.safe_load(file.read_text())["services"]["api"]
        context = (file.parent / api["build"]["context"]).resolve()
        assert context == repository
        assert (context / api["build"]["dockerfile"]).is_file()
        watched = api.get("develop", {}).get("watch", [])
        assert {(file.parent / it["path"]).resolve() for it in watched} <= {
            repository / "apps", repository / "packages",
        }  # fmt: skip
    assert "/terraform\n" in (repository / "docker/Dockerfile.dockerignore").read_text()


def test_the_workflow_builds_the_dockerfile_that_was_brought(repository: Path) -> None:
    assert run(["init", "--only", "docker,github"]) == 0

    jobs = yaml.safe_load((repository / ".github/workflows/ci-cd.yml").read_text())["jobs"]
    (job,) = jobs.values()
    assert (repository / job["with"].get("directory", ".") / job["with"]["dockerfile"]).is_file()


def test_what_was_brought_holds_no_secret(repository: Path) -> None:
    assert run(["init"]) == 0

    argv = ["gitleaks", "dir", "--no-banner", "--exit-code", "9", str(repository)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
