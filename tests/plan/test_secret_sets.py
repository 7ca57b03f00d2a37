"""Secrets stay as long as a release can be started with them."""

from dataclasses import replace

import pytest

from restoops.handover import SecretSet
from restoops.model import Container, Placed, Release
from restoops.plan.bluegreen import plan_deploy, plan_rollback
from restoops.plan.recovery import plan_return
from restoops.plan.secret_sets import own_set, placed_in, unneeded
from restoops.plan.steps import Forget, Start, Step
from tests.plan.states import BLUE, GREEN, V1, V2, V3, V4, WISHES, host, proxy, record, run, runs

BOTH = proxy(GREEN, BLUE, GREEN)


def secrets(what: Release, by: str, *, is_complete: bool = True, **placed: str) -> SecretSet:
    found = {name: Placed(value, "t") for name, value in placed.items()}
    return SecretSet(f"{what.tag}-{by}", what.digest, by, "t", "s", is_complete, found)


def given(container: Container, by: str) -> Container:
    return replace(container, secrets=f"{container.release.tag}-{by}")


ONE, TWO = secrets(V1, "r1"), secrets(V2, "r2")
HOST = replace(
    host(BOTH, given(runs(BLUE, V1), "r1"), given(runs(GREEN, V2), "r2"),
         history=(record(V1), record(V2))),
    secrets=(ONE, TWO),
)  # fmt: skip


@pytest.mark.parametrize(
    ("more", "kept", "gone"),
    [
        pytest.param((), (), set(), id="what a container was given stays"),
        pytest.param((secrets(V3, "r3"),), (V3,), set(), id="that of a release that is kept stays"),
        pytest.param((secrets(V3, "r3"),), (), {"v3-r3"}, id="that of one that is gone goes"),
        pytest.param((secrets(V3, "r3"), secrets(V3, "r4")), (V3,), {"v3-r3"},
                     id="of two of one release the newer stays"),
        pytest.param((secrets(V3, "r3"), secrets(V3, "r4", is_complete=False)), (V3,), {"v3-r4"},
                     id="one that was not written to its end goes"),
        pytest.param((secrets(V3, "r3"), secrets(V3, "undone")), (V3,), {"v3-undone"},
                     id="one of a run that was taken back goes, though it is newer"),
    ],
)  # fmt: skip
def test_unneeded(more: tuple[SecretSet, ...], kept: tuple[Release, ...], gone: set[str]) -> None:
    state = replace(HOST, secrets=(ONE, TWO, *more))

    found = unneeded(state, [it.digest for it in kept], without=None, undone="undone")

    assert found == gone


def test_that_of_a_slot_that_is_emptied_stays_only_for_a_rollback() -> None:
    assert unneeded(HOST, [V1.digest, V2.digest], without=BLUE) == set()
    assert unneeded(HOST, [V2.digest], without=BLUE) == {"v1-r1"}


def steps_of(kind: type[Step], steps: tuple[Step, ...]) -> list[Step]:
    return [it for it in steps if isinstance(it, kind)]


def test_a_deploy_gives_a_release_the_secrets_of_today() -> None:
    state = replace(HOST, secrets=(ONE, TWO, secrets(V3, "r3")), images=HOST.images | {V3.digest})

    plan = plan_deploy(state, V3, WISHES)

    assert steps_of(Start, plan.steps) == [Start(BLUE, V3)]


def test_a_deploy_removes_those_of_releases_that_are_trimmed() -> None:
    wishes = replace(WISHES, keep=2)
    history = (*HOST.history, record(V3))
    state = replace(HOST, images=HOST.images | {V3.digest}, history=history,
                    secrets=(secrets(V3, "r0"), ONE, TWO))  # fmt: skip

    plan = plan_deploy(state, V4, wishes)

    assert steps_of(Forget, plan.steps) == [Forget(frozenset({"v3-r0", "v1-r1"}))]


def test_new_secrets_are_a_reason_to_start_what_serves_anew() -> None:
    wishes = replace(WISHES, spec=f"{WISHES.spec}+new")

    assert steps_of(Start, plan_deploy(HOST, V2, wishes).steps) == [Start(BLUE, V2)]
    assert plan_deploy(HOST, V2, WISHES).steps == ()


def test_a_rollback_gives_a_release_its_own_or_those_of_today_when_they_are_gone() -> None:
    own = replace(HOST, images=HOST.images | {V3.digest}, secrets=(secrets(V3, "r0"), ONE, TWO))
    gone = replace(own, secrets=(ONE, TWO))

    assert steps_of(Start, plan_rollback(own, V3, WISHES).steps) == [Start(BLUE, V3, "v3-r0")]
    assert steps_of(Start, plan_rollback(gone, V3, WISHES).steps) == [Start(BLUE, V3)]


def test_a_run_that_is_undone_takes_its_secrets_with_it() -> None:
    state = replace(
        host(proxy(BLUE, BLUE), given(runs(BLUE, V1), "r1"), given(runs(GREEN, V2), "run-v2")),
        secrets=(ONE, secrets(V2, "run-v2")),
        history=(record(V1),),
    )

    steps = plan_return(run(V2, previous=V1), state, WISHES)

    assert steps_of(Forget, steps) == [Forget(frozenset({"v2-run-v2"}))]
    assert own_set(state, V1.digest) == ONE


def test_what_differs_between_releases_has_no_fingerprint() -> None:
    sets = [secrets(V1, "r1", A="f1", B="f"), secrets(V2, "r2", A="f2", B="f"),
            secrets(V3, "r3", is_complete=False, C="f")]  # fmt: skip

    assert placed_in(sets) == {"A": Placed("", "t"), "B": Placed("f", "t")}
