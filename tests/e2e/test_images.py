"""`restoops images` against a real registry and real engines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.e2e.conditions import held_lock, refused, shell, unchanged
from tests.e2e.inside import answering, assert_at_rest
from tests.lab import oci
from tests.lab.images import App
from tests.lab.operator import Operator
from tests.lab.registry import Registry, RegistryFailed
from tests.lab.releases import PushedRelease, Releases

# How much is free is asked of a disk that all droplets share.
pytestmark = [pytest.mark.lab, pytest.mark.alone]

REPOSITORY = "menu/pruned"
BUILDS = tuple(f"{number}" * 7 for number in range(1, 7))
"""Deployed one after the other; the last two run."""
NOBODY = "127.0.0.2"
DELETES = re.compile(r"DELETE /v2/|method=DELETE")


@pytest.fixture(scope="module")
def pushed(releases: Releases) -> dict[str, PushedRelease]:
    return {name: releases.push(App(name), REPOSITORY) for name in BUILDS}


@pytest.fixture(scope="module")
def desk(operator: Operator, registry: Registry, pushed: dict[str, PushedRelease]) -> Operator:
    """A host with six releases, and a registry with old builds besides."""
    operator.settings["image"] = {"repository": REPOSITORY, "keep": 10}
    for release in pushed.values():
        operator.deploy(release.tag)
    operator.settings["image"]["keep"] = 2
    registry.move_tag(REPOSITORY, "main", pushed[BUILDS[-1]].digest)
    return operator


@pytest.fixture
def old(registry: Registry) -> Iterator[dict[str, oci.Bundle]]:
    """Builds from before anything was deployed; the second is signed, the third is a version."""
    made = {
        f"sha-{n:07x}": oci.index(f"old {n}", created=f"2025-01-0{n}T00:00:00Z", built_by="run 7")
        for n in range(1, 4)
    }
    for tag, bundle in made.items():
        registry.put(bundle, REPOSITORY, tag, f"main-{tag[4:]}")
    signed = made["sha-0000002"]
    registry.put(oci.signature(signed), REPOSITORY, oci.about_tag(signed, ".sig"))
    registry.put(made["sha-0000003"], REPOSITORY, "v1.2.3")
    yield made
    for bundle in made.values():
        with suppress(RegistryFailed):  # deleted by the test
            registry.delete(REPOSITORY, bundle.digest)


@contextmanager
def another_environment(desk: Operator, host: str) -> Iterator[None]:
    usual = desk.settings["environments"]
    desk.settings["environments"] = {**usual, "production": {"hosts": [host]}}
    try:
        yield
    finally:
        desk.settings["environments"] = usual


def deletions(registry: Registry) -> int:
    """How often the registry was asked to delete something, by its own log."""
    return len(DELETES.findall(registry.log.read_text()))


def test_the_list_joins_registry_and_hosts(
    desk: Operator, pushed: dict[str, PushedRelease],
    old: dict[str, oci.Bundle],
) -> None:  # fmt: skip
    rows = {row["digest"]: row for row in desk.must("images", "list", "--json").events}
    place = f"staging/{desk.droplet.address}"

    live, warm, past = (rows[pushed[BUILDS[n]].digest] for n in (-1, -2, 0))
    assert (live["running"], live["restorable"]) == ([place], [])
    assert set(live["tags"]) == {f"sha-{BUILDS[-1]}", "main"}
    assert (warm["running"], warm["restorable"]) == ([place], [place])
    assert (past["running"], past["restorable"]) == ([], [place])
    assert "can be rolled back to" in past["protected"]
    assert all(row["on_hosts"] == [place] for row in (live, warm, past))
    version = rows[old["sha-0000003"].digest]
    assert version["protected"] == "tag v1.2.3 is protected by <semver>"
    assert version["platforms"] == ["linux/amd64", "linux/arm64"]
    assert version["created"].startswith("2025-01-03")
    assert rows[old["sha-0000001"].digest]["protected"] == ""
    assert all(row["size_bytes"] > 0 and row["in_registry"] for row in rows.values())

    table = desk.must("images", "list", "staging").stdout
    for text in ("TAGS", "v1.2.3", "linux/amd64 linux/arm64", place, "can be rolled back to"):
        assert text in table


@pytest.mark.usefixtures("old")
def test_a_dry_run_asks_nobody_to_change_anything(desk: Operator, registry: Registry) -> None:
    before, tags = deletions(registry), registry.tags(REPOSITORY)
    with unchanged(desk.droplet):
        outcome = desk.must("images", "prune", "--dry-run")

    assert deletions(registry) == before
    assert registry.tags(REPOSITORY) == tags
    assert "dry run: nothing was deleted" in outcome.stdout
    assert re.search(r"delete +main-0000001 sha-0000001 ", outcome.stdout)
    assert re.search(r"keep +main-0000003 sha-0000003 v1.2.3 ", outcome.stdout)
    assert "Traceback" not in outcome.stderr


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        pytest.param(["prune"], 1, "nobody is there to ask", id="nobody to ask"),
        pytest.param(["prune", "--yes", "--local-only", "--registry-only"], 2,
                     "do not go together", id="neither hosts nor registry"),
        pytest.param(["prune", "--yes", "--older-than", "soon"], 2, "no age", id="no age"),
        pytest.param(["prune", "nowhere", "--yes"], 2, "unknown environment", id="no environment"),
        pytest.param(["prune", "--yes", "--log", "/proc/nothing/log"], 2, "cannot be written",
                     id="a log that cannot be written"),
        pytest.param(["prune", "--yes", "--max-delete", "2"], 6, "more than --max-delete 2",
                     id="too many"),
        pytest.param(["inspect", "sha-7777777"], 1, "is not in the registry", id="no such tag"),
        pytest.param(["inspect", "sha256:12"], 2, "no whole digest", id="half a digest"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("old")
def test_what_is_refused_deletes_nothing_and_says_what_to_do(
    desk: Operator, registry: Registry,
    words: list[str], status: int, told: str,
) -> None:  # fmt: skip
    before = deletions(registry)
    with unchanged(desk.droplet):
        outcome = desk.run("images", *words)

    refused(outcome, status, told)
    assert deletions(registry) == before


@pytest.mark.usefixtures("old")
def test_a_deploy_that_is_running_is_not_disturbed(desk: Operator, registry: Registry) -> None:
    before = deletions(registry)
    with held_lock(desk.droplet), unchanged(desk.droplet):
        outcome = desk.run("images", "prune", "--yes")

    refused(outcome, 4, "another run holds the lock: lab from lab", "nothing was deleted from")
    assert deletions(registry) == before


@pytest.mark.usefixtures("old")
def test_a_host_that_cannot_be_asked_keeps_the_registry_as_it_is(
    desk: Operator, registry: Registry
) -> None:
    before = deletions(registry)
    with another_environment(desk, NOBODY):
        outcome = desk.run("images", "prune", "staging", "--yes", "--registry-only")
        listed = desk.run("images", "list", "staging")

    refused(outcome, 5, f"production/{NOBODY}" if "production/" in outcome.stderr else NOBODY,
            "nothing was deleted from")  # fmt: skip
    assert deletions(registry) == before
    refused(listed, 5, NOBODY, "so what is shown is not all")
    assert "v1.2.3" in listed.stdout


def test_an_image_is_described_with_its_builder_and_its_hosts(
    desk: Operator, pushed: dict[str, PushedRelease], old: dict[str, oci.Bundle]
) -> None:
    (running,) = desk.must("images", "inspect", BUILDS[-1], "--json").events
    (built,) = desk.must("images", "inspect", "v1.2.3", "--json").events
    shown = desk.must("images", "inspect", old["sha-0000002"].digest).stdout

    assert running["digest"] == pushed[BUILDS[-1]].digest
    assert running["running"] == [f"staging/{desk.droplet.address}"]
    assert running["labels"] == {"revision": BUILDS[-1]}
    assert built["built_by"] == "run 7"
    assert [it["platform"] for it in built["platforms"]] == ["linux/amd64", "linux/arm64"]
    assert built["attestations"] == ["https://slsa.dev/provenance/v0.2"]
    for text in ("built by", "run 7", "linux/arm64", "no host", ".sig"):
        assert text in shown


@pytest.mark.usefixtures("old", "pushed")
def test_a_prune_deletes_what_nothing_needs_and_says_so(
    desk: Operator, registry: Registry,
) -> None:  # fmt: skip
    log = Path(desk.folder) / "deleted.jsonl"

    outcome = desk.must("images", "prune", "--yes", "--log", str(log), "--json")

    assert registry.tags(REPOSITORY) == sorted(
        ["main", "main-0000003", "sha-0000003", "v1.2.3", *(f"sha-{name}" for name in BUILDS)]
    )
    events = outcome.events
    (ended,) = (event for event in events if event["event"] == "prune_ended")
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    assert ended["deleted"] == len(entries) == 4 + 11
    assert {event["digest"] for event in events if event["event"] == "deleted"} == {
        entry["digest"] for entry in entries
    }
    (host,) = (event for event in events if event["event"] == "host_pruned")
    assert host["deleted"] == 4
    assert host["after"]["free_bytes"] > host["before"]["free_bytes"]
    (verified,) = (event for event in events if event["event"] == "verified")
    assert (verified["tags"], verified["faults"]) == (10, {})
    left = shell(desk.droplet, f"docker images --digests | grep {REPOSITORY} | wc -l")
    assert left.strip() == "2"
    assert answering(desk.url) == BUILDS[-1]
    assert_at_rest(desk.droplet)


@pytest.mark.usefixtures("pushed")
def test_what_was_removed_from_the_host_can_still_be_rolled_back_to(desk: Operator) -> None:
    told = desk.must("rollback", "--list", "staging", "--json").events

    assert len(told) == len(BUILDS)
    assert "gone" not in {one["whereabouts"] for one in told}
    desk.rollback(BUILDS[0])
    assert answering(desk.url) == BUILDS[0]


def test_a_second_prune_has_nothing_to_do(desk: Operator, registry: Registry) -> None:
    desk.must("images", "prune", "--yes")
    before = deletions(registry)

    outcome = desk.must("images", "prune", "--yes")

    assert deletions(registry) == before
    assert outcome.stdout.endswith("nothing was deleted\n")
