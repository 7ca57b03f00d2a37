"""`restoops secrets rotate`, as far as no host is asked: what it refuses, GitHub, its output."""

import io
import os
import signal
import sys
from pathlib import Path

import pytest

from tests.lab.github import REPOSITORY, Github
from tests.lab.terminal import OnTerminal
from tests.safekeeping.canaries import PASSWORD, letters
from tests.safekeeping.stage import Done, Project

KEY = letters("fingerprint key", 40)
FIRST, SECOND = letters("first", 30), letters("second", 30)
SETTINGS = (
    "environments: {staging: {terraform: {directory: nowhere}, confirm: true}}\n"
    "secrets: {template: .env.example, file: ../staging.env, "
    f"github_repository: {REPOSITORY}}}\n"
)


@pytest.fixture(autouse=True)
def source(project: Project, github: Github) -> Path:
    """Write the settings and the file with the values, and return that."""
    project.write("restoops.yaml", SETTINGS)
    project.write(".env.example", "SESSION_KEY=<key>\n\n# type: url\nDATABASE_URL=<url>\n")
    text = f"# ours\nSESSION_KEY={FIRST}\nDATABASE_URL=postgresql://a:{PASSWORD}@db/app\n"
    project.env.update({"GITHUB_TOKEN": github.token, "GITHUB_API_URL": github.api})
    return project.write("../staging.env", f"{text}SECRETS_FINGERPRINT_KEY={KEY}\n", 0o600)


def rotate(
    project: Project, monkeypatch: pytest.MonkeyPatch, *options: str, piped: str = ""
) -> Done:
    monkeypatch.setattr(sys, "stdin", io.StringIO(piped))
    done = project.run("rotate", *options, "--to", "github")
    for value in (FIRST, SECOND, PASSWORD, KEY):
        assert value not in done.all
    return done


def sent(github: Github) -> dict[str, str]:
    return dict(github.environments["staging"].values())


def handed(project: Project) -> None:
    """GitHub has what the source has."""
    assert project.run("push", "staging", "--to", "github", "--yes").status == 0


