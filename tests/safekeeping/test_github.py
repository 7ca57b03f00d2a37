"""`restoops secrets push --to github`: sealed, only what changed, and no value is shown."""

import json

import pytest

from restoops.config.load import choose
from tests.docs_text import PAGES, PROJECT, Shown, shown_commands
from tests.lab.github import REPOSITORY, Github
from tests.lab.service import Fault
from tests.safekeeping.canaries import PASSWORD, letters
from tests.safekeeping.stage import Done, Project

SHOWN = [
    it
    for page in PAGES
    for it in shown_commands(page)
    if it.words[:2] == ["secrets", "push"] and "github" in it.words
]
KEY = letters("fingerprint key", 40)
TEMPLATE = "DATABASE_URL=<url>\nSESSION_KEY=<key>\nnpm_token=<token>\n\n# optional\nEMPTY=\n"
VALUES = {"DATABASE_URL": f"postgresql://a:{PASSWORD}@db/app", "SESSION_KEY": PASSWORD,
          "npm_token": letters("npm", 36)}  # fmt: skip
SETTINGS = (
    "environments: {staging: {terraform: {directory: nowhere}}}\n"
    "secrets: {template: .env.example, source: environment, "
    f"github_repository: {REPOSITORY}, github_repository_secrets: [npm_token]}}\n"
)


@pytest.fixture(autouse=True)
def settings(project: Project, github: Github) -> None:
    project.write("restoops.yaml", SETTINGS)
    project.write(".env.example", TEMPLATE)
    project.env.update({**VALUES, "SECRETS_FINGERPRINT_KEY": KEY, "GITHUB_TOKEN": github.token,
                        "GITHUB_API_URL": github.api})  # fmt: skip


def push(project: Project, *options: str, **values: str) -> Done:
    done = project.run("push", "staging", "--to", "github", *options, env=values)
    for value in (*VALUES.values(), *values.values(), KEY, project.env["GITHUB_TOKEN"]):
        assert value not in done.all
    return done


def acts(done: Done) -> dict[str, str]:
    return {it["name"]: it["act"] for sink in done.json[0]["sinks"] for it in sink["moves"]}


def test_each_secret_is_where_a_workflow_finds_it(project: Project, github: Github) -> None:
    done = push(project, "--json")

    assert (done.status, done.err) == (0, "")
    assert set(acts(done).values()) == {"add"}
    staging = github.environments["staging"].values()
    assert staging == {name: VALUES[name] for name in ("DATABASE_URL", "SESSION_KEY")}
    assert github.repository.values() == {"NPM_TOKEN": VALUES["npm_token"]}


def test_what_is_unchanged_is_not_sent_again_and_the_rest_is(
    project: Project, github: Github
) -> None:
    push(project)
    before = len(github.changes)
    again = push(project, "--json")
    assert (set(acts(again).values()), len(github.changes)) == ({"keep"}, before)

    changed = push(project, "--json", SESSION_KEY="another " + PASSWORD)

    assert acts(changed) == {"DATABASE_URL": "keep", "SESSION_KEY": "replace", "npm_token": "keep"}
    assert [path.rpartition("/")[2] for method, path in github.changes[before:]
            if method == "PUT"] == ["SESSION_KEY"]  # fmt: skip
    assert github.environments["staging"].values()["SESSION_KEY"] == "another " + PASSWORD


def test_a_password_store_is_asked_once(project: Project) -> None:
    script = 'echo asked >>../asked.log; env | grep -E "^(DATA|SESS|npm|SECRETS)"'
    command = f"source: command, command: [sh, -c, '{script}']"
    project.write("restoops.yaml", SETTINGS.replace("source: environment", command))

    assert push(project).status == 0
    assert (project.folder / "../asked.log").read_text() == "asked\n"


def test_a_dry_run_sends_nothing(project: Project, github: Github) -> None:
    done = push(project, "--dry-run", "--json")

    assert (done.status, github.changes) == (0, [])
    assert set(acts(done).values()) == {"add"}


def test_what_somebody_changed_there_is_replaced(project: Project, github: Github) -> None:
    push(project)
    github.edit_by_hand(github.environments["staging"], "SESSION_KEY", "by hand")

    assert acts(push(project, "--json"))["SESSION_KEY"] == "replace"
    assert github.environments["staging"].values()["SESSION_KEY"] == PASSWORD


def test_what_was_cut_off_is_sent_again(project: Project, github: Github) -> None:
    push(project)
    github.may_not.add("variables")  # the notes of the repository cannot be written
    cut = push(project, "--json", npm_token="another " + PASSWORD)
    github.may_not.clear()

    assert cut.status == 5
    assert "GitHub wants variables=write" in cut.out
    assert acts(push(project, "--json"))["npm_token"] == "replace"
    assert github.repository.values() == {"NPM_TOKEN": VALUES["npm_token"]}


def test_status_tells_what_github_has_and_what_is_behind(project: Project, github: Github) -> None:
    def standings(**values: str) -> dict[str, str]:
        done = project.run("status", "staging", "--of", "github", "--json", env=values)
        assert done.status == 0
        for value in (*VALUES.values(), *values.values(), KEY):
            assert value not in done.all
        return {it["name"]: it["copies"][0]["standing"] for it in done.json[0]["secrets"]}

    missing = standings()
    push(project)
    before = len(github.changes)
    github.edit_by_hand(github.environments["staging"], "DATABASE_URL", "by hand")

    assert set(missing.values()) == {"missing"}
    assert standings(SESSION_KEY="another " + PASSWORD) == {
        "DATABASE_URL": "unknown", "SESSION_KEY": "behind", "npm_token": "current",
    }  # fmt: skip
    assert len(github.changes) == before


