"""What becomes of images, case by case: the reason is what an operator reads."""

from __future__ import annotations

from dataclasses import replace

import pytest

from restoops.contents import Contents, Manifest, ManifestKind, Push
from restoops.model import Digest, OpenRun, Release
from restoops.plan.fate import Retention
from restoops.plan.images import plan_registry
from restoops.plan.listing import listing
from restoops.plan.retention import plan_host
from restoops.plan.usage import Place, Usage, usage_of
from tests.plan.registries import NOW, RULES, WEB
from tests.plan.states import BLUE, GREEN, V1, V2, V3, V4, digest, host, proxy, record, run, runs

WISH = Retention(1, RULES, NOW)
NEW, OLD, OLDER = (f"2026-02-{day}T00:00:00.000000+00:00" for day in ("27", "20", "10"))


def image(name: str, created: str = OLD, kind: ManifestKind = ManifestKind.IMAGE) -> Manifest:
    return Manifest(digest(name), kind, 100, created=created)


def contents(*images: Manifest, pushes: dict[Digest, Push] | None = None, **tags: str) -> Contents:
    """A repository; a tag has `_` for what cannot be in a name of Python."""
    named = {tag.replace("_", "-"): digest(name) for tag, name in tags.items()}
    return Contents({it.digest: it for it in images}, named, pushes or {})


def why(found: Contents, name: str, usage: Usage | None = None, wish: Retention = WISH) -> str:
    plan = plan_registry("menu", found, usage or Usage(), wish)
    (fate,) = (it for it in plan.fates if it.digest == digest(name))
    return f"{fate.action}: {fate.reason}"


def about(name: str) -> str:
    """The tag of the signature of an image."""
    return f"sha256-{digest(name).value[7:]}.sig"


TWO = contents(image("a"), image("b", NEW), sha_1111111="a", sha_2222222="b")


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(TWO, "delete: older than what is kept", id="an old build"),
        pytest.param(contents(image("a"), image("b", OLDER), sha_1111111="a", sha_2222222="b"),
                     "keep: one of the 1 newest", id="the newest"),
        pytest.param(contents(image("a"), image("b", NEW), main="a", sha_2222222="b"),
                     "keep: tag main names no single build", id="a branch"),
        pytest.param(contents(image("a", ""), image("b", NEW), sha_1111111="a", sha_2222222="b"),
                     "keep: its age is not known", id="no date"),
        pytest.param(contents(image("a", kind=ManifestKind.OTHER), image("b"), sha_1111111="a",
                              sha_2222222="b"),
                     "keep: no image of an application", id="a chart"),
        pytest.param(contents(image("a"), pushes={digest("a"): Push(1, NEW)}),
                     "delete: no tag, and nothing refers to it", id="untagged and old"),
        pytest.param(contents(image("a"), pushes={digest("a"): Push(1, NOW)}),
                     "keep: pushed less than a day ago", id="untagged, made long ago, pushed now"),
        pytest.param(contents(image("a", NOW)), "keep: pushed less than a day ago",
                     id="untagged, perhaps a platform whose index is on its way"),
        pytest.param(Contents({digest("a"): image("a")}, {about("gone"): digest("a")}),
                     "delete: what it was about is gone", id="the signature of nothing"),
    ],
)  # fmt: skip
def test_the_reason_of_each(found: Contents, expected: str) -> None:
    assert why(found, "a") == expected


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        pytest.param(Usage(running={digest("a"): (WEB,)}), "keep: runs on production/web-1",
                     id="it runs"),
        pytest.param(Usage(restorable={digest("a"): tuple(Place("p", f"{n}") for n in range(5))}),
                     "keep: can be rolled back to on p/0, p/1 and 3 more", id="on five hosts"),
    ],
)  # fmt: skip
def test_who_needs_an_image_is_named(usage: Usage, expected: str) -> None:
    assert why(TWO, "a", usage) == expected


def test_what_is_young_stays() -> None:
    young = replace(WISH, older_than_s=30 * 86_400)

    assert why(TWO, "a", wish=young) == "keep: younger than --older-than"


def test_an_image_from_the_future_is_not_younger_than_an_option_that_was_not_given() -> None:
    past = replace(WISH, now="2026-01-01T00:00:00.000000+00:00")

    assert why(TWO, "a", wish=past) == "delete: older than what is kept"


