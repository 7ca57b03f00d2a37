"""The browser of the lab goes as a whole."""

import tempfile
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.lab.browser import tab


def running_in(folder: Path) -> list[str]:
    """The command lines that name a folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:  # it has gone meanwhile
            continue
        if str(folder) in line:
            found.append(line)
    return found


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A folder in which the browser can make a socket: 108 characters at most."""
    with tempfile.TemporaryDirectory(prefix="b") as folder:
        yield Path(folder)


@pytest.mark.lab
@pytest.mark.parametrize("fault", [None, ZeroDivisionError], ids=["all is well", "a test fails"])
def test_nothing_of_it_is_left(
    short_path: Path, monkeypatch: pytest.MonkeyPatch, fault: type[Exception] | None
) -> None:
    monkeypatch.setenv("TMPDIR", str(short_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    (page := short_path / "page.html").write_text("<title>here</title>")

    with pytest.raises(fault) if fault else nullcontext(), tab() as made:
        made.open(page)
        assert made.run("document.title") == "here"
        assert running_in(short_path)
        if fault:
            raise fault

    assert [it.name for it in short_path.iterdir()] == ["page.html"]
    assert running_in(short_path) == []