def test_a_piped_value_is_stored_and_sent(
    project: Project, github: Github, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed(project)

    done = rotate(
        project, monkeypatch, "SESSION_KEY", "staging", "--yes", "--json", piped=f"{SECOND}\n"
    )

    assert done.status == 0, done
    (result,) = done.json
    assert (result["begin"], result["behind"]) == ("new value", [])
    assert sent(github)["SESSION_KEY"] == SECOND
    assert source.read_text().startswith(f"# ours\nSESSION_KEY='{SECOND}'\n")
    assert source.stat().st_mode & 0o777 == 0o600


def test_what_is_behind_is_finished_first(
    project: Project, github: Github, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed(project)
    source.write_text(source.read_text().replace(FIRST, SECOND))

    dry = rotate(project, monkeypatch, "SESSION_KEY", "staging", "--dry-run", "--generate")
    assert sent(github)["SESSION_KEY"] == FIRST
    done = rotate(project, monkeypatch, "SESSION_KEY", "staging", "--yes", "--generate")
    again = rotate(project, monkeypatch, "SESSION_KEY", "staging", "--yes", "--resume")

    assert [it.status for it in (dry, done, again)] == [0, 0, 0]
    assert "would: send it to GitHub" in dry.out
    assert "no new value is taken" in done.err
    assert "Revoke the old value" in done.out
    assert "nothing to finish" in again.out
    assert sent(github)["SESSION_KEY"] == SECOND


def test_a_generated_value_is_shown_nowhere(
    project: Project, github: Github, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed(project)

    done = rotate(project, monkeypatch, "SESSION_KEY", "staging", "--yes", "--generate")

    value = sent(github)["SESSION_KEY"]
    assert (done.status, len(value)) == (0, 43)
    assert value in source.read_text()
    assert value not in done.all


@pytest.mark.parametrize(
    ("options", "piped", "status", "told"),
    [
        pytest.param(["SESSION_KEY", "staging"], SECOND, 1, "Add `--yes`", id="nobody to ask"),
        pytest.param(["SESSION_KEY", "staging", "--yes"], "", 2, "no value for", id="no value"),
        pytest.param(["SESSION_KEY", "staging", "--yes"], "short", 1, "too short", id="weak"),
        pytest.param(["SESSION_KEY", "staging", "--yes"], FIRST, 1, "already", id="the same"),
        pytest.param(["DATABASE_URL", "staging", "--yes", "--generate"], "", 1,
                     "no value for DATABASE_URL can be generated", id="no shape for that"),
        pytest.param(["DATABASE_URL", "staging", "--yes"], SECOND, 1, "a URL", id="no URL"),
        pytest.param(["NONE", "staging", "--yes"], SECOND, 2, "knows no NONE", id="no such name"),
        pytest.param(["SECRETS_FINGERPRINT_KEY", "staging"], "", 2, "all values look changed",
                     id="the key of the fingerprints"),
        pytest.param(["SESSION_KEY", "staging", "--resume", "--instead"], "", 2,
                     "do not go together", id="both"),
    ],
)  # fmt: skip
def test_what_is_refused_changes_nothing(
    project: Project,
    github: Github,
    source: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    piped: str,
    status: int,
    told: str,
) -> None:
    handed(project)
    before = source.read_text()

    done = rotate(project, monkeypatch, *options, piped=piped)

    assert (done.status, told in done.err) == (status, True), done
    assert (source.read_text(), sent(github)["SESSION_KEY"]) == (before, FIRST)


def test_github_that_refuses_is_told_with_the_ways_on(
    project: Project, github: Github, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed(project)
    source.write_text(source.read_text().replace(FIRST, SECOND))
    project.env["GITHUB_TOKEN"] = "wrong"

    done = rotate(project, monkeypatch, "SESSION_KEY", "staging", "--yes")

    assert done.status == 5, done
    assert sent(github)["SESSION_KEY"] == FIRST


@pytest.mark.parametrize("again", [SECOND, f"{SECOND}x"])
def test_on_a_terminal_it_is_asked_for_twice_and_not_shown(
    project: Project, github: Github, source: Path, again: str
) -> None:
    handed(project)
    words = ["secrets", "rotate", "SESSION_KEY", "staging", "--to", "github"]
    env = {"PATH": os.environ["PATH"], **project.env}

    with OnTerminal(words, env, project.folder) as terminal:
        terminal.await_question("New value of SESSION_KEY: ")
        terminal.answer(SECOND)
        terminal.await_question("Once more: ")
        terminal.answer(again)
        if again == SECOND:
            terminal.await_question()
            terminal.answer("y")
        status = terminal.finish()

    is_same = again == SECOND
    assert status == (0 if is_same else 2), terminal.shown
    assert SECOND not in terminal.shown
    assert sent(github)["SESSION_KEY"] == (SECOND if is_same else FIRST)
    assert (SECOND in source.read_text()) is is_same


def test_what_is_typed_and_is_no_text_is_refused(project: Project, source: Path) -> None:
    handed(project)
    before = source.read_text()
    words = ["secrets", "rotate", "SESSION_KEY", "staging", "--to", "github"]

    with OnTerminal(words, {"PATH": os.environ["PATH"], **project.env}, project.folder) as terminal:
        terminal.await_question("New value of SESSION_KEY: ")
        terminal.answer("gr\udcfcn")
        status = terminal.finish()

    assert (status, source.read_text()) == (2, before)
    assert "no UTF-8 text" in terminal.shown


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_question_for_a_value(
    project: Project, source: Path, number: signal.Signals
) -> None:
    handed(project)
    before = source.read_text()
    words = ["secrets", "rotate", "SESSION_KEY", "staging", "--to", "github"]

    with OnTerminal(words, {"PATH": os.environ["PATH"], **project.env}, project.folder) as terminal:
        terminal.await_question("New value of SESSION_KEY: ")
        was_shown = terminal.is_shown
        terminal.signal(number)
        status = terminal.finish()

        assert (status, source.read_text()) == (130, before), terminal.shown
        assert (was_shown, terminal.is_shown) == (False, True)