def test_of_equal_dates_the_one_that_was_pushed_later_is_newer() -> None:
    pushes = {digest("a"): Push(2, OLD), digest("b"): Push(1, OLD)}
    found = contents(image("a"), image("b"), pushes=pushes, sha_1111111="a", sha_2222222="b")
    other = replace(found, pushes={digest("a"): Push(1, OLD), digest("b"): Push(2, OLD)})

    assert why(found, "a") == "keep: one of the 1 newest"
    assert why(other, "a") == "delete: older than what is kept"


def test_a_size_counts_once_what_two_deleted_images_share() -> None:
    shared = image("shared")
    two = [
        Manifest(digest(it), ManifestKind.INDEX, 1, (shared.digest,), created=OLD) for it in "ab"
    ]
    found = contents(
        shared, *two, image("c", NEW), sha_1111111="a", sha_2222222="b", sha_3333333="c"
    )
    plan = plan_registry("menu", found, Usage(), WISH)

    assert [it.size_bytes for it in plan.fates] == [100, 101, 101]
    assert plan.size_bytes == 102
    assert [part.digest for part in plan.parts] == [shared.digest]


def test_hosts_need_what_they_run_and_what_they_can_go_back_to() -> None:
    cut_off = run(V4, "deploy", old=BLUE, new=GREEN, previous=V3)
    states = {
        WEB: host(proxy(BLUE, BLUE), runs(BLUE, V2), runs(GREEN, V1, status="exited"),
                  history=(record(V1), record(V2)), open_run=cut_off),
    }  # fmt: skip
    usage = usage_of(states)

    assert usage.running == {V2.digest: (WEB,)}
    assert set(usage.restorable) == {V1.digest, V3.digest, V4.digest}
    assert usage.names[V2.digest] == {"v2"}


def fates(
    *releases: Release, keep: int = 2, has: bool | None = True, open_run: OpenRun | None = None
) -> dict[str, str]:
    """What becomes of releases on a host that runs the last one; `stray` was never ours."""
    state = host(
        None, runs(BLUE, releases[-1]), images=(*releases, Release("stray", digest("stray"))),
        history=(record(Release("failed", digest("failed")), "failed"), *map(record, releases)),
        open_run=open_run,
    )  # fmt: skip
    state = replace(state, images=state.images | {digest("failed")})
    names = {digest(it): it for it in ("stray", "failed")} | {r.digest: r.tag for r in releases}
    found = plan_host("staging/a", state, {}, replace(WISH, keep=keep), lambda _: has)
    return {names[it.digest]: f"{it.action}: {it.reason}" for it in found}


BUILDS = tuple(Release(f"sha-111111{n}", digest(f"build {n}")) for n in range(4))


def test_a_host_keeps_what_runs_and_the_newest_releases() -> None:
    assert fates(*BUILDS) == {
        "sha-1111113": "keep: a container or an unfinished run uses it",
        "sha-1111112": "keep: one of the 2 newest releases here",
        "sha-1111111": "delete: older than the 2 newest releases here",
        "sha-1111110": "delete: older than the 2 newest releases here",
        "failed": "keep: tag failed names no single build",
        "stray": "keep: no run here was about it",
    }


@pytest.mark.parametrize(
    ("has", "reason"),
    [
        (False, "rollbacks can have it from nowhere else"),
        (None, "the registry could not be asked whether it still has it"),
    ],
)
def test_a_host_keeps_the_only_copy(has: bool | None, reason: str) -> None:
    assert fates(*BUILDS, has=has)["sha-1111110"] == f"keep: {reason}"


def test_a_host_keeps_both_ends_of_a_run_that_was_cut_off() -> None:
    cut_off = run(BUILDS[0], "rollback", old=BLUE, new=GREEN, previous=BUILDS[1])
    found = fates(*BUILDS, open_run=cut_off)

    assert {found[it.tag] for it in BUILDS[:2]} == {
        "keep: a container or an unfinished run uses it"
    }


def test_the_list_has_what_only_hosts_have_at_its_end() -> None:
    usage = Usage({digest("a"): (WEB,)}, {V1.digest: (WEB,)}, {V1.digest: frozenset({"v1"})})
    sizes = {WEB: {digest("a"): 7, V1.digest: 8}}

    *_, first, last = listing("menu", TWO, usage, sizes, WISH)
    (alone, other) = listing("menu", None, usage, sizes, WISH)

    assert (first.digest, first.in_registry, first.on_hosts) == (digest("a"), True, (str(WEB),))
    assert (last.tags, last.in_registry, last.size_bytes) == (("v1",), False, 8)
    assert last.protected == "can be rolled back to on production/web-1"
    assert {alone.in_registry, other.in_registry} == {None}
