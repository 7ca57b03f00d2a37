"""Ansible's swap on two hosts: both move, or none does, and `--limit` moves one."""

from __future__ import annotations

import pytest

from tests.e2e.fleets import results, serving, unnoticed
from tests.e2e.inside import assert_at_rest
from tests.e2e.playbooks import Team
from tests.lab.images import App
from tests.lab.operator import Operator
from tests.lab.releases import Releases

pytestmark = [pytest.mark.lab, pytest.mark.full]


@pytest.fixture(scope="module")
def team(pair: Operator, releases: Releases) -> Team:
    pair.deploy(releases.push(App("first")).tag)
    return Team(pair)


def test_both_hosts_move_together_under_load(
    team: Team, pair: Operator, releases: Releases
) -> None:
    with unnoticed(pair):
        done = team.update(releases.push(App("second")).tag)

    assert done.status == 0, done
    assert serving(pair) == ["second", "second"]
    for line in ("a                          : ok=", "b                          : ok="):
        assert line in done.stdout


def test_when_one_host_fails_none_moves(team: Team, pair: Operator, releases: Releases) -> None:
    tag = releases.push(App("third")).tag
    pair.droplets[1].exec(["systemctl", "stop", "docker.socket", "docker.service"])
    try:
        with unnoticed(pair, pair.droplets[1]):
            failed = team.update(tag)
        ours = pair.run("deploy", tag, "staging", "--via", "ansible")
    finally:
        pair.droplets[1].exec(["systemctl", "start", "docker.service"])

    assert failed.status == 2
    assert "the Docker engine does not run" in failed.stdout
    assert ours.status == 5
    assert "the Docker engine does not run" in ours.stderr
    assert serving(pair, pair.droplets[1]) == ["second"]
    assert_at_rest(pair.droplets[0])


def test_a_release_that_is_bad_on_one_host_moves_none(
    team: Team, pair: Operator, releases: Releases
) -> None:
    bad = releases.push(App("bad", "never-healthy")).tag
    with unnoticed(pair):
        failed = team.update(bad)

    assert failed.status == 2
    assert f"sha-second serves; {bad} failed" in failed.stdout
    assert serving(pair) == ["second", "second"]


def test_limit_moves_one_and_the_next_deploy_brings_them_together(
    team: Team, pair: Operator, releases: Releases
) -> None:
    tag = releases.push(App("fourth")).tag
    with unnoticed(pair):
        assert team.update(tag, "--limit", "b").status == 0
        assert serving(pair) == ["second", "fourth"]
        done = pair.deploy(tag, "--via", "ansible", "--json")

    assert [ending for ending, _ in results(done).values()] == ["done", "unchanged"]
    assert serving(pair) == ["fourth", "fourth"]
