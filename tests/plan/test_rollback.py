"""Which release to go back to, what that takes, and which images stay for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from restoops.model import Digest, HostState, Record, Release
from restoops.plan.fleet import release_before
from restoops.plan.retention import images_to_remove
from restoops.plan.rollback import Whereabouts, candidates, find
from tests.plan.states import (
    BLUE,
    GREEN,
    V1,
    V2,
    V3,
    V4,
    digest,
    host,
    proxy,
    record,
    release,
    run,
    runs,
)

REBUILT = Release("v1", digest("v1, rebuilt"))
GIT_SHA = "0123456789abcdef0123456789abcdef01234567"
BUILT = release("sha-0123456")
ALL = (record(V1), record(V2), record(V3))


def serving(what: Release, *history: Record) -> HostState:
    return host(proxy(BLUE, BLUE), runs(BLUE, what), history=history)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        pytest.param(host(None), None, id="none without a history"),
        pytest.param(serving(V1, record(V1)), None, id="none before the first"),
        pytest.param(serving(V3, *ALL), V2, id="the one before what serves"),
        pytest.param(serving(V2, *ALL, record(V2, back_from=V3)), V1,
                     id="never what was rolled back from"),
        pytest.param(serving(V1, *ALL, record(V1, back_from=V3)), V2,
                     id="what was skipped by a rollback is still good"),
        pytest.param(serving(V3, *ALL, record(V2, back_from=V3), record(V3)), V2,
                     id="what was deployed again is good again"),
        pytest.param(serving(V2, record(V1), record(V2), record(V3, "failed")), V1,
                     id="never what failed"),
        pytest.param(serving(V2, record(V1, "finished"), record(V2)), V1,
                     id="also what a later run finished"),
        pytest.param(host(None, history=ALL), V3, id="the newest when nothing serves"),
        pytest.param(serving(V2, record(V1), record(V2), record(V2)), V1,
                     id="not the same again, however often it was deployed"),
    ],
)  # fmt: skip
def test_the_last_good_release(state: HostState, expected: Release | None) -> None:
    assert release_before([state]) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("v2", V2, id="by tag"),
        pytest.param(V2.digest.value, V2, id="by digest"),
        pytest.param(V2.digest.short, V2, id="by the twelve digits that Docker prints"),
        pytest.param(V2.digest.value[7:], V2, id="by all digits without sha256"),
        pytest.param(f"sha256:{V2.digest.short}", V2, id="by twelve digits after sha256"),
        pytest.param(V2.digest.value[:30], V2, id="by more than twelve digits"),
        pytest.param(V2.digest.short[:11], None, id="not by fewer than twelve digits"),
        pytest.param("sha256:", None, id="not by no digits"),
        pytest.param(GIT_SHA, BUILT, id="by the Git SHA it was built from"),
        pytest.param("v1", REBUILT, id="the newest of a tag that moved"),
        pytest.param(V1.digest.short, V1, id="the older of a tag that moved, by digest"),
        pytest.param("v4", None, id="not what failed"),
        pytest.param("v", None, id="not by a part of a tag"),
        pytest.param("", None, id="not by nothing"),
    ],
)
def test_find(text: str, expected: Release | None) -> None:
    history = (*ALL, record(BUILT), record(REBUILT), record(V4, "failed"))

    assert find(history, text) == expected


def test_an_older_tag_of_a_digest_is_found_as_well() -> None:
    again = Release("latest", V1.digest)

    assert find((record(V1), record(again)), "v1") == V1


@pytest.mark.parametrize(
    ("known", "where"),
    [
        pytest.param(True, Whereabouts.IN_REGISTRY, id="only in the registry"),
        pytest.param(False, Whereabouts.GONE, id="gone"),
        pytest.param(None, Whereabouts.UNKNOWN, id="unknown when the registry cannot be asked"),
    ],
)
def test_where_each_release_is(known: bool | None, where: Whereabouts) -> None:
    asked: list[Digest] = []
    state = host(
        proxy(GREEN, BLUE, GREEN), runs(BLUE, V3), runs(GREEN, V4),
        images=(V2,), history=(*ALL, record(V4)),
    )  # fmt: skip

    def in_registry(wanted: Digest) -> bool | None:
        asked.append(wanted)
        return known

    found = candidates(state, in_registry)

    assert [(it.release, it.whereabouts) for it in found] == [
        (V4, Whereabouts.LIVE),
        (V3, Whereabouts.WARM),
        (V2, Whereabouts.ON_HOST),
        (V1, where),
    ]
    assert asked == [V1.digest]


def test_a_release_that_is_being_prepared_is_not_warm() -> None:
    state = host(
        proxy(GREEN, BLUE, GREEN), runs(BLUE, V3), runs(GREEN, V4),
        history=(*ALL, record(V4)), open_run=run(V3, old=GREEN, new=BLUE),
    )  # fmt: skip

    found = {it.release: it.whereabouts for it in candidates(state, lambda _: False)}

    assert found[V3] is Whereabouts.ON_HOST


def test_what_serves_is_live_though_the_same_release_is_warm_as_well() -> None:
    state = host(
        proxy(GREEN, BLUE, GREEN), runs(BLUE, V4), runs(GREEN, V4), history=(record(V4),)
    )  # fmt: skip

    (found,) = candidates(state, lambda _: False)

    assert found.whereabouts is Whereabouts.LIVE


def test_how_long_a_rollback_takes_is_the_median_of_earlier_ones_of_its_sort() -> None:
    warm = [record(V1, took={"AwaitHealthy": s, "Switch": 0.1}) for s in (0.1, 0.3, 9)]
    failed = record(V1, "failed", took={"Start": 100})
    state = serving(
        V2, record(V3, took={"Start": 3}), *warm, failed, record(V2, took={"Pull": 30, "Start": 2})
    )
    warmed = replace(state, containers={**state.containers, GREEN: runs(GREEN, V1)})

    by_release = {it.release: it for it in candidates(warmed, lambda _: True)}

    assert by_release[V1].takes_s == pytest.approx(1.0)
    assert by_release[V3].takes_s == pytest.approx(32.6)
    assert by_release[V1].is_measured
    assert by_release[V2].takes_s is None  # it serves


def test_what_a_rollback_never_does_is_left_out_of_its_time() -> None:
    """A deploy that pulled and watched also tells how long the rest takes."""
    took = {"Pull": 30, "Start": 2, "Switch": 0.4, "Bake": 600}
    state = serving(V2, record(V1), record(V2, took=took))
    on_host = replace(state, images=frozenset({V1.digest}))

    first = {it.release: it for it in candidates(state, lambda _: True)}[V1]
    second = {it.release: it for it in candidates(on_host, lambda _: True)}[V1]

    assert (first.whereabouts, second.whereabouts) == (
        Whereabouts.IN_REGISTRY,
        Whereabouts.ON_HOST,
    )
    assert [first.takes_s, second.takes_s] == pytest.approx([33, 3])
    assert second.is_measured


def test_without_earlier_ones_the_time_is_a_guess() -> None:
    state = replace(serving(V2, record(V1), record(V2)), images=frozenset({V1.digest}))

    older = candidates(state, lambda _: None)[-1]

    assert (older.takes_s, older.is_measured) == (5.0, False)


FOUR = (V1, V2, V3, V4)


@pytest.mark.parametrize(
    ("used", "keep", "removed"),
    [
        pytest.param((V4,), 3, {V1}, id="the newest that make up the number stay"),
        pytest.param((V3, V4), 3, {V1}, id="what runs counts"),
        pytest.param((V1, V4), 3, {V2}, id="what runs stays, however old"),
        pytest.param((V3, V4), 1, {V1, V2}, id="what runs stays, also above the number"),
        pytest.param((V4,), 9, set(), id="all stay while there are few"),
        pytest.param((), 1, {V1, V2, V3}, id="the newest stays when nothing runs"),
    ],
)
def test_retention(used: tuple[Release, ...], keep: int, removed: set[Release]) -> None:
    state = host(None, images=FOUR, history=tuple(record(it) for it in FOUR))

    found = images_to_remove(state, keep, used=frozenset(it.digest for it in used))

    assert found == {it.digest for it in removed}


def test_an_image_that_never_was_live_is_not_kept() -> None:
    failed = release("broken")
    state = host(None, images=(V1, failed), history=(record(V1), record(failed, "failed")))

    assert images_to_remove(state, 5, used=frozenset()) == {failed.digest}
