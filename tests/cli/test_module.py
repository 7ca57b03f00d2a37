"""What the module for Ansible answers before any host is contacted."""

from __future__ import annotations

from pathlib import Path

import pytest

from restoops.cli.module import Asked, PlayHost, answer, may_pass
from restoops.errors import Refused, StepFailed, Unreachable

HOST: PlayHost = {"name": "a", "address": "127.0.0.1"}
LOCAL: PlayHost = {"name": "here", "connection": "local"}


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        pytest.param(Asked("live", "staging", hosts=[HOST], settings={"health": {"path": "x"}}),
                     "health.path", id="a setting that cannot be"),
        pytest.param(Asked("live", "staging", hosts=[HOST, LOCAL]), "do not go together",
                     id="this machine and others"),
        pytest.param(Asked("live", "staging", "x", config="gone.yaml"), "gone.yaml does not exist",
                     id="no such file"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_answered_with_its_status(asked: Asked, said: str) -> None:
    answered = answer(asked)

    assert answered["failed"]
    assert said in answered["msg"]
    assert (answered["status"], answered["changed"], answered["may_pass"]) == (2, False, False)


@pytest.mark.parametrize(
    ("error", "again"),
    [
        pytest.param(Unreachable("registry ghcr.io does not answer: timed out"), True, id="silent"),
        pytest.param(Unreachable("registry ghcr.io answered 503 for o/n"), True, id="overloaded"),
        pytest.param(Unreachable("registry ghcr.io answered 429 for o/n"), True, id="too many"),
        pytest.param(StepFailed("a: pull of o/n@sha256:1 failed: i/o timeout"), True, id="pull"),
        pytest.param(StepFailed("a: pull of o/n@sha256:1 failed: manifest unknown"), False,
                     id="image is gone"),
        pytest.param(StepFailed("a: pull of o/n failed: no space left on device"), False,
                     id="disk is full"),
        pytest.param(Unreachable("registry ghcr.io refused user u for o/n"), False,
                     id="wrong password"),
        pytest.param(Refused("o/n:sha-1 is not in the registry"), False, id="no such tag"),
        pytest.param(Unreachable("a: deploy@a port 22: cannot connect"), False, id="host is away"),
    ],
)  # fmt: skip
def test_only_a_registry_that_cannot_be_asked_is_asked_again(
    error: Unreachable | StepFailed | Refused, again: bool
) -> None:
    assert may_pass(error) is again
