"""Whatever is typed for a tag, a release or an environment: a documented status, nothing else."""

from __future__ import annotations

import contextlib
import io
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from restoops.cli.app import run
from restoops.cli.arguments import tag_argument
from restoops.errors import UsageError

DOCUMENTED = {0, 1, 2, 3, 4, 5, 6, 130}
TRAPS = [
    "$(touch pwned)", "`touch pwned`", ";touch pwned", "|touch pwned", "&&touch pwned",
    "\ntouch pwned\n", "a\r\nb", "\0", "../../etc/passwd", "-", "--", "-v", "--yes", "--config=/x",
    "\x1b[2J\x1b]0;pwned\x07", "%s%n", "{0.__class__}", "{environment}", "[red]", "*", "~", "''",
    "\u202e", "\ud800", "\udcff", "\uff11", "a" * 10_000, "@file", "a:b", "a@sha256:x", "sha256:",
    "sha256:" + "g" * 64, "0" * 41, " ", "",
]  # fmt: skip
# Bytes as a shell hands them over: fast to draw, and everything that argv can hold.
typed_bytes = st.binary(max_size=24).map(lambda raw: raw.decode("utf-8", "surrogateescape"))
nasty = st.sampled_from(TRAPS) | typed_bytes
some = settings(
    max_examples=100,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
Run = Callable[[list[str]], tuple[int, str]]


@pytest.fixture(scope="module")
def typed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Runs a command in a directory with settings; returns its status and all that it printed."""
    folder, before = tmp_path_factory.mktemp("hostile"), Path.cwd()
    (folder / "restoops.yaml").write_text("environments: {staging: {hosts: [192.0.2.1]}}\n")
    os.chdir(folder)

    def typed(arguments: list[str]) -> tuple[int, str]:
        with io.BytesIO() as kept:
            # As strict as a real stream; Python makes standard error forgiving.
            out = io.TextIOWrapper(kept, "utf-8", write_through=True)
            err = io.TextIOWrapper(kept, "utf-8", errors="backslashreplace", write_through=True)
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                status = run(arguments)
            shown = kept.getvalue().decode()
        assert [path.name for path in folder.iterdir()] == ["restoops.yaml"]
        return status, shown

    yield typed
    os.chdir(before)


def _assert_told(status: int, shown: str) -> None:
    assert status in DOCUMENTED
    assert "Traceback" not in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown


@given(typed_bytes)
@settings(some, max_examples=2000)
def test_thousands_of_tags_are_safe_or_refused(text: str) -> None:
    try:
        tag = tag_argument(text)
    except UsageError:
        return
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", tag)


@given(nasty)
@some
def test_any_tag(typed: Run, tag: str) -> None:
    status, shown = typed(["deploy", "--yes", "--", tag, "no-such-environment"])

    assert status == 2
    _assert_told(status, shown)


@given(nasty)
@some
def test_any_release(typed: Run, release: str) -> None:
    status, shown = typed(["rollback", "--yes", "--", release, "no-such-environment"])

    assert status == 2
    _assert_told(status, shown)


@given(nasty.filter(lambda name: name not in ("staging", "local")), st.booleans())
@some
def test_any_environment(typed: Run, environment: str, as_json: bool) -> None:
    options = ["--json"] if as_json else []

    status, shown = typed(["status", *options, "--", environment])

    assert status == 2
    _assert_told(status, shown)


@given(st.sampled_from(["deploy", "rollback", "status", "logs", "history", "init", ""]),
       st.lists(nasty, min_size=1, max_size=4))  # fmt: skip
@example("deploy", ["v1", "--timeout", "nan"])
@example("deploy", ["v1", "--wait", "9" * 5000])
@settings(some, max_examples=40)
def test_any_arguments_at_all(typed: Run, command: str, arguments: list[str]) -> None:
    if command == "init":
        arguments = [*arguments, "--dry-run"]
    typed_in = [word for word in [command, *arguments, "no-such-environment"] if word]

    status, shown = typed(typed_in)

    assert status in DOCUMENTED
    assert "Traceback" not in shown
