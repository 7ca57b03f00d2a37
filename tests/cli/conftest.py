"""Where commands of these tests are run."""

import os
from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory as the current one; no RESTOOPS_* from outside."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith("RESTOOPS_"):
            monkeypatch.delenv(name)
    return tmp_path
