"""What is told when no host is reached, or nothing was deployed yet."""

from __future__ import annotations

from pathlib import Path

import pytest

from restoops.cli.app import run

SETTINGS = """\
image: {repository: team/menu}
registry: {host: "127.0.0.1:1"}
ssh: {port: 1}
environments:
  staging: {hosts: [127.0.0.2]}
  production: {hosts: [127.0.0.3]}
"""


@pytest.fixture(autouse=True)
def _project(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    (folder / "restoops.yaml").write_text(SETTINGS)


def test_a_history_that_nobody_could_be_asked_for_is_no_empty_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["history", "staging"]) == 5

    out, err = capsys.readouterr()
    assert out == ""
    assert "cannot connect" in err


def test_the_doctor_names_every_environment_that_is_not_ready(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["doctor"]) == 5

    told = capsys.readouterr().err
    for name, host in (("staging", "127.0.0.2"), ("production", "127.0.0.3")):
        assert f"{name}: not ready for a deploy: " in told
        assert f"SSH login ({host})" in told


def test_the_doctor_says_what_to_do_about_a_registry_that_does_not_answer(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run(["doctor", "staging"])

    [fix] = [it for it in capsys.readouterr().out.splitlines() if "here, registry: " in it]
    assert "Is `registry.host` right, and can this machine reach it?" in fix
