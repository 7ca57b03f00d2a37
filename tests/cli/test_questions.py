"""Questions: asked where somebody can answer, before anything is contacted, and never waited on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.terminal import OnTerminal

NOBODY = "nobody is there to ask for confirmation; nothing was changed"
SETTINGS = """\
image: {repository: team/menu}
ssh: {port: 1}
environments:
  production: {hosts: [127.0.0.2], confirm: true}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "restoops.yaml").write_text(SETTINGS)
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        ["deploy", "v1", "production"],
        ["rollback", "production"],
        ["rollback", "v1", "production", "--preempt"],
        ["images", "prune"],
        ["images", "prune", "production", "--local-only"],
    ],
    ids=" ".join,
)
def test_a_run_that_nobody_can_confirm_is_refused_before_anything_is_contacted(
    project: Path, arguments: list[str]
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "restoops", *arguments],
        cwd=project, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        timeout=60,
    )  # fmt: skip

    # Nothing listens there: a host that is contacted would be status 5.
    assert done.returncode == 1, done.stderr
    hint = "Add `--yes`, or `--dry-run` to see what would be done."
    assert done.stderr == f"error: {NOBODY}\n  {hint}\n"


@pytest.mark.parametrize("arguments", [["deploy", "v1"], ["rollback"]], ids=" ".join)
@pytest.mark.parametrize("said", ["--yes", "--dry-run"])
def test_a_run_that_needs_no_answer_goes_on(project: Path, arguments: list[str], said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "restoops", *arguments, "production", said],
        cwd=project, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        timeout=60,
    )  # fmt: skip

    assert done.returncode == 5, done.stderr
    assert "127.0.0.2" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=str)
def test_a_signal_at_the_question_is_an_answer(project: Path, number: signal.Signals) -> None:
    with OnTerminal(["deploy", "v1", "production"], os.environ, project) as command:
        assert command.await_question() == "Deploy v1 to production? [y/N] "
        command.signal(number)
        status = command.finish()  # nobody answers: nothing else ends it

    assert status == 130
    assert "error: interrupted; nothing was changed" in command.shown


@pytest.mark.parametrize("answer", ["n", "", "yess", "\x04"], ids=repr)
def test_all_but_yes_means_no(project: Path, answer: str) -> None:
    with OnTerminal(["deploy", "v1", "production"], os.environ, project) as command:
        command.await_question()
        command.answer(answer)
        status = command.finish()

    assert status == 1
    assert "error: not confirmed; nothing was changed" in command.shown


def test_yes_goes_on(project: Path) -> None:
    with OnTerminal(["deploy", "v1", "production"], os.environ, project) as command:
        command.await_question()
        command.answer("y")
        status = command.finish()

    assert status == 5
    assert "127.0.0.2" in command.shown
