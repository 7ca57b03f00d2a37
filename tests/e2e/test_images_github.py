"""`restoops images` as the command that it is, with GitHub's registry and API (a stand-in)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conditions import refused
from tests.lab import oci
from tests.lab.ghcr import REPOSITORY, Ghcr
from tests.lab.operator import Desk
from tests.lab.registry import Registry
from tests.lab.service import Fault
from tests.lab.standin.fleet import Fleet
from tests.lab.terminal import OnTerminal

pytestmark = pytest.mark.lab

BUILDS = tuple(f"sha-{number:07x}" for number in range(1, 4))
PROXY = "restoops/haproxy:a"
HOSTS = 3


@pytest.fixture(scope="module")
def github() -> Iterator[Ghcr]:
    with Ghcr(owner="orgs") as running:
        yield running


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    with Fleet(HOSTS) as running:
        yield running


@pytest.fixture(scope="module")
def desk(
    github: Ghcr, fleet: Fleet, registry: Registry, tmp_path_factory: pytest.TempPathFactory
) -> Desk:
    """An operator whose two environments run builds from GitHub's registry."""
    made = fleet.desk(tmp_path_factory.mktemp("desk"), registry, PROXY)
    made.settings["registry"] = {"host": github.host, "kind": "ghcr", "api": github.api}
    made.settings["image"] = {"repository": REPOSITORY, "keep": 2}
    made.env["GITHUB_TOKEN"] = github.token
    first, *others = fleet.keys
    made.settings["environments"] = {
        "staging": {"hosts": others}, "production": {"hosts": [first]},
    }  # fmt: skip
    for number, tag in enumerate(BUILDS, 1):
        github.push(build(tag, f"2026-01-0{number}T00:00:00Z"), tag)
        made.must("deploy", tag, "staging")
    made.must("deploy", BUILDS[0], "production", "--yes")
    return made


@pytest.fixture(autouse=True)
def old(github: Ghcr) -> list[str]:
    """Tags of builds that nothing needs; each test has its own."""
    github.faults.clear()
    github.requests.clear()
    github.refuses_after = None
    tags = [f"sha-{number:07x}" for number in range(100, 112)]
    for tag in tags:
        github.push(build(tag, "2025-01-01T00:00:00Z"), tag, f"main-{tag[4:]}")
    return tags


def build(name: str, created: str) -> oci.Bundle:
    return oci.index(name, created=created, built_by="https://github.com/menu/actions/runs/7")


def test_a_prune_sits_out_limits_and_cut_connections(
    desk: Desk, github: Ghcr, old: list[str], tmp_path: Path
) -> None:
    log = tmp_path / "images.jsonl"
    github.before_delete = lambda _: github.faults.extend(
        [] if len(github.deleted()) % 20 else [Fault.cut(), Fault(429, {"retry-after": "1"})]
    )
    github.faults += [Fault(403, {"retry-after": "1"}), Fault.cut()]

    outcome = desk.must("images", "prune", "--yes", "--log", str(log))

    github.before_delete = lambda _: None
    assert set(github.tags) == set(BUILDS)
    assert len(github.manifests) == 5 * len(BUILDS)
    assert not [path for path in github.deleted() if path.startswith("/v2/")]
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    assert len(entries) == 5 * len(old)
    assert {entry["who"].partition(" ")[0] for entry in entries} == {"olga"}
    assert "asks for a pause of 1 s" in outcome.stderr
    assert f"{len(BUILDS)} of {len(BUILDS)} tags are complete" in outcome.stdout
    assert github.token not in outcome.stdout + outcome.stderr + log.read_text()


def test_a_dry_run_changes_nothing(desk: Desk, github: Ghcr) -> None:
    outcome = desk.must("images", "prune", "--dry-run", "--json")

    assert github.changes == []
    fates = [event for event in outcome.events if event["event"] == "fate"]
    gone = {fate["tags"][1] for fate in fates if fate["action"] == "delete"}
    assert len(gone) == 12
    kept = {tag: fate["reason"] for fate in fates for tag in fate["tags"]}
    assert kept[BUILDS[0]].startswith("runs on production/")


@pytest.mark.full
def test_an_expired_token_leaves_the_rest_to_the_next_run(
    desk: Desk, github: Ghcr, old: list[str]
) -> None:
    github.refuses_after = 5

    outcome = desk.run("images", "prune", "--yes", "--registry-only")

    refused(outcome, 5, "has expired; 5 manifests of", "left: sha256:", "goes on with what is left")
    assert github.token not in outcome.stderr
    left = len(set(github.tags) & set(old))
    assert left == 7
    github.refuses_after = None
    desk.must("images", "prune", "--yes", "--registry-only")
    assert set(github.tags) == set(BUILDS)
    assert len(github.manifests) == 5 * len(BUILDS)


def test_the_question_has_counts_and_sizes_and_no_is_no(desk: Desk, github: Ghcr) -> None:
    words = ["images", "prune", "--registry-only"]
    with OnTerminal(words, desk.env, desk.folder) as command:
        question = command.await_question()
        command.answer("n")
        status = command.finish()

    assert status == 1
    assert question.startswith("Delete 12 images (")
    assert f"kB) from {github.host}/{REPOSITORY}? [y/N]" in question
    assert github.changes == []


def test_a_local_prune_asks_the_registry_to_change_nothing(
    desk: Desk, github: Ghcr, fleet: Fleet
) -> None:
    outcome = desk.must("images", "prune", "staging", "--local-only", "--yes", "--json")

    assert github.changes == []
    told = {event["where"] for event in outcome.events if event["event"] == "fate"}
    assert told == {f"staging/{host}" for host in list(fleet.keys)[1:]}


def test_the_list_is_of_all_environments_whichever_is_named(desk: Desk, fleet: Fleet) -> None:
    rows = desk.must("images", "list", "staging", "--json").events
    first = next(iter(fleet.keys))

    (row,) = (row for row in rows if BUILDS[0] in row["tags"])
    assert row["running"] == [f"production/{first}"]
    assert len(row["restorable"]) == HOSTS - 1
