"""What a plan does, what is lost with it, and whether two plans do the same."""

import pytest

from restoops.plan.infra_changes import (
    Kind,
    count,
    differing,
    names_to_confirm,
    output_changes,
    read_changes,
    read_drift,
    unconfirmed,
)
from tests.plan.plans import Json, changing, droplet, plan_of


@pytest.mark.parametrize(
    ("entry", "kind"),
    [
        pytest.param(droplet("a", ["create"]), Kind.CREATE, id="create"),
        pytest.param(droplet("a", ["update"]), Kind.CHANGE, id="update"),
        pytest.param(droplet("a", ["delete"]), Kind.DESTROY, id="delete"),
        pytest.param(droplet("a", ["delete", "create"]), Kind.REPLACE, id="delete first"),
        pytest.param(droplet("a", ["create", "delete"]), Kind.REPLACE, id="create first"),
        pytest.param(droplet("a", ["forget"]), Kind.FORGET, id="forget: it stays, unmanaged"),
        pytest.param(droplet("a", ["create", "forget"]), Kind.REPLACE, id="create, then forget"),
        pytest.param(droplet("a", ["no-op"], previous_address="old"), Kind.MOVE, id="a move"),
        pytest.param(droplet("a", ["no-op"], change={"importing": {"id": "1"}}), Kind.IMPORT,
                     id="an import"),
    ],
)  # fmt: skip
def test_each_kind_of_change_is_told_apart(entry: Json, kind: Kind) -> None:
    (change,) = read_changes(plan_of(entry))

    assert change.kind is kind
    assert change.name == "dev-a"


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(droplet("a", ["no-op"]), id="nothing to do"),
        pytest.param(droplet("a", ["read"], mode="data"), id="data that is read"),
    ],
)
def test_what_changes_nothing_is_no_change(entry: Json) -> None:
    assert read_changes(plan_of(entry)) == ()


@pytest.mark.parametrize(
    ("address", "precious"),
    [
        ("digitalocean_droplet.x", "droplet"),
        ("module.db.digitalocean_database_cluster.x", "database"),
        ("digitalocean_database_db.x", "database"),
        ("digitalocean_volume.x", "volume"),
        ("digitalocean_reserved_ip.x", "reserved IP"),
    ],
)
@pytest.mark.parametrize("actions", [["delete"], ["delete", "create"], ["create", "delete"]])
def test_what_is_lost_for_good_is_called_out(
    address: str, precious: str, actions: list[str]
) -> None:
    (change,) = read_changes(plan_of(changing(address, actions, {"name": "x"}, None)))

    assert (change.loses, change.precious) == (True, precious)


@pytest.mark.parametrize(
    "entry",
    [
        droplet("a", ["create"]),
        droplet("a", ["update"]),
        changing("digitalocean_firewall.x", ["delete"], {"name": "x"}),
        changing("digitalocean_loadbalancer.x", ["delete", "create"], {"name": "x"}, {"name": "x"}),
    ],
)
def test_what_can_be_made_again_is_not(entry: Json) -> None:
    assert not read_changes(plan_of(entry))[0].loses


def test_the_gravest_comes_first_and_the_rest_in_order() -> None:
    found = read_changes(
        plan_of(
            droplet("c", ["create"]),
            changing("digitalocean_firewall.x", ["delete"], {"name": "x"}),
            droplet("b", ["delete", "create"]),
            droplet("a", ["create"]),
            droplet("d", ["delete"]),
        )
    )

    assert [it.name for it in found] == ["dev-d", "dev-b", "x", "dev-a", "dev-c"]
    assert count(found) == {Kind.DESTROY: 2, Kind.REPLACE: 1, Kind.CREATE: 2}


def test_why_something_is_replaced_is_said() -> None:
    entry = droplet("a", ["delete", "create"], change={"replace_paths": [["image"], ["region"]]})

    assert read_changes(plan_of(entry))[0].because == "image, region cannot be changed in place"


