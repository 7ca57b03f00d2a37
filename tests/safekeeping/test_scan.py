"""`restoops secrets scan`, with the real gitleaks."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from restoops.adapters.scanners import find_scanner
from restoops.errors import Unreachable
from tests.safekeeping.canaries import GITHUB_TOKEN, leak
from tests.safekeeping.stage import Project

GITLEAKS = str(Path(sys.executable).parent / "gitleaks")


def program(folder: Path, name: str, lines: str) -> str:
    """Write a program and return the PATH that has it, and git, and no scanner else."""
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{lines}\n")
    path.chmod(0o755)
    return f"{folder}:/usr/bin:/bin"


def test_a_clean_directory_is_clean(project: Project) -> None:
    project.write("app.py", "TOKEN = None\n")

    done = project.run("scan")

    assert (done.status, done.out, done.err) == (0, ".: 0 secrets found by gitleaks\n", "")


def test_a_secret_is_told_by_its_place_and_never_by_its_value(project: Project) -> None:
    leak(project)

    done = project.run("scan")

    assert done.status == 6
    assert done.out.splitlines()[1].split()[:2] == ["github-pat", "app.py:2"]
    assert "error: 1 secret found" in done.err
    assert GITHUB_TOKEN not in done.all


def test_only_what_is_named_is_scanned(project: Project) -> None:
    leak(project, "a/app.py")
    leak(project, "b/app.py")

    assert [it["file"] for it in project.run("scan", "b", "--json").json[0]["leaks"]] == [
        "b/app.py"
    ]
    assert project.run("scan", "b/app.py").status == 6
    assert project.run("scan", str(project.folder / "a")).status == 6


def test_what_is_staged_is_scanned_and_nothing_else(project: Project) -> None:
    leak(project, "staged.py")
    project.git("add", "staged.py")
    leak(project, "not_staged.py")

    found = project.run("scan", "--staged", "--json")

    assert found.status == 6
    assert [it["file"] for it in found.json[0]["leaks"]] == ["staged.py"]


def test_the_history_remembers_what_was_removed_on_any_branch(project: Project) -> None:
    project.write("README", "")
    project.commit()
    project.git("checkout", "--quiet", "-b", "other")
    leak(project)
    project.commit()
    project.write("app.py", "TOKEN = None\n")
    project.commit()
    project.git("checkout", "--quiet", "main")

    done = project.run("scan", "--history", "--json")
    (found,) = done.json[0]["leaks"]

    assert project.run("scan").status == 0
    assert done.status == 6
    assert (found["file"], found["line"], len(found["commit"])) == ("app.py", 2, 40)
    assert GITHUB_TOKEN not in done.all


def test_from_below_the_whole_repository_is_meant(project: Project) -> None:
    leak(project)
    project.commit()
    below = Project(project.folder / "below", project.env)
    below.write("README", "")

    assert below.run("scan", "--history").status == 6
    assert below.run("scan").status == 0


def test_rules_of_the_project_hold_wherever_one_stands(project: Project) -> None:
    rule = "[[rules]]\nid = 'ours'\nregex = 'menu-[0-9]{8}'\nkeywords = ['menu-']\n"
    project.write(".gitleaks.toml", rule)
    project.write("below/app.py", "KEY = 'menu-12345678'\n")
    below = Project(project.folder / "below", project.env)

    assert below.run("scan", "--json").json[0]["leaks"][0]["rule"] == "ours"
    assert below.run("scan", ".", "--json").json[0]["leaks"][0]["rule"] == "ours"


def test_sarif_agrees_with_that_of_gitleaks_and_has_no_value(project: Project) -> None:
    leak(project, "a file.py")
    theirs = project.folder.parent / "theirs.sarif"
    argv = [GITLEAKS, "dir", ".", "--redact", "-f", "sarif", "-r", str(theirs)]
    subprocess.run(argv, cwd=project.folder, check=False, capture_output=True)

    done = project.run("scan", "--sarif", "leaks.sarif")
    text = (project.folder / "leaks.sarif").read_text()

    assert done.status == 6
    assert GITHUB_TOKEN not in text
    (ours_run,), (their_run,) = (json.loads(it)["runs"] for it in (text, theirs.read_text()))
    (ours,), (their,) = ours_run["results"], their_run["results"]
    place, wanted = (it["locations"][0]["physicalLocation"] for it in (ours, their))
    assert ours["ruleId"] == their["ruleId"]
    assert place["region"]["startLine"] == wanted["region"]["startLine"]
    assert place["artifactLocation"]["uri"] == "a%20file.py"
    assert [it["id"] for it in ours_run["tool"]["driver"]["rules"]] == ["github-pat"]


def test_sarif_of_nothing_is_written_as_well(project: Project) -> None:
    assert project.run("scan", "--sarif", "leaks.sarif").status == 0

    (run,) = json.loads((project.folder / "leaks.sarif").read_text())["runs"]
    assert run["results"] == []


def test_what_was_found_counts_more_than_a_file_that_cannot_be_written(project: Project) -> None:
    words = ("scan", "--sarif", "nowhere/leaks.sarif")
    clean = project.run(*words)
    leak(project)

    done = project.run(*words)

    assert (clean.status, done.status) == (1, 6)
    assert "nowhere/leaks.sarif cannot be written" in done.err
    assert "1 secret found" in done.err


def test_known_findings_are_passed_over_and_new_ones_are_not(project: Project) -> None:
    leak(project, "old.py")
    written = project.run("scan", "--write-baseline", ".gitleaks-baseline.json")
    assert (written.status, written.err) == (0, "")
    assert GITHUB_TOKEN not in (project.folder / ".gitleaks-baseline.json").read_text()

    assert "1 known passed over" in project.run("scan").out
    leak(project, "new.py")
    done = project.run("scan", "--json")

    assert done.status == 6
    assert [it["file"] for it in done.json[0]["leaks"]] == ["new.py"]
    assert done.json[0]["known"] == 1


def test_a_report_of_gitleaks_serves_as_baseline(project: Project) -> None:
    leak(project)
    argv = [GITLEAKS, "dir", ".", "--redact", "-f", "json", "-r", "../report.json"]
    subprocess.run(argv, cwd=project.folder, check=False, capture_output=True)

    assert project.run("scan", "--baseline", "../report.json").status == 0


@pytest.mark.parametrize("text", ["{}", "[", '[{"RuleID": "x"}]', "\xff"])
def test_a_baseline_that_is_none_is_refused(project: Project, text: str) -> None:
    project.write("baseline.json", "").write_bytes(text.encode("latin-1"))

    done = project.run("scan", "--baseline", "baseline.json")

    assert done.status == 2
    assert "baseline.json is no report of findings" in done.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        pytest.param(["nowhere"], "nowhere does not exist", id="a path that is not there"),
        pytest.param(["--staged", "--history"], "do not go together", id="two things at once"),
        pytest.param([".", "--staged"], "do not go together", id="a path and what is staged"),
        pytest.param(["--baseline", "nowhere"], "cannot be read", id="no baseline"),
        pytest.param(["--baseline", "a", "--write-baseline", "b"], "do not go together",
                     id="an old and a new baseline"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_told(project: Project, words: list[str], told: str) -> None:
    done = project.run("scan", *words)

    assert (done.status, done.out) == (2, "")
    assert told in done.err


@pytest.mark.parametrize("words", [["--staged"], ["--history"]])
def test_outside_of_a_repository_nothing_is_called_clean(tmp_path: Path, words: list[str]) -> None:
    # gitleaks itself says "no leaks found" there, and ends with 0.
    done = Project(tmp_path).run("scan", *words)

    assert done.status == 2
    assert "cannot be scanned as a repository" in done.err
    assert "fatal: not a git repository" in done.err


def test_a_shallow_clone_is_not_called_clean(project: Project) -> None:
    for text in ("1", "2"):
        project.write("README", text)
        project.commit()
    project.git("clone", "--quiet", "--depth=1", f"file://{project.folder}", "../shallow")

    done = Project(project.folder.parent / "shallow").run("scan", "--history")

    assert done.status == 5
    assert "shallow" in done.err


def test_a_scanner_that_is_missing_is_no_clean_scan() -> None:
    with pytest.raises(Unreachable, match="neither gitleaks nor betterleaks") as told:
        find_scanner(lambda _: None)

    assert told.value.status == 5


def test_the_scanner_beside_the_interpreter_is_found_without_a_path(project: Project) -> None:
    leak(project)

    assert project.run("scan", env={"PATH": "/usr/bin:/bin"}).status == 6


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        pytest.param("exit 1", "gitleaks failed (status 1)", id="it fails"),
        pytest.param("exit 0", "its report cannot be read", id="it writes nothing"),
        pytest.param("echo 'ERR [git] fatal: bad object' >&2\n"
                     "for it; do case $it in --report-path=*) echo '[]' >${it#*=};; esac; done",
                     "did not scan everything", id="it says it is clean where git failed"),
        pytest.param("echo 'WRN skipping file: permission denied path=f' >&2\n"
                     "for it; do case $it in --report-path=*) echo '[]' >${it#*=};; esac; done",
                     "did not scan everything", id="it passes over a file that it may not read"),
        pytest.param("for it; do case $it in --report-path=*) echo '{' >${it#*=};; esac; done",
                     "its report cannot be read", id="its report is cut off"),
    ],
)  # fmt: skip
def test_a_broken_scanner_is_no_clean_scan(project: Project, lines: str, told: str) -> None:
    path = program(project.folder.parent / "bin", "gitleaks", lines)

    done = project.run("scan", env={"PATH": path})

    assert done.status == 5
    assert told in done.err
    assert "Traceback" not in done.err


def test_what_was_not_scanned_is_told_beside_what_was_found(project: Project) -> None:
    found = '[{"RuleID": "r", "File": "f", "StartLine": 1, "Fingerprint": "f:r:1"}]'
    lines = (
        "echo 'WRN skipping directory path=d' >&2\n"
        f"for it; do case $it in --report-path=*) echo '{found}' >${{it#*=}};; esac; done; exit 6"
    )
    path = program(project.folder.parent / "bin", "gitleaks", lines)
    project.write("known.json", found)

    done = project.run("scan", env={"PATH": path})
    known = project.run("scan", "--baseline", "known.json", env={"PATH": path})
    written = project.run("scan", "--write-baseline", "new.json", env={"PATH": path})

    assert (done.status, known.status, written.status) == (6, 5, 5)
    assert "skipping directory path=d" in done.err
    assert not (project.folder / "new.json").exists()


def test_rules_that_are_none_are_no_clean_scan(project: Project) -> None:
    project.write(".gitleaks.toml", "[[rules]\n")

    done = project.run("scan")

    assert done.status == 5
    assert "\x1b" not in done.err
