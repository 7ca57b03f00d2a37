"""`restoops infra backend`, and the state of the real terraform on a real S3 server."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.infra.s3 import Behaviour, Server, serving
from tests.infra.stage import MAIN, PATIENCE_S, Stage, stage

BUCKET = "restomarket-api-dev-tfstate"
SECRET = "spaces-secret-0123456789"
KEYS = {"SPACES_ACCESS_KEY_ID": "spaces-key", "SPACES_SECRET_ACCESS_KEY": SECRET}
S3_MAIN = MAIN.replace("terraform {\n", 'terraform {\n  backend "s3" {}\n', 1)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path, S3_MAIN) as made:
        made.env.update(KEYS)
        yield made


def backend(server: Server, *more: str) -> tuple[str, ...]:
    return ("backend", "dev", "--region", "us-east-1", "--endpoint", server.url, *more)


def lock_file() -> bytes:
    """Return a lock as terraform writes it."""
    return json.dumps(
        {"ID": "11111111-2222-3333-4444-555555555555", "Operation": "OperationTypeApply",
         "Info": "", "Who": "alice@laptop", "Version": "1.11.4",
         "Created": "2026-03-01T11:22:33.123456Z", "Path": f"{BUCKET}/dev/terraform.tfstate"}
    ).encode()  # fmt: skip


def test_a_dry_run_says_what_is_missing_and_makes_nothing(project: Stage, server: Server) -> None:
    done = project.good(*backend(server, "--dry-run"))

    assert f"would make the bucket {BUCKET}" in done.out
    assert "would let old versions go after 90 days" in done.out
    assert server.client().list_buckets()["Buckets"] == []
    assert not (project.root / "backend.hcl").exists()


def test_all_of_it_is_made_once(project: Stage, server: Server) -> None:
    first = project.good(*backend(server))
    second = project.good(*backend(server, "--json"))

    assert "done: make the bucket" in first.out
    assert second.last_json["changed"] == []
    file = project.root / "backend.hcl"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for secret in KEYS.values():
        assert secret not in file.read_text() + first.all + second.all


def test_the_state_lives_there_with_its_old_versions(project: Stage, server: Server) -> None:
    project.good(*backend(server, "--probe"))
    project.good("init", "dev")
    project.good("apply", "dev", "--yes")
    project.write('droplets = { a = { size = "s-2vcpu-4gb" } }\n', "terraform.tfvars")
    project.good("apply", "dev", "--yes", "--confirm", "dev-b")

    found = server.client().list_object_versions(Bucket=BUCKET, Prefix="dev/")
    states = [it for it in found["Versions"] if it["Key"] == "dev/terraform.tfstate"]
    assert len(states) >= 2
    assert "dev: 39.00 USD a month" in project.good("cost", "dev").out
    assert not (project.root / "terraform.tfstate").exists()


def test_locks_are_on_only_after_they_were_shown_to_work(project: Stage, server: Server) -> None:
    assert "locking: off, until `--probe`" in project.good(*backend(server)).out
    assert "use_lockfile" not in (project.root / "backend.hcl").read_text()

    assert "locking: on" in project.good(*backend(server, "--probe")).out
    assert "use_lockfile" in (project.root / "backend.hcl").read_text()
    assert "locking: on" in project.good(*backend(server)).out


@pytest.mark.parametrize(
    ("behaviour", "why"),
    [
        (Behaviour.IGNORES_CONDITIONS, "10 were given away again while they were held"),
        (Behaviour.REFUSES_CONDITIONS, "it takes no conditional writes"),
    ],
)
def test_a_service_whose_locks_cannot_be_trusted_is_told(
    project: Stage, server: Server, behaviour: Behaviour, why: str
) -> None:
    project.good(*backend(server, "--probe"))
    server.behaviour = behaviour

    done = project.run(*backend(server, "--probe"))

    assert done.status == 6
    assert f"locks cannot be trusted at {server.url}" in done.err
    assert why in done.err
    assert "use_lockfile" not in (project.root / "backend.hcl").read_text()


def test_a_lock_of_somebody_else_is_told_with_who_and_since_when(
    project: Stage, server: Server
) -> None:
    project.good(*backend(server, "--probe"))
    project.good("init", "dev")
    server.client().put_object(Bucket=BUCKET, Key="dev/terraform.tfstate.tflock", Body=lock_file())

    done = project.run("plan", "dev")

    assert done.status == 4, done.all
    assert "the state of dev is locked by alice@laptop for apply since 2026-03-01" in done.err
    assert "force-unlock 11111111-2222-3333-4444-555555555555" in done.err


@pytest.mark.parametrize(
    "command",
    [
        "plan",
        pytest.param("cost", marks=pytest.mark.full),  # terraform tries for 25 s
        pytest.param("output", marks=pytest.mark.full),
    ],
)
def test_a_backend_that_does_not_answer_is_status_5(
    project: Stage, server: Server, command: str
) -> None:
    project.good(*backend(server))
    project.good("init", "dev")
    server.stop()

    done = project.run(command, "dev", AWS_MAX_ATTEMPTS="1")

    assert done.status == 5, done.all
    assert "could not be reached" in done.err


def test_a_backend_that_refuses_the_key_is_status_5(project: Stage, server: Server) -> None:
    project.good(*backend(server))
    project.good("init", "dev")
    server.behaviour = Behaviour.REFUSES_KEYS

    done = project.run("plan", "dev")

    assert done.status == 5, done.all
    assert "SPACES_ACCESS_KEY_ID" in done.err
    assert SECRET not in done.all


def test_a_state_that_could_not_be_saved_is_for_a_person_to_look_at(
    project: Stage, server: Server
) -> None:
    project.good(*backend(server))
    project.good("init", "dev")
    project.cloud.slow = "digitalocean_vpc"
    process = project.start("apply", "dev", "--yes", AWS_MAX_ATTEMPTS="1")
    assert project.cloud.begun.wait(PATIENCE_S)
    server.stop()
    project.cloud.go_on.set()

    _, said = process.communicate(timeout=PATIENCE_S)

    assert process.returncode == 3, said
    assert "the state of dev could not be saved" in said
    assert "state push errored.tfstate" in said
    assert (project.root / "errored.tfstate").exists()


def test_a_bucket_that_is_gone_is_told(project: Stage, server: Server) -> None:
    project.good(*backend(server))
    hcl = project.root / "backend.hcl"
    hcl.write_text(hcl.read_text().replace(BUCKET, "another-bucket"))

    done = project.run("init", "dev")

    assert done.status == 5, done.all
    assert "the bucket with the state of dev is not there" in done.err


def test_another_place_for_the_state_needs_a_word_and_the_same_place_does_not(
    project: Stage, server: Server
) -> None:
    project.good(*backend(server))
    project.good("init", "dev")
    project.good("apply", "dev", "--yes")
    project.good(*backend(server, "--probe"))  # the same place, now with locks
    project.good("init", "dev")
    assert "no changes" in project.good("plan", "dev").out

    project.good(*backend(server, "--bucket", "another-bucket"))
    done = project.run("init", "dev")
    assert done.status == 2, done.all
    assert "would be in another place than before" in done.err
    assert "`restoops infra init dev --migrate-state`" in done.err

    project.good("init", "dev", "--migrate-state")
    assert "no changes" in project.good("plan", "dev").out
    objects = server.client().list_objects_v2(Bucket="another-bucket")["Contents"]
    assert [it["Key"] for it in objects] == ["dev/terraform.tfstate"]


def test_a_backend_without_its_file_is_told_with_the_command(project: Stage) -> None:
    done = project.run("init", "dev")

    assert done.status == 2, done.all
    assert "`restoops infra backend dev --region REGION`" in done.err


def test_credentials_that_are_missing_are_told(project: Stage, server: Server) -> None:
    project.good(*backend(server))
    nothing = dict.fromkeys(KEYS, "")

    made = project.run(*backend(server), **nothing)
    done = project.run("init", "dev", **nothing)

    assert (made.status, done.status) == (5, 5), done.all
    assert "SPACES_SECRET_ACCESS_KEY" in made.err
    assert "SPACES_SECRET_ACCESS_KEY" in done.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--region", "nyc9"], "Spaces is not in 'nyc9'"),
        (["--region", "fra1", "--bucket", "A_b"], "cannot be the name of a bucket"),
        (["--region", "fra1", "--endpoint", "ftp://x"], "`--endpoint` takes an address"),
        ([], "--region"),
    ],
)
def test_wishes_that_make_no_sense_are_refused(project: Stage, words: list[str], said: str) -> None:
    done = project.run("backend", "dev", *words)

    assert done.status == 2
    assert said in done.err
