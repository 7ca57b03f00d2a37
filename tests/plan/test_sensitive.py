"""Nothing that Terraform marks as sensitive is shown, in whatever form it is printed."""

import json
from typing import Any

import pytest

from restoops.plan.sensitive import HIDDEN, Mask, hide, secrets_of_plan
from tests.plan.plans import changing, plan_of, resource


@pytest.mark.parametrize(
    ("value", "marks", "shown"),
    [
        pytest.param("a", False, "a", id="not sensitive"),
        pytest.param("a", True, HIDDEN, id="as a whole"),
        pytest.param({"a": 1, "b": 2}, {"b": True}, {"a": 1, "b": HIDDEN}, id="a key"),
        pytest.param([1, 2], [False, True], [1, HIDDEN], id="an item"),
        pytest.param({"a": [{"b": 1}]}, {"a": [{"b": True}]}, {"a": [{"b": HIDDEN}]}, id="deep"),
        pytest.param({"a": []}, {"a": []}, {"a": []}, id="marks that mark nothing"),
        pytest.param([1, 2], [True], HIDDEN, id="marks of another length hide all"),
        pytest.param("a", {"b": True}, HIDDEN, id="marks of another shape hide all"),
    ],
)
def test_sensitive_parts_are_hidden(value: Any, marks: Any, shown: Any) -> None:
    assert hide(value, marks) == shown


def test_secrets_of_a_plan_are_found_wherever_they_stand() -> None:
    plan = plan_of(
        changing("x_y.z", ["update"], {"a": "of-before"}, {"a": ["of-after", {"b": "deep-after"}]},
                 change={"before_sensitive": {"a": True}, "after_sensitive": {"a": True}}),
        output_changes={"o": {"actions": ["create"], "after": "of-output",
                              "after_sensitive": True}},
        variables={"v": {"value": {"k": "of-variable"}}, "w": {"value": "not-secret"}},
        configuration={"root_module": {"variables": {"v": {"sensitive": True}, "w": {}}}},
        prior_state={"values": {
            "outputs": {"p": {"sensitive": True, "value": "of-state-output"}},
            "root_module": {"child_modules": [{"resources": [resource(
                "x_y.z", {"s": "of-state", "t": "open"}, sensitive_values={"s": True})]}]},
        }},
    )  # fmt: skip

    assert set(secrets_of_plan(plan)) == {
        "of-before", "of-after", "deep-after", "of-output", "of-variable", "of-state-output",
        "of-state",
    }  # fmt: skip


def test_a_text_is_masked_in_each_form_that_it_is_printed_in() -> None:
    key = '-----BEGIN KEY-----\nabcdefgh"ijkl\nmnopqrstuvwx\n-----END KEY-----\n'
    mask = Mask([key])

    for printed in (key, json.dumps(key), f"  + private = {json.dumps(key)}", *key.splitlines()):
        masked = mask(printed)
        assert "abcdefgh" not in masked
        assert "mnopqrst" not in masked


def test_a_secret_within_another_leaves_nothing_of_the_longer_one() -> None:
    assert Mask(["longsecret0", "longsecret0-and-more"])("x longsecret0-and-more y") == "x *** y"


def test_short_values_are_left_alone_so_that_output_stays_readable() -> None:
    text = "this is a test of marketplace-production-a, true or not"

    assert Mask(["test", "true", "", "marketplace"])(text) == text


@pytest.mark.parametrize("secret", ["hunter-2", "Marketplace", "correct-horse-battery"])
def test_anything_else_is_masked(secret: str) -> None:
    assert Mask([secret])(f"x {secret} y") == "x *** y"


def test_a_mask_learns() -> None:
    mask = Mask()
    assert mask("secret-value-1") == "secret-value-1"

    mask.learn(["secret-value-1"])

    assert mask("secret-value-1") == "***"
