"""The documentation says what is so: commands run, links lead somewhere, references are current."""

import json
import os
import pty
import re
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import typer

from restoops import errors
from restoops.cli.app import app
from restoops.model import tag_of
from tests.bench import page as bench
from tests.bench import store
from tests.docs_text import (
    GENERATED,
    PAGES,
    PROJECT,
    README,
    Shown,
    command_of,
    commands,
    context_above,
    renewed,
    shown_commands,
)
from tests.lab.demo_stage import Stage, end, stage
from tests.lab.images import App
from tests.lab.patience import PATIENCE_S

SHOWN = [shown for page in PAGES for shown in shown_commands(page)]
USAGE_ERROR = typer.BadParameter.__mro__[1]
ENVIRONMENTS = ("staging", "production")
GOES_ON = {"--follow", "--watch"}
"""Options of commands that go on until somebody ends them."""
RETOLD = ("quickstart.md", "runbook.md", "report.md", "README.md")
"""Pages that tell what others tell in detail: what they go back from is deployed by those."""
GROUPS = ("infra", "secrets")
LINK = re.compile(r"\[[^]]*\]\(([^)]+)\)")


def parse(words: list[str]) -> None:
    """Let the command line read `words` as it would, without doing it.

    A parameter that asks for something else at once, such as `--help`, ends this with `Exit`.
    """
    top = typer.main.get_command(app)
    name = words[0]
    if name.startswith("-"):
        top.make_context("restoops", words)
        return
    top.make_context("restoops", [name])
    called, rest = command_of(words)
    commands()[called].make_context(called, rest, parent=context_above(called))


