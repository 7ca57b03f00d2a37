"""Targets from a list and from Terraform outputs."""

from __future__ import annotations

import pytest

from restoops.config.hosts import Target, static_targets, terraform_targets
from restoops.config.schema import TerraformOutputs
from restoops.errors import UsageError

TERRAFORM = TerraformOutputs(directory="tf/dev")


def test_a_list_keeps_its_order() -> None:
    assert static_targets(["b", "a"]) == (Target("b", "b"), Target("a", "a"))


@pytest.mark.parametrize(
    ("address", "expected"), [("public", "203.0.113.1"), ("private", "10.0.0.1")]
)
def test_droplets_are_ordered_by_key(address: str, expected: str) -> None:
    terraform = TerraformOutputs.model_validate({"directory": "tf", "address": address})
    outputs = {
        "b": {"public": "203.0.113.2", "private": "10.0.0.2", "ipv6": "2001:db8::2"},
        "a": {"public": "203.0.113.1", "private": "10.0.0.1"},
    }

    first, second = terraform_targets(outputs, terraform)

    assert (first, second.name) == (Target("a", expected), "b")


@pytest.mark.parametrize(
    ("outputs", "told"),
    [
        (None, "  hosts: should map each droplet's key"),
        ({}, "  hosts: should map each droplet's key"),
        (["1.2.3.4"], "  hosts: should map each droplet's key"),
        ({"a": "1.2.3.4"}, "  hosts.a.public: no address"),
        ({"a": {"private": "1.2.3.4"}}, "  hosts.a.public: no address"),
        ({"a": {"public": None}}, "  hosts.a.public: no address"),
        ({"a": {"public": 5}}, "  hosts.a.public: no address"),
        ({"a": {"public": "-oProxyCommand=x"}}, "  hosts.a.public: should be a host name"),
        ({"a": {"public": ""}}, "  hosts.a.public: should be a host name"),
        ({"a": {"public": "1.1.1.1"}, "b": {"public": "1.1.1.1"}}, "  hosts.b: the address of `a`"),
        ({"-a": {"public": "1.1.1.1"}}, "  hosts.-a: The key should be letters"),
        ({"": {"public": "1.1.1.1"}}, "  hosts: The key should be letters"),
    ],
)
def test_outputs_that_name_no_hosts_are_refused(outputs: object, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        terraform_targets(outputs, TERRAFORM)

    head, *faults = str(caught.value).splitlines()
    assert head == "Terraform output `hosts` of tf/dev is not valid:"
    assert len(faults) == 1
    assert faults[0].startswith(told)
    assert "terraform -chdir=tf/dev output hosts" in caught.value.hint


def test_all_faulty_droplets_are_told_at_once() -> None:
    outputs = {"a": {"public": None}, "b": {"public": "x y"}, "c": {"public": "1.1.1.1"}}

    with pytest.raises(UsageError) as caught:
        terraform_targets(outputs, TERRAFORM)

    assert len(str(caught.value).splitlines()) == 3
