"""Canary secrets go through every command that handles them, and are found nowhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.canaries import (
    BELONGS,
    PLACES,
    RUNS,
    VALUES,
    Scene,
    everywhere_on_the_host,
    forms,
    plant,
    remove,
)
from tests.e2e.watching import watching_inside
from tests.lab.github import Github
from tests.lab.inbox import inbox
from tests.lab.operator import Operator
from tests.lab.releases import Releases

pytestmark = [pytest.mark.lab, pytest.mark.full]


@pytest.fixture(scope="module")
def scene(
    operator: Operator, releases: Releases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    """All runs, one after the other."""
    with Github("staging") as github, inbox() as slack:
        made = Scene(operator, releases, github, slack, tmp_path_factory.mktemp("secrets"))
        github.token = operator.env["GITHUB_TOKEN"]
        made.set_up()
        with made.machine.watching(), watching_inside(operator.droplet):
            for name, (_, run) in RUNS.items():
                made.outcomes[name] = run(made)
        yield made


def test_every_run_ended_as_it_should_and_hooks_leaked(scene: Scene) -> None:
    """Or nothing below would show anything."""
    assert {name: done.status for name, done in scene.outcomes.items()} == {
        name: status for name, (status, _) in RUNS.items()
    }, scene.outcomes
    for name in (
        "deploy, with a report",
        "deploy --json",
        "a deploy in a terminal",
        "a deploy in a workflow",
    ):
        text = scene.outcomes[name].stdout + scene.outcomes[name].stderr
        assert "inbase64" in text.replace(" ", ""), name
        assert "***" in text, name
    assert scene.github.deployments
    assert len(scene.slack.bodies) > 8
    found = everywhere_on_the_host(scene, [VALUES["SESSION_KEY"]])
    assert any(it.startswith(BELONGS) for it in found), "the releases were given them"
    assert scene.github.environments["staging"].values()["SIGNING_KEY"] == VALUES["SIGNING_KEY"]


@pytest.mark.parametrize("place", PLACES)
def test_no_form_of_a_canary_is_there(scene: Scene, place: str) -> None:
    assert PLACES[place](scene, forms()) == []


@pytest.mark.parametrize("number", range(0, len(forms()), 17))
def test_the_search_finds_what_is_there(scene: Scene, number: int) -> None:
    text = forms()[number]
    plant(scene, text)
    try:
        found = {place: look(scene, [text]) for place, look in PLACES.items()}
    finally:
        remove(scene, text)

    assert [place for place, hits in found.items() if not hits] == []
