"""Whatever the options and whatever the repository: what is kept stays complete."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from restoops.contents import Contents, ManifestKind, subject_of_tag
from restoops.model import Digest
from restoops.plan.fate import Retention
from restoops.plan.images import RegistryPlan, loose_parts, plan_registry, survivors
from restoops.plan.tags import TagRules
from restoops.plan.usage import Usage
from tests.plan.registries import (
    IMAGES,
    INDEXES,
    RULES,
    TAGS,
    Loss,
    missing,
    repositories,
    usages,
    wishes,
)
from tests.plan.strategies import many


def deleted(plan: RegistryPlan) -> set[Digest]:
    return {it.digest for it in plan.going} | {it.digest for it in plan.parts}


def carried_out(
    plan: RegistryPlan, contents: Contents, usage: Usage, stop_after: int = 1000
) -> Contents:
    """Delete as the flow does: images, then parts, each looked at again; maybe cut off."""
    for fate in plan.going[:stop_after]:
        is_there = fate.digest in contents.manifests
        if is_there and fate.digest not in survivors(plan, contents, usage):
            contents = Loss(contents).of({fate.digest})
    for part in plan.parts[: max(0, stop_after - len(plan.going))]:
        if part in loose_parts(plan, contents, usage):
            contents = Loss(contents).of({part.digest})
    return contents


def by_hand(tag: str, rules: TagRules) -> bool:
    """Whether a tag of these tests is protected, said once more in other words."""
    is_build = tag.startswith(("sha-", "main-"))
    if rules is not RULES:
        return tag == "latest"
    return not is_build


@many
@given(repositories(), usages(), wishes)
def test_what_is_kept_stays_complete(contents: Contents, usage: Usage, wish: Retention) -> None:
    plan = plan_registry("menu", contents, usage, wish)
    after = Loss(contents).of(deleted(plan))

    for fate in plan.fates:
        if not fate.goes:
            assert missing(contents, after, fate.digest) == set(), fate
    for digest in usage.digests & contents.manifests.keys():
        assert missing(contents, after, digest) == set(), "a host needs it"


@many
@given(repositories(), usages(), wishes)
def test_a_protected_tag_is_never_lost(contents: Contents, usage: Usage, wish: Retention) -> None:
    after = Loss(contents).of(deleted(plan_registry("menu", contents, usage, wish)))

    for tag, digest in contents.tags.items():
        if not subject_of_tag(tag) and by_hand(tag, wish.tags):
            assert after.tags.get(tag) == digest
            assert missing(contents, after, digest) == set()


@many
@given(repositories(), usages(), wishes)
def test_the_newest_are_kept(contents: Contents, usage: Usage, wish: Retention) -> None:
    plan = plan_registry("menu", contents, usage, wish)
    images = [
        it for it in plan.fates
        if any(not subject_of_tag(tag) for tag in it.tags)
        and contents.manifests[it.digest].kind is not ManifestKind.OTHER
    ]  # fmt: skip

    assert [it.created for it in plan.fates] == sorted(it.created for it in plan.fates)[::-1]
    assert not any(it.goes for it in images[: wish.keep])


@many
@given(repositories(), usages(), wishes, st.randoms(use_true_random=False))
def test_the_order_of_answers_does_not_matter(
    contents: Contents, usage: Usage, wish: Retention, random: st.DataObject
) -> None:
    def shuffled(mapping: dict[object, object]) -> dict[object, object]:
        items = list(mapping.items())
        random.shuffle(items)  # type: ignore[attr-defined]  # a random.Random
        return dict(items)

    other = Contents(
        shuffled(dict(contents.manifests)),  # type: ignore[arg-type]
        shuffled(dict(contents.tags)),  # type: ignore[arg-type]
        contents.pushes,
    )

    plan = plan_registry("menu", contents, usage, wish)
    assert plan_registry("menu", other, usage, wish) == plan


@many
@given(repositories(), usages(), wishes, st.integers(0, 20))
def test_a_run_that_was_cut_off_is_finished_by_the_next(
    contents: Contents, usage: Usage, wish: Retention, stop_after: int
) -> None:
    whole = carried_out(plan_registry("menu", contents, usage, wish), contents, usage)
    cut = carried_out(plan_registry("menu", contents, usage, wish), contents, usage, stop_after)
    again = plan_registry("menu", cut, usage, wish)
    finished = carried_out(again, cut, usage)

    assert set(whole.tags) <= set(cut.tags)
    for digest in whole.manifests:
        assert digest in finished.manifests, "what the first plan kept"
    for tag in set(finished.tags) - set(whole.tags):
        assert subject_of_tag(tag) or tag in cut.tags


changes = st.lists(
    st.tuples(st.sampled_from((*TAGS, "new-1234567")), st.sampled_from((*IMAGES, *INDEXES))),
    min_size=1,
    max_size=4,
)


@many
@given(repositories(), usages(), wishes, changes, usages())
def test_what_is_pushed_meanwhile_survives_and_stays_complete(
    contents: Contents, usage: Usage, wish: Retention,
    pushed: list[tuple[str, Digest]], later: Usage,
) -> None:  # fmt: skip
    plan = plan_registry("menu", contents, usage, wish)
    moved = {tag: it for tag, it in pushed if it in contents.manifests}
    meanwhile = Contents(contents.manifests, {**contents.tags, **moved}, contents.pushes)
    after = carried_out(plan, meanwhile, later)

    for tag, digest in moved.items():
        if contents.tags.get(tag) != digest:
            assert after.tags.get(tag) == digest, "pushed after the plan was shown"
            assert missing(meanwhile, after, digest) == set()
    for digest in later.digests & contents.manifests.keys():
        assert missing(meanwhile, after, digest) == set(), "deployed after the plan was shown"


@many
@given(repositories(), usages(), wishes)
def test_nothing_is_deleted_that_was_not_shown(
    contents: Contents, usage: Usage, wish: Retention
) -> None:
    plan = plan_registry("menu", contents, usage, wish)
    after = carried_out(plan, contents, usage)

    assert contents.manifests.keys() - after.manifests.keys() <= deleted(plan)
    assert all(it.reason for it in plan.fates)
