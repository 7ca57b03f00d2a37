"""What is done of a plan is read from the state, for each kind of change."""

import pytest

from restoops.plan.infra_progress import what_is_done
from restoops.plan.infra_resources import resources_of
from tests.plan.plans import Json, changing, droplet, plan_of, resource, state_of

A = 'digitalocean_droplet.web["a"]'
THERE = {"id": "id-a", "name": "dev-a", "size": "s-1vcpu-1gb"}
GROW = changing(A, ["update"], THERE, {**THERE, "size": "m"})


@pytest.mark.parametrize(
    ("change", "now", "is_done"),
    [
        pytest.param(droplet("a", ["create"]), THERE, True, id="made"),
        pytest.param(droplet("a", ["create"]), None, False, id="not made"),
        pytest.param(droplet("a", ["delete"]), None, True, id="destroyed"),
        pytest.param(droplet("a", ["delete"]), THERE, False, id="not destroyed"),
        pytest.param(droplet("a", ["delete", "create"]), {**THERE, "id": "new"}, True,
                     id="replaced"),
        pytest.param(droplet("a", ["delete", "create"]), THERE, False, id="not replaced"),
        pytest.param(droplet("a", ["delete", "create"]), None, False, id="half replaced"),
        pytest.param(GROW, {**THERE, "size": "m"}, True, id="changed"),
        pytest.param(GROW, THERE, False, id="not changed"),
    ],
)  # fmt: skip
def test_a_change_is_done_when_the_state_has_it(
    change: Json, now: Json | None, is_done: bool
) -> None:
    state = state_of(*([resource(A, now)] if now else []))

    found = what_is_done(plan_of(change), resources_of(state))

    assert (found.done, found.left) == (((A,), ()) if is_done else ((), (A,)))


def test_what_was_made_but_not_finished_is_told_apart() -> None:
    state = state_of(resource(A, THERE, tainted=True))

    found = what_is_done(plan_of(droplet("a", ["create"]), droplet("b", ["create"])),
                         resources_of(state))  # fmt: skip

    assert str(found) == (
        f"0 of 2 changes are done; made but not finished: {A}; "
        'not done: digitalocean_droplet.web["b"]'
    )
