"""The folder with the raw data of all benchmarks: one file each, and its plot."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.bench import page
from tests.bench.samples import Report

FOLDER = Path(__file__).parents[2] / "docs" / "benchmarks"


ORDER = (
    "start", "deploy", "channels", "trouble", "load", "proxy", "playbook", "naive", "demo", "fleet",
    "images", "plan", "container",
)  # fmt: skip
"""Benchmarks as they are run and shown. Pages are written without what it takes to run one."""


def reports(folder: Path = FOLDER) -> list[Report]:
    """Return what is known of each benchmark, also of one that never was tried: nothing."""
    return list(_read(folder))


def _read(folder: Path) -> Iterator[Report]:
    for name in ORDER:
        path = folder / f"{name}.json"
        yield Report.from_json(path.read_text()) if path.exists() else Report(name, name, "")


def find(name: str, folder: Path = FOLDER) -> Report:
    """Return what is known of one benchmark."""
    return next(it for it in reports(folder) if it.benchmark == name)


def write(all_of: Sequence[Report], folder: Path = FOLDER) -> None:
    """Write raw data and plots; files of other benchmarks stay as they are."""
    folder.mkdir(parents=True, exist_ok=True)
    tried = [it for it in all_of if it.measured or it.not_run]
    written = dict(page.files(tried))
    for name, text in written.items():
        (folder / name).write_text(text)
    for plot in {f"{it.benchmark}.svg" for it in tried} - written.keys():
        (folder / plot).unlink(missing_ok=True)