def slug(heading: str) -> str:
    """Return the anchor that a heading gets when it is shown."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def prose(text: str) -> str:
    """Return a page without its fenced blocks."""
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


def broken_links(page: Path) -> Iterator[str]:
    for link in LINK.findall(prose(page.read_text())):
        if link.startswith(("https://", "http://")):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists():
            yield f"{page.name}: {link} is not there"
        elif anchor and anchor not in {
            slug(heading) for heading in re.findall(r"^#+ (.*)", target.read_text(), re.MULTILINE)
        }:
            yield f"{page.name}: {link}: there is no such heading"


def tree_of_errors() -> dict[str, tuple[int, str]]:
    """Return status and meaning of each error, as the docstring of errors.py draws them."""
    found = re.findall(r"(\w+) +(\d+) +(\S.*)", errors.__doc__ or "")
    return {name: (int(status), meaning) for name, status, meaning in found}


def kinds_of(error: type[errors.RestoopsError]) -> Iterator[type[errors.RestoopsError]]:
    for kind in error.__subclasses__():
        yield kind
        yield from kinds_of(kind)


@pytest.mark.parametrize("shown", SHOWN, ids=lambda shown: f"{shown.page}: {shown.line}")
def test_a_command_that_is_shown_is_understood(shown: Shown) -> None:
    parse(shown.words)


@pytest.mark.parametrize(
    "line", ["deploy sha-abc1234", "status --colour staging", "undo staging", "infra paint staging"]
)
def test_a_command_that_is_not_understood_is_found(line: str) -> None:
    with pytest.raises((KeyError, USAGE_ERROR)):
        parse(line.split())


def test_every_command_has_a_page_with_an_example_and_is_in_the_index() -> None:
    index = (PROJECT / "docs" / "index.md").read_text()
    for name in commands():
        page = PROJECT / "docs" / f"{name.split()[0]}.md"
        assert any(command_of(shown.words)[0] == name for shown in shown_commands(page)), name
        assert f"<!-- help {name} -->" in page.read_text()
        assert f"({page.name})" in index


def test_every_command_has_an_example_in_its_help() -> None:
    for name, command in commands().items():
        assert f"`restoops {name}" in (command.epilog or ""), name


def test_every_page_can_be_reached_from_the_index() -> None:
    index = (PROJECT / "docs" / "index.md").read_text()
    names = {page.name for page in PAGES} - {"index.md", "README.md"}
    assert names - set(LINK.findall(index)) == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    assert list(broken_links(page)) == []


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Here\n[a](#here) [b](#there) [c](missing.md) [d](page.md#here)\n")
    assert list(broken_links(page)) == [
        "page.md: #there: there is no such heading",
        "page.md: missing.md is not there",
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_generated_parts_are_up_to_date(page: Path) -> None:
    text = page.read_text()
    assert text == renewed(text), "`python -m tests.docs_text` writes them anew"


def test_raw_data_and_plots_of_benchmarks_are_as_they_would_be_written() -> None:
    found = {path.name: path.read_text() for path in store.FOLDER.iterdir()}
    tried = [it for it in store.reports() if it.measured or it.not_run]
    assert found == dict(bench.files(tried)), "`python -m tests.docs_text` writes them anew"


def test_a_figure_that_differs_from_the_raw_data_is_found() -> None:
    page = PROJECT / "docs" / "proxy.md"
    text = page.read_text()
    forged = text.replace("failed requests during two exchanges of the proxy | 0 of", "| 0 of 9")
    assert forged != text
    assert renewed(forged) == text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_figure_that_was_measured_comes_from_a_benchmark(page: Path) -> None:
    written = prose(GENERATED.sub("", page.read_text()))
    assert re.findall(r".*\b\d[\d.,]* (?:ms|MiB)\b.*", written) == []


def test_the_tree_in_errors_is_the_tree_of_classes() -> None:
    drawn = {name: status for name, (status, _) in tree_of_errors().items()}
    assert drawn == {kind.__name__: kind.status for kind in kinds_of(errors.RestoopsError)}


def test_the_table_of_exit_statuses_is_the_tree_of_errors() -> None:
    text = (PROJECT / "docs" / "exit-statuses.md").read_text()
    rows = re.findall(r"^\| \[(\d+)\]\(#\d+-[\w-]+\) \| (.*) \|$", text, re.MULTILINE)
    meanings: dict[int, list[str]] = {0: ["done"]}
    for status, meaning in tree_of_errors().values():
        meanings.setdefault(status, []).append(meaning)
    wanted = [(str(status), "; ".join(meanings[status])) for status in sorted(meanings)]
    assert rows == wanted
    assert re.findall(r"^## (\d+):", text, re.MULTILINE) == [status for status, _ in wanted]


def test_the_excerpt_in_the_readme_is_of_this_demo() -> None:
    from tests.lab.demo import V1, V2, V3

    excerpt = README.read_text().partition("<!-- demo -->")[2].partition("<!-- end -->")[0]
    assert "Clients counted" in excerpt
    assert set(re.findall(r"sha-(\w{7})", excerpt)) <= {V1, V2, V3}


def prepared(ready: Stage, lines: list[str]) -> Stage:
    """Return the stage with the environments that the pages speak of, all on this machine."""
    for tag in sorted({tag_of(line.split()[2]) for line in lines if "restoops deploy" in line}):
        ready.push(App(tag.removeprefix("sha-")), tag)
    file = ready.folder.parent / "restoops.yaml"
    file.write_text(
        json.dumps({"environments": {n: {"connection": "local"} for n in ENVIRONMENTS}})
    )
    more = {
        "RESTOOPS_CONFIG": str(file),
        "RESTOOPS_ANSIBLE__DIRECTORY": str(PROJECT / "ansible"),
    }
    return replace(ready, settings={**ready.settings, **more})


def run_shown(ready: Stage, words: list[str]) -> tuple[int, str]:
    """Run a command with somebody at its terminal who says yes, and who ends what goes on."""
    ours, its = pty.openpty()
    os.write(ours, b"y\n")
    process = ready.start(*words, stdin=its, is_quiet=True)
    try:
        first = ""
        if GOES_ON & {*words}:
            assert process.stdout
            first = process.stdout.readline()
            process.send_signal(signal.SIGINT)
        told, said = process.communicate(timeout=2 * PATIENCE_S)
    finally:
        end(process)
        os.close(ours)
        os.close(its)
    return process.returncode, first + told + said


@pytest.mark.lab
def test_every_command_that_is_shown_works() -> None:
    # Those of the demo, on `local`, and those of groups are run by tests of their own.
    shown = [one for one in SHOWN if "local" not in one.words and one.words[0] not in GROUPS]
    shown.sort(key=lambda one: one.page in RETOLD)
    lines = {one.line: one.words for one in shown}
    with stage("restoops-docs") as made:
        ready = prepared(made, list(lines))
        ended = {line: run_shown(ready, words) for line, words in lines.items()}
    failed = {
        line: told
        for line, (status, told) in ended.items()
        if status != (130 if GOES_ON & {*line.split()} else 0)
    }
    assert failed == {}
    assert len(ended) > 20