def test_the_notes_hold_no_value_and_no_plain_hash_of_one(project: Project, github: Github) -> None:
    push(project)

    for place in (github.repository, github.environments["staging"]):
        notes = json.loads(place.variables["RESTOOPS_SECRETS"].value)["secrets"]
        assert notes.keys() == place.secrets.keys()
        assert all(len(it["fingerprint"]) == 32 for it in notes.values())
        assert PASSWORD not in place.variables["RESTOOPS_SECRETS"].value


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"secrets": []}', '{"secrets": {"NPM_TOKEN": 1}}']
)
def test_notes_that_somebody_spoiled_cost_one_more_push(
    project: Project, github: Github, text: str
) -> None:
    push(project)
    github.repository.variables["RESTOOPS_SECRETS"].value = text

    assert acts(push(project, "--json"))["npm_token"] == "replace"
    assert acts(push(project, "--json"))["npm_token"] == "keep"


@pytest.mark.parametrize(
    ("template", "values", "told"),
    [
        pytest.param("GITHUB_APP=<a>\n", {"GITHUB_APP": PASSWORD}, "GITHUB_APP: names that begin",
                     id="GitHub's own names"),
        pytest.param("AB=<a>\nab=<a>\n", {"AB": PASSWORD, "ab": PASSWORD},
                     "ab: another name differs", id="the same name for GitHub"),
        pytest.param("A=<a>\n", {"A": letters("a", 63) * 800}, "A: its value is larger than 48 KiB",
                     id="too large"),
    ],
)  # fmt: skip
def test_what_github_refuses_is_told_before_anything_is_sent(
    project: Project, github: Github, template: str, values: dict[str, str], told: str
) -> None:
    project.write(".env.example", template + TEMPLATE)

    for options in ([], ["--dry-run"]):
        done = push(project, *options, **values)
        assert done.status == 1
        assert told in done.err
    assert github.requests == []


def test_an_environment_that_is_missing_is_told_with_what_to_do(
    project: Project, github: Github
) -> None:
    github.environments.clear()

    done = push(project)

    assert done.status == 5
    assert f"no environment staging of {REPOSITORY}" in done.err
    assert "Make the environment first" in done.err
    assert github.changes == []


def test_the_environment_may_have_another_name_there(project: Project, github: Github) -> None:
    project.write("restoops.yaml", SETTINGS.replace(
        "{template", "{github_environment: 'api-{environment}/eu', template"))  # fmt: skip
    github.environments["api-staging/eu"] = github.environments.pop("staging")

    assert push(project).status == 0
    assert len(github.environments["api-staging/eu"].secrets) == 2


@pytest.mark.parametrize(
    ("address", "variable", "status"),
    [
        (f"git@github.com:{REPOSITORY}.git", "", 0),
        (f"https://github.com/{REPOSITORY}", "", 0),
        (f"ssh://git@github.com:22/{REPOSITORY}.git", "", 0),
        ("../elsewhere", "", 2),
        ("../elsewhere", REPOSITORY, 0),
    ],
)
def test_the_repository_is_that_of_the_workflow_or_of_origin(
    project: Project, address: str, variable: str, status: int
) -> None:
    project.write("restoops.yaml", SETTINGS.replace(f"github_repository: {REPOSITORY}, ", ""))
    project.git("remote", "add", "origin", address)
    more = {"GITHUB_REPOSITORY": variable} if variable else {}

    done = project.run("push", "staging", "--to", "github", env=more)

    assert done.status == status
    assert status == 0 or "Set `secrets.github_repository" in done.err


def test_a_token_that_may_not_do_it_is_told_what_it_needs(project: Project, github: Github) -> None:
    github.may_not.add("environments")

    done = push(project)

    assert done.status == 5
    assert "GITHUB_TOKEN needs `Environments: write`" in done.err
    assert "GitHub wants environments=write" in done.err


def test_a_key_of_github_that_is_none_is_told(project: Project, github: Github) -> None:
    github.faults += [Fault(200, {})] * 9

    done = push(project)

    assert done.status == 5
    assert "is not that of GitHub's API" in done.err


@pytest.mark.parametrize("shown", SHOWN, ids=[it.line for it in SHOWN])
def test_every_command_that_is_shown_works(project: Project, shown: Shown) -> None:
    done = project.run(*shown.words[1:])

    assert (done.status, done.err) == (0, "")


def test_the_settings_that_are_shown_are_right(project: Project) -> None:
    text = (PROJECT / "docs" / "secrets.md").read_text().split("### To GitHub")[1]
    block = text.split("```yaml\n")[1].split("```")[0]
    project.write("restoops.yaml", SETTINGS.splitlines()[0] + "\n" + block)
    github_settings = choose("staging", start=project.folder, environ={}).settings.secrets

    assert github_settings.github_environment == "api-{environment}"
    assert github_settings.github_repository_secrets == ("NPM_TOKEN",)
