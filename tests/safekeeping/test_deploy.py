"""A deploy to an environment whose secrets are not as they should be does not begin."""

from pathlib import Path

import pyrage
import pytest

import restoops.config.template as commented
from restoops.cli.context import load_environment
from restoops.config.load import choose
from restoops.flows.secrets_current import handing
from restoops.flows.secrets_sources import Keeping
from tests.safekeeping.canaries import PASSWORD
from tests.safekeeping.stage import Done, Project

ENVIRONMENT = "environments: {staging: {terraform: {directory: infra}}}\n"
KEY = "SECRETS_FINGERPRINT_KEY=" + "f1" * 16
SECTION = "secrets: {template: .env.example, file: ../staging.env}\n"


@pytest.fixture(autouse=True)
def terraform(project: Project) -> Path:
    """Write a terraform that notes that it was asked for hosts, and a template; return the note."""
    note = project.folder.parent / "asked"
    program = project.write("../bin/terraform", f"#!/bin/sh\ntouch {note}\nexit 1\n", 0o755)
    project.env["PATH"] = f"{program.resolve().parent}:/usr/bin:/bin"
    project.write("infra/main.tf", "")
    project.write(".env.example", "# min: 16\nSESSION_KEY=<key>\n")
    return note


def deploy(project: Project, *options: str) -> Done:
    return project.restoops("deploy", "v1", "staging", "--yes", *options)


@pytest.mark.parametrize("options", [[], ["--dry-run"]])
def test_nothing_is_contacted_and_what_is_wrong_is_told(
    project: Project, terraform: Path, options: list[str]
) -> None:
    project.write("restoops.yaml", ENVIRONMENT + SECTION)
    project.write("../staging.env", f"SESSION_KEY=short\nOTHER={PASSWORD}\n", 0o600)

    done = deploy(project, *options)

    assert (done.status, done.out) == (6, "")
    assert "SESSION_KEY: wrong shape, should have 16 characters or more" in done.err
    assert "OTHER: extra" in done.err
    assert "nothing was contacted" in done.err
    assert PASSWORD not in done.all
    assert not terraform.exists()


def test_a_program_is_told_the_same(project: Project) -> None:
    project.write("restoops.yaml", ENVIRONMENT + SECTION)
    project.write("../staging.env", "", 0o600)

    (error,) = deploy(project, "--json").json

    assert error["status"] == 6
    assert error["details"].startswith("SESSION_KEY: missing, give it a value\n")


@pytest.mark.parametrize(
    ("settings", "value"),
    [
        pytest.param(ENVIRONMENT + SECTION, PASSWORD, id="all is as it should be"),
        pytest.param(ENVIRONMENT, "", id="there is no section: nobody asked for a check"),
        pytest.param(ENVIRONMENT + "secrets:\n", "", id="an empty section is none"),
    ],
)
def test_a_deploy_goes_on(project: Project, terraform: Path, settings: str, value: str) -> None:
    project.write("restoops.yaml", settings)
    project.write("../staging.env", f"SESSION_KEY={value}\n{KEY}\n", 0o600)

    deploy(project)

    assert terraform.exists()


def test_a_key_that_is_missing_is_told_before_anything_is_contacted(
    project: Project, terraform: Path
) -> None:
    project.write("restoops.yaml", ENVIRONMENT + SECTION)
    project.write("../staging.env", f"SESSION_KEY={PASSWORD}\n", 0o600)

    done = deploy(project)

    assert (done.status, done.out) == (6, "")
    assert "SECRETS_FINGERPRINT_KEY: missing" in done.err
    assert project.run("check", "staging").status == 6
    assert not terraform.exists()


def test_a_password_store_is_asked_once_in_a_run(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may ask for a password each time; and what was checked is what a release is given."""
    script = f"echo asked >>../asked.log; echo SESSION_KEY={PASSWORD}; echo {KEY}"
    section = "secrets: {template: .env.example, source: command, command: [sh, -c, '%s']}\n"
    project.write("restoops.yaml", "environments: {staging: {hosts: [a]}}\n" + section % script)
    monkeypatch.chdir(project.folder)

    loaded = load_environment("staging", checks_secrets=True)
    read = handing(Keeping.of(loaded, start=project.folder, environ={}))

    assert {name: it.secret.reveal() for name, it in read().values.items()} == {
        "SESSION_KEY": PASSWORD
    }
    assert (project.folder / "../asked.log").read_text() == "asked\n"


def test_a_rollback_is_never_held_up(project: Project, terraform: Path) -> None:
    project.write("restoops.yaml", ENVIRONMENT + SECTION)

    assert project.restoops("rollback", "staging", "--yes").status != 6
    assert terraform.exists()


def test_the_section_of_one_environment_counts_for_it_alone(project: Project) -> None:
    text = "environments: {staging: {hosts: [a], secrets: {template: b}}, dev: {hosts: [c]}}"
    project.write("restoops.yaml", text)
    chosen = {
        name: choose(name, start=project.folder, environ={}).settings.has_secrets
        for name in ("staging", "dev", "local")
    }

    assert chosen == {"staging": True, "dev": False, "local": False}
    variable = {"RESTOOPS_SECRETS__SOURCE": "environment"}
    assert choose("dev", start=project.folder, environ=variable).settings.has_secrets


def test_the_file_of_init_asks_for_no_check(project: Project) -> None:
    project.write("restoops.yaml", commented.render())

    assert not choose("local", start=project.folder, environ={}).settings.has_secrets


def test_what_age_has_encrypted_is_masked_in_them_too(project: Project, terraform: Path) -> None:
    section = "secrets: {template: .env.example, source: age, age_identity: ../age.key}\n"
    project.write("restoops.yaml", ENVIRONMENT + section)
    key = pyrage.x25519.Identity.generate()
    project.write("../age.key", f"{key}\n", 0o600)
    encrypted = pyrage.encrypt(f"SESSION_KEY={PASSWORD}\n".encode(), [key.to_public()])
    project.write("secrets/staging.env.age", "").write_bytes(encrypted)
    terraform.parent.joinpath("bin", "terraform").write_text(
        f"#!/bin/sh\necho {PASSWORD}; exit 1\n"
    )

    done = project.restoops("rollback", "staging", "--yes")

    assert "***" in done.err
    assert PASSWORD not in done.all


@pytest.mark.parametrize("words", [["rollback", "staging", "--yes"], ["logs", "staging"]])
def test_what_other_commands_print_is_masked_as_well(
    project: Project, terraform: Path, words: list[str]
) -> None:
    project.write("restoops.yaml", ENVIRONMENT + SECTION)
    project.write("../staging.env", f"SESSION_KEY={PASSWORD}\n", 0o600)
    terraform.parent.joinpath("bin", "terraform").write_text(
        f"#!/bin/sh\necho {PASSWORD}; exit 1\n"
    )

    done = project.restoops(*words)

    assert done.status == 5, done
    assert "***" in done.err
    assert PASSWORD not in done.all
