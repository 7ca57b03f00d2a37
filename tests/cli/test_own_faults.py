"""A bug of ours is told like any other failure: no traceback, no values."""

import pytest
import typer

from restoops.cli import app as application


def test_a_bug_is_told_by_its_place_and_without_its_values(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("RESTOOPS_TRACEBACK", raising=False)
    broken = typer.Typer()

    @broken.command()
    def fail() -> None:
        raise ZeroDivisionError("hunter2")

    monkeypatch.setattr(application, "app", broken)

    assert application.run([]) == 3
    shown = capsys.readouterr()
    assert "ZeroDivisionError in test_own_faults.py" in shown.err
    assert "hunter2" not in shown.out + shown.err
    assert "Traceback" not in shown.err
