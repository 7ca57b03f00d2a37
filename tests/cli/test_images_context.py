"""Which environments are asked before an image may go, and what all of them want kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from restoops.cli.images_context import load_all, names_to_ask, repository_of, retention
from restoops.errors import RestoopsError, Unreachable, UsageError

SETTINGS = """\
image: {repository: team/menu, keep: 3}
environments:
  staging: {hosts: [192.0.2.10], image: {protected: ["keep-*"], builds: ["sha-<sha>", "pr-*"]}}
  production: {hosts: [192.0.2.11], image: {keep: 9}}
  other: {hosts: [192.0.2.12], image: {repository: team/other}}
"""


@pytest.fixture(autouse=True)
def project(folder: Path) -> Path:
    (folder / "restoops.yaml").write_text(SETTINGS)
    return folder


@pytest.mark.parametrize(
    ("named", "configured", "has_engine", "asked"),
    [
        (None, ("staging", "production"), False, ("staging", "production")),
        ("production", ("staging", "production"), False, ("production", "staging")),
        (None, ("local", "staging"), False, ("staging",)),
        (None, ("local", "staging"), True, ("local", "staging")),
        ("local", ("local", "staging"), False, ("local", "staging")),
        (None, ("local",), False, ("local",)),
        (None, (), False, ("local",)),
        ("staging", (), False, ("staging",)),
    ],
)
def test_every_environment_is_asked(
    named: str | None, configured: tuple[str, ...], has_engine: bool, asked: tuple[str, ...]
) -> None:
    assert names_to_ask(named, configured, has_engine=has_engine) == asked


def test_what_any_environment_protects_is_protected_in_a_repository_that_they_share() -> None:
    found = load_all("staging")
    wish = retention(found, repository_of(found.loaded["staging"]), "now")

    assert wish.keep == 9
    assert {"keep-*", "latest", "<semver>", "<branch>"} <= set(wish.tags.protected)
    assert wish.tags.builds == ("sha-<sha>",), "only what all of them call a build"
    assert retention(found, "ghcr.io/team/menu", "now", keep=2).keep == 2


def test_only_the_repositories_of_what_was_named_are_touched() -> None:
    assert list(load_all("staging").repositories()) == ["ghcr.io/team/menu"]
    assert list(load_all(None).repositories()) == ["ghcr.io/team/menu", "ghcr.io/team/other"]


def test_an_environment_whose_hosts_cannot_be_known_is_remembered(project: Path) -> None:
    new = SETTINGS + "  dev: {terraform: {directory: nowhere}}\n"
    (project / "restoops.yaml").write_text(new)

    failed = load_all("staging").failed

    assert list(failed) == ["dev"]
    assert isinstance(failed["dev"], Unreachable)
    assert failed["dev"].message.startswith("dev: ")
    with pytest.raises(RestoopsError):
        load_all("dev")


def test_a_faulty_file_is_told_before_anything_else(project: Path) -> None:
    (project / "restoops.yaml").write_text("image: {keep: many}\n")

    with pytest.raises(UsageError, match=r"image\.keep"):
        load_all(None)
