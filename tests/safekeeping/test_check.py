"""`restoops secrets check`: names are told, values never."""

import pytest

from tests.safekeeping.canaries import PASSWORD, letters
from tests.safekeeping.stage import Project

TEMPLATE = """\
# Where the database is.
# pattern: postgresql://\\S+
DATABASE_URL=postgresql://<user>:<password>@<host>/app

# min: 16
SESSION_KEY=<key>

# optional
# type: integer
PORT=3001
"""
GOOD = f"""\
DATABASE_URL=postgresql://app:{PASSWORD}@db/app
SESSION_KEY="{PASSWORD}"
"""
SETTINGS = "app: {name: menu}\nenvironments: {staging: {hosts: [192.0.2.10]}}\n"
KEY = f"SECRETS_FINGERPRINT_KEY={letters('fingerprint key', 40)}\n"
PLACE = "../home/.config/restoops/menu/staging.env"


@pytest.fixture(autouse=True)
def templates(project: Project) -> None:
    project.write("restoops.yaml", SETTINGS)
    project.write("apps/api/.env.example", TEMPLATE)


def test_an_environment_that_is_as_its_template_wants_passes(project: Project) -> None:
    project.write(PLACE, GOOD, 0o600)

    done = project.run("check", "staging")

    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("staging: ")
    assert PASSWORD not in done.all


def test_all_that_is_wrong_is_told_by_name_and_no_value_is(project: Project) -> None:
    lines = [
        f"DATABASE_URL=mysql://app:{PASSWORD}@db",
        "SESSION_KEY=",
        f"OTHER={PASSWORD}",
        "PORT=<port>",
    ]
    project.write(PLACE, "\n".join(lines), 0o600)

    done = project.run("check", "staging")

    assert done.status == 6
    assert [line.split()[:2] for line in done.out.splitlines()[1:5]] == [
        ["DATABASE_URL", "wrong"], ["SESSION_KEY", "empty"], ["PORT", "placeholder"],
        ["OTHER", "extra"],
    ]  # fmt: skip
    assert "error: staging: 4 variables to put right" in done.err
    assert PASSWORD not in done.all


def test_a_program_is_told_the_same(project: Project) -> None:
    project.write(PLACE, "PORT=a\n", 0o600)

    done = project.run("check", "staging", "--json")
    found, error = done.json

    assert (done.status, done.err) == (6, "")
    assert found["environment"] == "staging"
    assert [(it["name"], it["problem"]) for it in found["findings"]] == [
        ("DATABASE_URL", "missing"), ("SESSION_KEY", "missing"), ("PORT", "wrong shape"),
    ]  # fmt: skip
    assert error["status"] == 6


def test_the_environment_of_the_process_is_compared_where_it_is_the_source(
    project: Project,
) -> None:
    project.write("restoops.yaml", SETTINGS + "secrets: {source: environment}\n")
    values = {"DATABASE_URL": f"postgresql://app:{PASSWORD}@db/app"}

    missing = project.run("check", "staging", "--json", env=values)
    values |= {"SESSION_KEY": PASSWORD, "SECRETS_FINGERPRINT_KEY": "k" * 32}
    good = project.run("check", "staging", env=values)

    assert [it["name"] for it in missing.json[0]["findings"]] == [
        "SESSION_KEY", "SECRETS_FINGERPRINT_KEY",
    ]  # fmt: skip
    assert (good.status, PASSWORD in good.all) == (0, False)


def test_each_environment_has_a_template_and_a_file_of_its_own(project: Project) -> None:
    project.write("web/.env.example", "A=<a>\n")
    project.write("../elsewhere.env", f"A=1\n{KEY}", 0o600)
    project.write(
        "restoops.yaml",
        "environments:\n  staging:\n    hosts: [192.0.2.10]\n"
        "    secrets: {template: web/.env.example, file: ../elsewhere.env}\n",
    )

    assert project.run("check", "staging").status == 0
    assert "restomarket-api/local.env cannot be read" in project.run("check", "local").err


def test_hosts_from_terraform_are_not_asked_for(project: Project) -> None:
    project.write(
        "restoops.yaml",
        "app: {name: menu}\nenvironments: {staging: {terraform: {directory: nowhere}}}\n",
    )
    project.write(PLACE, GOOD, 0o600)

    assert project.run("check", "staging").status == 0


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("", "missing"),
        ("SECRETS_FINGERPRINT_KEY=\n", "missing"),
        (f"SECRETS_FINGERPRINT_KEY={'k' * 31}\n", "wrong shape"),
    ],
)
def test_a_key_that_a_deploy_would_ask_for_is_asked_for(
    project: Project, line: str, told: str
) -> None:
    project.write(PLACE, GOOD + line, 0o600)
    without_section = project.run("check", "staging")
    project.write("restoops.yaml", SETTINGS + "secrets: {source: file}\n")

    done = project.run("check", "staging")

    assert without_section.status == 0
    assert done.status == 6
    assert done.out.splitlines()[1].startswith(f"SECRETS_FINGERPRINT_KEY  {told}")
    assert "openssl rand -hex 32" in done.out
    assert "k" * 31 not in done.all


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660])
def test_a_file_that_others_can_read_is_refused(project: Project, mode: int) -> None:
    path = project.write(PLACE, GOOD, mode)

    done = project.run("check", "staging")

    assert done.status == 2
    assert f"chmod 600 {path.resolve()}" in done.err


