"""Hooks: real programs on this machine, and what becomes of them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from restoops.adapters.hooks import run_hook
from restoops.errors import CommandFailed, Interrupted, StepFailed

LONG_S = "1000"


@dataclass
class Hook:
    """A hook `pre_deploy` that is a shell script in a directory of its own."""

    folder: Path
    lines: list[str] = field(default_factory=list)

    def run(
        self,
        script: str,
        *,
        facts: Mapping[str, str] | None = None,
        timeout_s: float = 20,
        poll: Callable[[], None] = lambda: None,
    ) -> list[str]:
        file = self.folder / "notify"
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)
        self.call(["./notify", "a b"], facts=facts, timeout_s=timeout_s, poll=poll)
        return self.lines

    def call(
        self,
        argv: list[str],
        *,
        facts: Mapping[str, str] | None = None,
        timeout_s: float = 20,
        poll: Callable[[], None] = lambda: None,
    ) -> None:
        run_hook(
            "pre_deploy",
            argv,
            cwd=self.folder,
            facts=facts or {},
            timeout_s=timeout_s,
            on_line=self.lines.append,
            poll=poll,
        )


@pytest.fixture
def hook(tmp_path: Path) -> Hook:
    return Hook(tmp_path)


def is_gone(folder: Path) -> bool:
    """Wait until no process runs any more that was started in the folder."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if not any(runs_in(it, folder) for it in Path("/proc").glob("[0-9]*/cwd")):
            return True
        time.sleep(0.01)
    return False


def runs_in(link: Path, folder: Path) -> bool:
    try:
        return link.readlink() == folder
    except OSError:  # it has ended; nobody reaps orphans in some containers
        return False


def test_a_hook_runs_beside_the_file_with_the_facts_of_the_run(hook: Hook) -> None:
    facts = {"RESTOOPS_RUN_ID": "r1", "RESTOOPS_TAG": "sha-abc; x"}

    lines = hook.run('pwd; echo "$1"; echo "$RESTOOPS_RUN_ID $RESTOOPS_TAG" >&2', facts=facts)

    assert lines == [str(hook.folder), "a b", "r1 sha-abc; x"]
    assert "RESTOOPS_RUN_ID" not in os.environ


def test_a_hook_has_our_environment_and_nothing_on_standard_input(
    hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINE", "here")

    assert hook.run('cat; echo "$MINE"') == ["here"]


def test_a_bare_name_is_found_on_the_path(hook: Hook) -> None:
    hook.call(["echo", "$HOME", "*"])

    assert hook.lines == ["$HOME *"]


def test_lines_come_while_the_hook_runs(hook: Hook) -> None:
    """The hook ends only when its first line has been seen."""

    def poll() -> None:
        if "first" in hook.lines:
            (hook.folder / "seen").touch()

    hook.run(
        "echo first; until [ -e seen ]; do sleep .02; done; printf 'last\\r\\n\\nopen'", poll=poll
    )

    assert hook.lines == ["first", "last", "", "open"]


def test_any_bytes_are_lines(hook: Hook) -> None:
    assert hook.run(r"printf '\377\n\0\n'") == ["\ufffd", "\0"]


def test_a_hook_that_fails_is_named_with_its_last_20_lines(hook: Hook) -> None:
    with pytest.raises(CommandFailed, match=r"^hook pre_deploy: \./notify ended with") as caught:
        hook.run("seq 30; exit 7")

    assert caught.value.exit_code == 7
    assert caught.value.details.split() == [str(number) for number in range(11, 31)]
    assert "`hooks.pre_deploy`" in caught.value.hint


@pytest.mark.parametrize(
    ("mode", "content", "why"),
    [
        pytest.param(None, "", "No such file or directory", id="missing"),
        pytest.param(0o644, "#!/bin/sh\n", "Permission denied", id="not executable"),
        pytest.param(0o755, "no program\n", "Exec format error", id="no program"),
    ],
)
def test_a_hook_that_cannot_be_started(
    hook: Hook, mode: int | None, content: str, why: str
) -> None:
    if mode:
        (hook.folder / "x").write_text(content)
        (hook.folder / "x").chmod(mode)

    with pytest.raises(
        StepFailed, match=f"hook pre_deploy: ./x cannot be started: {why}"
    ) as caught:
        hook.call(["./x"])

    assert str(hook.folder) in caught.value.hint


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(f"sleep {LONG_S} & wait", id="silent"),
        pytest.param(f"sleep {LONG_S} & while :; do echo; done", id="chatty"),
        pytest.param(
            f"(trap '' TERM; sleep {LONG_S}) & exec >&-; exec 2>&-; wait",
            id="without output, and with a child that ignores SIGTERM",
        ),
    ],
)
def test_a_hook_that_takes_too_long_is_ended_with_all_it_started(hook: Hook, script: str) -> None:
    with pytest.raises(StepFailed, match=r"took longer than 0\.3 s") as caught:
        hook.run(script, timeout_s=0.3)

    assert "`hooks.timeout_s`" in caught.value.hint
    assert is_gone(hook.folder)


def test_an_interrupt_ends_a_hook_with_all_it_started(hook: Hook) -> None:
    def poll() -> None:
        if hook.lines:
            raise Interrupted("interrupted")

    with pytest.raises(Interrupted):
        hook.run(f"sleep {LONG_S} & echo; wait", poll=poll)

    assert is_gone(hook.folder)


def test_what_a_hook_leaves_running_is_not_waited_for(hook: Hook) -> None:
    began = time.monotonic()

    (pid,) = hook.run(f"sleep {LONG_S} & echo $!")

    assert time.monotonic() - began < 10
    os.kill(int(pid), 9)
