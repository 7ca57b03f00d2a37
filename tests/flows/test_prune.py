"""`images prune` as a whole: hosts in memory, and a registry over real HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from restoops.errors import Interrupted, Locked, NeedsAttention, Unreachable
from restoops.flows.prune import PrunePlan
from restoops.flows.prune_record import Recorder
from restoops.model import Digest, Release
from restoops.plan.usage import Place
from restoops.report.image_events import HostPruned, Planned, Survived, Verified
from tests.flows.clock import FakeClock
from tests.flows.estates import Shelf
from tests.flows.pruning import OLGA, Stage
from tests.lab import oci
from tests.lab.ghcr import Ghcr
from tests.lab.service import Fault


@pytest.fixture(params=["github", "another registry"])
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    with Ghcr(is_github=request.param == "github") as server, ExitStack() as stack:
        yield Stage(server, stack=stack)


@pytest.fixture
def built(stage: Stage) -> dict[int, Release]:
    found = {number: stage.build(number) for number in range(9)}
    found[9] = stage.build(9, "main", "latest")
    return found


@pytest.mark.usefixtures("built")
def test_old_builds_go_with_all_that_was_theirs_alone(stage: Stage) -> None:
    signed = oci.index("sha-0000000", created="2026-01-01T00:00:00Z", built_by="ci")
    stage.server.push(oci.signature(signed), oci.about_tag(signed, ".sig"))
    stage.server.push(oci.artifact("sbom", signed))
    kept = oci.index("sha-0000009", created="2026-01-10T00:00:00Z", built_by="ci")
    signature = stage.server.push(oci.signature(kept), oci.about_tag(kept, ".sig"))
    sbom = stage.server.push(oci.artifact("sbom of the last", kept))

    prune = stage.done()

    prune.raise_if_failed()
    assert stage.builds == {"8", "9"}
    assert {signature, sbom} <= stage.server.manifests.keys()
    # Two builds of five manifests each, and what is about the last one.
    assert len(stage.server.manifests) == 2 * 5 + 2
    assert {entry["digest"] for entry in stage.log} & stage.server.manifests.keys() == set()
    assert len(stage.log) == 8 * 5 + 2
    assert stage.of(Verified)[0].faults == {}


def test_what_any_host_runs_or_can_go_back_to_stays(
    stage: Stage, built: dict[int, Release]
) -> None:
    stage.hosts[Place("staging", "a")] = Shelf.after("a", built[0], built[1], built[2])
    stage.hosts[Place("production", "b")] = Shelf.after("b", built[4])

    stage.done().raise_if_failed()

    assert stage.builds == {"0", "1", "2", "4", "8", "9"}


@pytest.mark.parametrize("why", ["unreachable", "altered", "its environment"])
def test_if_any_host_cannot_be_asked_nothing_is_deleted_from_the_registry(
    stage: Stage, built: dict[int, Release], why: str
) -> None:
    there = stage.hosts[Place("staging", "a")] = Shelf.after("a", *(built[n] for n in range(5)))
    away = stage.hosts[Place("production", "b")] = Shelf.after("b", built[5])
    if why == "unreachable":
        away.fault = Unreachable("b: no answer")
    elif why == "altered":
        away.altered = "history.jsonl was altered"
    else:
        del stage.hosts[Place("production", "b")]
        stage.unknown["production"] = Unreachable("production: no Terraform outputs")

    prune = stage.done()

    assert stage.server.changes == []
    assert len(there.images) == 2, "its own images are no matter of other hosts"
    expected = NeedsAttention if why == "altered" else Unreachable
    with pytest.raises(expected, match="; nothing was deleted from 127"):
        prune.raise_if_failed()


def test_a_host_that_is_lost_after_the_plan_was_shown_ends_it_as_well(
    stage: Stage, built: dict[int, Release]
) -> None:
    host = stage.hosts[Place("staging", "a")] = Shelf.after("a", built[9])

    prune = stage.done(meanwhile=lambda: setattr(host, "fault", Unreachable("a: gone")))

    assert stage.server.changes == []
    with pytest.raises(Unreachable, match="a: gone; nothing was deleted"):
        prune.raise_if_failed()


def test_a_host_that_is_being_deployed_to_is_left_alone(
    stage: Stage, built: dict[int, Release]
) -> None:
    busy = stage.hosts[Place("staging", "a")] = Shelf.after("a", *(built[n] for n in range(5)))
    free = stage.hosts[Place("staging", "b")] = Shelf.after("b", *(built[n] for n in range(5)))
    busy.busy_with = "ci"

    prune = stage.done()

    assert (len(busy.images), len(free.images)) == (5, 2)
    assert stage.server.changes == []
    with pytest.raises(Locked, match="ci; nothing was deleted from") as caught:
        prune.raise_if_failed()
    assert caught.value.status == 4


def test_what_a_deploy_made_live_before_we_had_the_lock_stays(
    stage: Stage, built: dict[int, Release]
) -> None:
    host = stage.hosts[Place("staging", "a")] = Shelf.after("a", *(built[n] for n in range(5)))

    def deploy() -> None:
        host.containers = Shelf.after("a", built[0], built[1]).containers

    host.on_lock = deploy
    stage.done().raise_if_failed()

    assert {built[0].digest, built[1].digest} <= host.images
    survivors = {event.digest for event in stage.of(Survived) if event.where == "staging/a"}
    assert survivors == {built[0].digest, built[1].digest}
    assert {"0", "1"} <= stage.builds


def test_an_image_that_somebody_else_uses_stays_and_is_told(
    stage: Stage, built: dict[int, Release]
) -> None:
    host = stage.hosts[Place("staging", "a")] = Shelf.after("a", *(built[n] for n in range(5)))
    host.foreign = {built[0].digest}

    stage.done()

    assert built[0].digest in host.images
    assert stage.of(Survived)[0].reason == "a container of somebody else uses it"


def test_the_disk_of_a_host_is_told_before_and_after(
    stage: Stage, built: dict[int, Release]
) -> None:
    stage.hosts[Place("staging", "a")] = Shelf.after("a", *(built[n] for n in range(5)))

    stage.done()

    (told,) = stage.of(HostPruned)
    assert (told.deleted, told.after.free_bytes - told.before.free_bytes) == (3, 3000)


@pytest.mark.parametrize("has", [False, None], ids=["has it no more", "cannot be asked"])
def test_the_last_copy_of_a_release_is_never_removed(
    stage: Stage, built: dict[int, Release], has: bool | None
) -> None:
    host = stage.hosts[Place("staging", "a")] = Shelf.after("a", *(built[n] for n in range(5)))
    prune = stage.prune(has=has)

    prune.carry_out(prune.plan(), OLGA, 0)

    assert len(host.images) == 5


def push_again(stage: Stage, built: dict[int, Release]) -> str:
    stage.server.tags["v1.0.0"] = str(built[3].digest)
    return "3"


def move_main(stage: Stage, built: dict[int, Release]) -> str:
    stage.server.tags["main"] = str(built[4].digest)
    return "4"


def move_away(stage: Stage, built: dict[int, Release]) -> str:
    stage.server.tags["main-0000005"] = str(built[9].digest)
    return "5"


def deploy(stage: Stage, built: dict[int, Release]) -> str:
    stage.hosts[Place("staging", "a")].containers = Shelf.after("a", built[6]).containers
    return "6"


@pytest.mark.parametrize("change", [push_again, move_main, move_away, deploy])
def test_what_is_pushed_or_deployed_after_the_plan_was_shown_survives(
    stage: Stage, built: dict[int, Release],
    change: Callable[[Stage, dict[int, Release]], str],
) -> None:  # fmt: skip
    stage.hosts[Place("staging", "a")] = Shelf.after("a", built[9])
    saved: list[str] = []

    prune = stage.done(meanwhile=lambda: saved.append(change(stage, built)))

    prune.raise_if_failed()
    assert stage.builds == {*saved, "8", "9"}
    (survivor,) = stage.of(Survived)
    assert survivor.digest == built[int(saved[0])].digest
    assert stage.of(Verified)[0].faults == {}


def test_a_tag_that_is_pushed_while_others_are_being_deleted_survives(
    stage: Stage, built: dict[int, Release]
) -> None:
    """The worst moment: the image before it has just been asked to be deleted."""
    order = range(7, -1, -1)

    def push(digest: str) -> None:
        if digest == str(built[order[0]].digest):
            stage.server.tags["hotfix"] = str(built[order[1]].digest)

    stage.server.before_delete = push
    stage.done().raise_if_failed()

    assert stage.server.tags["hotfix"] == str(built[order[1]].digest)
    assert stage.builds == {"6", "8", "9"}


def test_a_new_index_keeps_the_platform_that_it_shares_with_an_old_one(stage: Stage) -> None:
    shared = oci.image("base", "linux/s390x")
    old = oci.index("old", parts=[shared])
    stage.server.push(old, "sha-1111111")
    for number in range(2, 5):
        stage.build(number)
    new = oci.index("new", created="2026-02-01T00:00:00Z", parts=[shared])

    stage.done(meanwhile=lambda: stage.server.push(new, "sha-2222222")).raise_if_failed()

    assert old.digest not in stage.server.manifests
    assert shared.digest in stage.server.manifests


def test_what_is_deployed_while_images_are_being_deleted_keeps_its_parts(
    stage: Stage, built: dict[int, Release]
) -> None:
    host = stage.hosts[Place("staging", "a")] = Shelf.after("a", built[9])
    old = oci.index("sha-0000007", created="2026-01-08T00:00:00Z", built_by="ci")
    platform = Digest(next(iter(old.manifests)))

    def deploy(digest: str) -> None:
        if digest == old.digest:  # its index has just gone
            host.containers = Shelf.after("a", Release("by-digest", platform)).containers

    stage.server.before_delete = deploy
    stage.done().raise_if_failed()

    assert str(platform) in stage.server.manifests
    assert stage.builds == {"8", "9"}


@pytest.mark.usefixtures("built")
def test_what_is_deleted_is_what_was_shown(stage: Stage) -> None:
    prune = stage.prune()
    plan = prune.plan()
    assert stage.server.changes == [], "a plan changes nothing"
    shown = {it.digest for planned in stage.of(Planned) for it in planned.fates if it.goes}
    parts = sum(planned.parts for planned in stage.of(Planned))
    prune.carry_out(plan, OLGA, 0)

    deleted = {Digest(entry["digest"]) for entry in stage.log}
    assert shown <= deleted
    assert len(deleted - shown) == parts
    assert len(set(stage.server.deleted())) == len(stage.log)


@pytest.mark.usefixtures("built")
def test_a_second_run_has_nothing_to_do(stage: Stage) -> None:
    stage.done().raise_if_failed()
    before = len(stage.server.deleted())

    plan: PrunePlan = stage.prune().plan()

    assert not plan.is_something
    assert len(stage.server.deleted()) == before


def test_an_outage_half_way_is_told_with_what_is_left_and_the_next_run_finishes(
    stage: Stage, built: dict[int, Release]
) -> None:
    def break_down(digest: str) -> None:
        if digest == str(built[4].digest):
            stage.server.before_delete = lambda _: None
            stage.server.faults += [Fault(500, {}, "down")] * 40

    stage.server.before_delete = break_down
    prune = stage.done()
    with pytest.raises(
        Unreachable, match=r"answered 500.*; 4 manifests of .* were deleted"
    ) as caught:
        prune.raise_if_failed()

    assert caught.value.status == 5
    for number in range(3):
        assert f"left: {built[number].digest}" in caught.value.details
    assert f"left: {built[7].digest}" not in caught.value.details
    stage.server.faults.clear()
    stage.done().raise_if_failed()
    assert stage.builds == {"8", "9"}
    if stage.server.is_github:  # others do not tell what has no tag
        assert len(stage.server.manifests) == 2 * 5


def test_a_signal_ends_it_between_two_deletions(stage: Stage, built: dict[int, Release]) -> None:
    def interrupt(digest: str) -> None:
        if digest == str(built[5].digest):
            stage.interrupt.ask()

    stage.server.before_delete = interrupt

    with pytest.raises(Interrupted, match="interrupted; 3 deleted; the log names them"):
        stage.done()

    assert stage.builds == {"0", "1", "2", "3", "4", "8", "9"}
    assert len(stage.log) == 3


@pytest.mark.parametrize("has_host", [False, True])
def test_nothing_more_is_deleted_once_the_log_cannot_be_written(
    stage: Stage, built: dict[int, Release], has_host: bool
) -> None:
    def full(_: object) -> None:
        raise NeedsAttention("the log cannot be written")

    host = Shelf.after("h1", *(built[number] for number in range(5, 10)))
    if has_host:
        stage.hosts[Place("staging", "h1")] = host
    images, builds = len(host.images), len(stage.builds)
    prune = stage.prune()
    prune.recorder = Recorder(stage.told.append, full, FakeClock(), "olga")

    prune.carry_out(prune.plan(), OLGA, 0)

    with pytest.raises(NeedsAttention, match="the log cannot be written"):
        prune.raise_if_failed()
    assert (images - len(host.images), builds - len(stage.builds)) == (has_host, not has_host)


@pytest.mark.usefixtures("built")
def test_a_kept_tag_that_is_not_complete_needs_attention(stage: Stage) -> None:
    whole = oci.index("sha-0000009", created="2026-01-10T00:00:00Z", built_by="ci")
    lost = next(iter(whole.manifests))

    def lose(_: str) -> None:
        stage.server.manifests.pop(lost, None)

    stage.server.before_delete = lose
    prune = stage.done()

    with pytest.raises(NeedsAttention, match="not complete: latest, main, main-0000009") as caught:
        prune.raise_if_failed()
    assert caught.value.status == 3
    assert f"latest: manifest {lost} is missing" in caught.value.details
    assert "was before" not in caught.value.details


@pytest.mark.usefixtures("built")
def test_what_was_not_complete_before_is_told_as_such(stage: Stage) -> None:
    whole = oci.index("sha-0000009", created="2026-01-10T00:00:00Z", built_by="ci")
    stage.server.manifests.pop(next(iter(whole.manifests)))
    stage.server.versions.pop(next(iter(whole.manifests)), None)

    with pytest.raises(NeedsAttention) as caught:
        stage.done().raise_if_failed()

    assert "(and was before)" in caught.value.details


def test_a_token_that_expires_half_way_leaves_the_rest_to_the_next_run(stage: Stage) -> None:
    if not stage.server.is_github:
        stage.server.token = "changes below"
    built = {number: stage.build(number) for number in range(10)}
    fresh = stage.server.token

    def expire(digest: str) -> None:
        if digest == str(built[5].digest):
            stage.server.token = "another"

    stage.server.before_delete = expire
    prune = stage.done()
    if stage.server.is_github:
        with pytest.raises(Unreachable, match="wrong or has expired; 3 manifests") as caught:
            prune.raise_if_failed()
        assert fresh not in f"{caught.value.message}{caught.value.hint}{caught.value.details}"
        stage.done().raise_if_failed()
    assert stage.builds == {"8", "9"}, "a registry's own token is asked for anew"