def test_a_file_within_the_repository_is_refused_also_by_a_link(project: Project) -> None:
    project.write("real.env", GOOD, 0o600)
    project.write("restoops.yaml", SETTINGS + "secrets: {file: real.env}\n")
    inside = project.run("check", "staging")
    (project.folder.parent / "link.env").symlink_to(project.folder / "real.env")
    project.write("restoops.yaml", SETTINGS + "secrets: {file: ../link.env}\n")
    linked = project.run("check", "staging")

    for done in (inside, linked):
        assert done.status == 2
        assert "is within the repository" in done.err


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        pytest.param(f"PORT=1\n{PASSWORD}\n", "2", id="a value alone"),
        pytest.param(f"A='{PASSWORD}\n\nPORT=1\n", "1", id="a quote that is not closed"),
        pytest.param(f"\n\nMII{PASSWORD}x==\n{PASSWORD}=\n", "3, 4", id="lines of a key"),
        pytest.param(f"my key={PASSWORD}\n", "1", id="a name with a blank"),
    ],
)
def test_lines_that_are_none_are_told_by_number_only(
    project: Project, text: str, lines: str
) -> None:
    project.write(PLACE, text, 0o600)

    done = project.run("check", "staging")

    assert done.status == 2
    assert f"lines that are no NAME=value: {lines}" in done.err
    assert PASSWORD not in done.all


def test_values_of_several_lines_comments_and_exports_are_read(project: Project) -> None:
    text = f'# a comment\nexport DATABASE_URL=postgresql://h # more\nSESSION_KEY="{PASSWORD}\nb"\n'
    project.write(PLACE, text, 0o600)

    assert project.run("check", "staging").status == 0


@pytest.mark.parametrize(
    ("settings", "status", "told"),
    [
        pytest.param("secrets: {template: nowhere}", 2, "`secrets.template` in restoops.yaml",
                     id="no template"),
        pytest.param("secrets: {file: '~/{stage}.env'}", 2, "secrets.file: Input should be",
                     id="an unknown part of a path"),
        pytest.param("secrets: {file: ~nobody-here/a.env}", 2, "leads to no home directory",
                     id="the home of somebody who is not there"),
        pytest.param("secrets: {source: vault}", 2, "secrets.source: Input should be",
                     id="an unknown source"),
        pytest.param("", 2, "Copy the template there and fill it in", id="no file"),
    ],
)  # fmt: skip
def test_what_is_missing_for_a_check_is_told(
    project: Project, settings: str, status: int, told: str
) -> None:
    project.write("restoops.yaml", f"{SETTINGS}{settings}\n")

    done = project.run("check", "staging")

    assert (done.status, done.out) == (status, "")
    assert told in done.err


def test_faults_of_the_template_are_told_all_at_once(project: Project) -> None:
    project.write("apps/api/.env.example", "# type: uri\nA=\n\n# min: few\nB=\n")
    project.write(PLACE, GOOD, 0o600)

    done = project.run("check", "staging")

    assert done.status == 2
    assert "line 2, A: `type` is one of" in done.err
    assert "line 5, B: `min` is a number" in done.err


def test_an_unknown_environment_is_told(project: Project) -> None:
    done = project.run("check", "stagign")

    assert done.status == 2
    assert "did you mean `staging`?" in done.err


def test_a_comment_belongs_to_what_it_stands_right_above(project: Project) -> None:
    project.write("apps/api/.env.example", "# optional\n\nA=\n# optional\nB=\nC=\n")
    project.write(PLACE, "\n", 0o600)

    found = project.run("check", "staging", "--json").json[0]["findings"]

    assert [it["name"] for it in found] == ["A", "C"]


def test_values_that_cannot_be_masked_are_told_by_name(project: Project) -> None:
    project.write("apps/api/.env.example", "A=<a>\nB=<b>\nPORT=3001\nC=\n")
    project.write(PLACE, f"A=production\nB={PASSWORD}\nPORT=3001\nC=short\n", 0o600)

    done = project.run("check", "staging")

    assert done.status == 0
    assert "too short or too common to be masked in output: A, C\n" in done.out
    assert project.run("check", "staging", "--json").json[0]["weak"] == ["A", "C"]


def test_a_path_that_holds_a_secret_is_not_shown_with_it(project: Project) -> None:
    project.write("restoops.yaml", SETTINGS + f"secrets: {{file: ../{PASSWORD}.env}}\n")
    project.write(f"../{PASSWORD}.env", GOOD + KEY, 0o600)

    done = project.run("check", "staging")

    assert (done.status, PASSWORD in done.all) == (0, False)
    assert "***.env" in done.out
