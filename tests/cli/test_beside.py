"""What goes on beside a run changes nothing about it: the report, messages, GitHub's deployment."""

from __future__ import annotations

from pathlib import Path

import pytest

from restoops.cli import recording as recorded
from restoops.cli.announcing import announced
from restoops.cli.swapping import RunOptions
from restoops.config.load import Loaded, load
from restoops.report.events import Event

OPTIONS = RunOptions("staging", dry_run=False, yes=True, as_json=False, wait_s=0, timeout_s=None)


def loaded(folder: Path) -> Loaded:
    (folder / "restoops.yaml").write_text(
        "app: {name: menu-api}\n"
        "image: {repository: acme/menu-api}\n"
        "github: {deployments: true}\n"
        "environments: {staging: {hosts: [192.0.2.1]}}\n"
    )
    return load("staging", start=folder, environ={}, terraform_outputs=lambda *_: {})


@pytest.mark.parametrize(
    ("variables", "why"),
    [
        pytest.param(
            {"GITHUB_API_URL": "ftp://x"}, "GITHUB_API_URL is no address", id="no address"
        ),
        pytest.param({"GITHUB_TOKEN": "é"}, "UnicodeEncodeError", id="no token"),
        pytest.param({"HTTPS_PROXY": "gopher://x"}, "ValueError", id="no proxy"),
    ],
)
def test_what_keeps_github_from_being_told_stops_no_run(
    variables: dict[str, str],
    why: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    actions = {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "a/b", "GITHUB_TOKEN": "ghp_12345678"}
    for name, value in {**actions, **variables}.items():
        monkeypatch.setenv(name, value)
    told: list[Event] = []

    with announced(loaded(tmp_path), told.append) as tell:
        assert tell == told.append

    assert f"GitHub is not told of this deployment: {why}" in capsys.readouterr().err


def test_a_report_that_cannot_be_made_leaves_the_run_as_it_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with recorded.recording("deploy", OPTIONS, tmp_path / "report.html") as record:
        monkeypatch.setattr(record.chronicle, "page", lambda: 1 // 0)

    assert "report: restoops itself failed: ZeroDivisionError" in capsys.readouterr().err