def test_a_droplet_that_is_resized_is_said_to_be_powered_off() -> None:
    entry = changing("digitalocean_droplet.a", ["update"], {"size": "s"}, {"size": "m"})

    (change,) = read_changes(plan_of(entry))

    assert "powered off" in change.note
    assert [(it.attribute, it.before, it.after) for it in change.differences] == [
        ("size", "s", "m")
    ]


def test_sensitive_values_are_nowhere_in_a_change() -> None:
    marks = {"name": True, "tags": [False, True], "password": True}
    entry = changing(
        "digitalocean_database_user.x",
        ["update"],
        {"name": "hunter-name", "tags": ["a", "hunter-b"], "password": "hunter-one"},
        {"name": "hunter-name", "tags": ["a", "hunter-c"], "password": "hunter-two"},
        change={"before_sensitive": marks, "after_sensitive": marks},
    )

    (change,) = read_changes(plan_of(entry))

    assert "hunter" not in repr(change)
    assert {it.attribute for it in change.differences} == {"password", "tags"}
    assert change.name == change.address


def test_what_is_not_known_yet_and_what_is_long_are_shown_short() -> None:
    entry = changing(
        "digitalocean_firewall.x", ["update"], {"id": "1", "name": "x"},
        {"name": "y" * 500}, change={"after_unknown": {"id": True}},
    )  # fmt: skip

    shown = {it.attribute: it.after for it in read_changes(plan_of(entry))[0].differences}

    assert shown["id"] == "(known after apply)"
    assert len(shown["name"]) == 60


def test_names_are_typed_for_what_is_lost_and_addresses_where_two_share_one() -> None:
    changes = read_changes(
        plan_of(
            droplet("a", ["delete"]),
            changing("digitalocean_volume.a", ["delete"], {"name": "dev-a"}),
            changing("digitalocean_reserved_ip.a", ["delete"], {"ip_address": "203.0.113.9"}),
            changing("digitalocean_firewall.a", ["delete"], {"name": "wall"}),
        )
    )

    assert set(names_to_confirm(changes)) == {
        'digitalocean_droplet.web["a"]', "digitalocean_volume.a", "203.0.113.9",
    }  # fmt: skip
    assert set(unconfirmed(changes, ("dev-a", "203.0.113.9", "digitalocean_volume.a"))) == {
        'digitalocean_droplet.web["a"]'
    }


def test_drift_and_outputs_are_read() -> None:
    plan = plan_of(
        resource_drift=[droplet("a", ["update"])],
        output_changes={"url": {"actions": ["update"]}, "same": {"actions": ["no-op"]}},
    )

    assert [it.name for it in read_drift(plan)] == ["dev-a"]
    assert output_changes(plan) == ("url",)


def test_an_object_that_was_deposed_is_told_apart_from_its_successor() -> None:
    (change,) = read_changes(plan_of(droplet("a", ["delete"], deposed="1234abcd")))

    assert change.address.endswith("(deposed 1234abcd)")


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        pytest.param([droplet("a", ["create"])], [], id="the same"),
        pytest.param([droplet("a", ["create"]), droplet("b", ["no-op"])], [],
                     id="what is left alone does not count"),
        pytest.param([droplet("a", ["create"]), droplet("b", ["delete"])],
                     ['digitalocean_droplet.web["b"]'], id="one more"),
        pytest.param([], ['digitalocean_droplet.web["a"]'], id="one less"),
        pytest.param([droplet("a", ["create"], change={"after": {"name": "evil"}})],
                     ['digitalocean_droplet.web["a"]'], id="another value"),
    ],
)  # fmt: skip
def test_two_plans_are_compared_by_all_that_they_do(other: list[Json], expected: list[str]) -> None:
    assert list(differing(plan_of(droplet("a", ["create"])), plan_of(*other))) == expected


def test_a_sensitive_value_that_differs_counts_as_well() -> None:
    marks = {"after_sensitive": {"user_data": True}}
    one, two = (
        plan_of(changing("digitalocean_droplet.a", ["update"], {"user_data": "x"},
                         {"user_data": text}, change=marks))
        for text in ("one", "two")
    )  # fmt: skip

    assert differing(one, two) == ("digitalocean_droplet.a",)
