"""Hosts and settings of a play, laid over restoops.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest

from restoops.config.hosts import Target
from restoops.config.load import Loaded, load
from restoops.config.play import Play
from restoops.errors import UsageError

FILE = """
health: {timeout_s: 10}
environments:
  staging:
    terraform: {directory: terraform/environments/staging}
    health: {interval_s: 1}
"""
HOSTS = (Target("a", "10.0.0.1", user="root"), Target("b", "10.0.0.2"))


def loaded(folder: Path, play: Play, *, text: str = FILE, name: str = "staging") -> Loaded:
    if text:
        (folder / "restoops.yaml").write_text(text)
    return load(name, start=folder, environ={}, terraform_outputs=None, play=play)


def test_hosts_of_the_play_take_the_place_of_the_environments(tmp_path: Path) -> None:
    found = loaded(tmp_path, Play(HOSTS, settings={"health": {"timeout_s": 20}}))

    assert found.targets == HOSTS
    assert (found.settings.health.timeout_s, found.settings.health.interval_s) == (20, 1)


def test_this_machine_is_no_host_to_connect_to(tmp_path: Path) -> None:
    found = loaded(tmp_path, Play((Target("local", "localhost"),), is_local=True))

    assert found.connection == "local"


def test_without_a_file_any_environment_will_do(tmp_path: Path) -> None:
    assert loaded(tmp_path, Play(HOSTS), text="", name="qa").targets == HOSTS


@pytest.mark.parametrize(
    ("play", "name", "said"),
    [
        pytest.param(Play(HOSTS), "stagign", "did you mean `staging`?", id="misspelt environment"),
        pytest.param(Play(HOSTS, settings={"helth": {}}), "staging", "helth", id="unknown section"),
        pytest.param(Play((Target("a", "-o x"),)), "staging", "hosts.0", id="no address"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, play: Play, name: str, said: str) -> None:
    with pytest.raises(UsageError, match=said.replace("?", r"\?")):
        loaded(tmp_path, play, name=name)


@pytest.mark.parametrize("text", ["[1]", "environments: [1]", "environments: {staging: 1}"])
def test_a_file_that_is_no_mapping_is_told_as_ever(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match="mapping"):
        loaded(tmp_path, Play(HOSTS), text=text)
