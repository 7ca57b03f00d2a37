"""Functions and files stay small enough to be read at night."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from statistics import median

import pytest

PROJECT = Path(__file__).parent.parent

FUNCTION_LINES = 50
FILE_LINES = 400
MEDIAN_FUNCTION_LINES = 8
MOST_FUNCTIONS_LINES, MOST_FILES_LINES = 25, 250  # nine in ten stay below
EMPTY_NAMES = {"util", "utils", "helper", "helpers", "manager", "managers"}


def python_files(*roots: Path) -> list[Path]:
    return sorted(path for root in roots for path in root.rglob("*.py"))


def function_sizes(path: Path) -> Iterator[tuple[str, int]]:
    """Yield each function of the file with its lines, from `def` to the end, all included."""
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def file_size(path: Path) -> int:
    return len(path.read_text().splitlines())


def find_faults(files: Iterable[Path]) -> Iterator[str]:
    for path in files:
        if (lines := file_size(path)) > FILE_LINES:
            yield f"{path.name} has {lines} lines, more than {FILE_LINES}: it has two duties"
        if EMPTY_NAMES & {*path.stem.split("_"), *path.parent.name.split("_")}:
            yield f"{path.parent.name}/{path.name} is named for nothing in particular"
        for name, lines in function_sizes(path):
            if lines > FUNCTION_LINES:
                yield f"{path.name}: {name} has {lines} lines, more than {FUNCTION_LINES}"


def find_fat(functions: Sequence[int], files: Sequence[int]) -> Iterator[str]:
    """Say what is too large on the whole, though no single one is."""
    if median(functions) > MEDIAN_FUNCTION_LINES:
        yield f"median function: {median(functions):g} lines, more than {MEDIAN_FUNCTION_LINES}"
    for what, sizes, limit in [
        ("functions", functions, MOST_FUNCTIONS_LINES),
        ("files", files, MOST_FILES_LINES),
    ]:
        large = sum(size >= limit for size in sizes)
        if large > len(sizes) / 10:
            yield f"{large} of {len(sizes)} {what} have {limit} lines or more, over one in ten"


def test_no_file_and_no_function_is_too_long_or_badly_named() -> None:
    assert list(find_faults(python_files(PROJECT / "src", PROJECT / "tests"))) == []


def test_the_product_is_small_on_the_whole() -> None:
    files = python_files(PROJECT / "src")
    functions = [size for path in files for _, size in function_sizes(path)]

    assert list(find_fat(functions, [file_size(path) for path in files])) == []


@pytest.mark.parametrize(
    ("file", "source", "fault"),
    [
        pytest.param("a.py", "def f():\n" + "    g()\n" * 50,
                     "a.py: f has 51 lines, more than 50", id="long function"),
        pytest.param("a.py", "class A:\n  async def f(self):\n" + "    g()\n" * 50,
                     "a.py: f has 51 lines, more than 50", id="long async method"),
        pytest.param("a.py", "g()\n" * 401,
                     "a.py has 401 lines, more than 400: it has two duties", id="long file"),
        pytest.param("string_utils.py", "",
                     "it/string_utils.py is named for nothing in particular", id="module's name"),
        pytest.param("helpers/a.py", "",
                     "helpers/a.py is named for nothing in particular", id="package's name"),
    ],
)  # fmt: skip
def test_a_fault_is_found(tmp_path: Path, file: str, source: str, fault: str) -> None:
    path = tmp_path / "it" / file
    path.parent.mkdir(parents=True)
    path.write_text(source)

    assert list(find_faults(python_files(tmp_path))) == [fault]


def test_what_just_fits_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def f():\n" + "    g()\n" * 49 + "g()\n" * 350)

    assert list(find_faults(python_files(tmp_path))) == []


@pytest.mark.parametrize(
    ("functions", "files", "faults"),
    [
        pytest.param([8] * 9 + [50], [249] * 9 + [400], [], id="what just fits"),
        pytest.param([9], [1], ["median function: 9 lines, more than 8"], id="median"),
        pytest.param([1] * 8 + [25] * 2, [1],
                     ["2 of 10 functions have 25 lines or more, over one in ten"],
                     id="too many large functions"),
        pytest.param([1], [1] * 8 + [250] * 2,
                     ["2 of 10 files have 250 lines or more, over one in ten"],
                     id="too many large files"),
    ],
)  # fmt: skip
def test_fat_is_found(functions: list[int], files: list[int], faults: list[str]) -> None:
    assert list(find_fat(functions, files)) == faults
