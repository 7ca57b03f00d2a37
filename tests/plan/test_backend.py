"""The file that leads Terraform to its state."""

from dataclasses import replace

import pytest

from restoops.plan.backend import (
    REGIONS,
    Backend,
    bucket_name,
    had_lock,
    is_bucket_name,
    render,
)

BACKEND = Backend(
    bucket="menu-dev-tfstate", key="dev/terraform.tfstate", region="fra1",
    endpoint="https://fra1.digitaloceanspaces.com", has_path_style=False, has_lock=False,
)  # fmt: skip


def test_an_older_terraform_is_not_given_what_it_does_not_know() -> None:
    assert "use_lockfile" not in render(BACKEND)
    assert "use_lockfile                = true" in render(replace(BACKEND, has_lock=True))


@pytest.mark.parametrize(
    ("then", "expected"),
    [
        pytest.param(replace(BACKEND, has_lock=True), True, id="the same place"),
        pytest.param(BACKEND, False, id="it was off"),
        pytest.param(replace(BACKEND, has_lock=True, bucket="other"), False, id="another bucket"),
        pytest.param(replace(BACKEND, has_lock=True, endpoint="https://ams3.example.com"), False,
                     id="another service: what was shown there does not count here"),
    ],
)  # fmt: skip
def test_locking_stays_on_where_it_was_shown_to_work(then: Backend, expected: bool) -> None:
    assert had_lock(render(then), BACKEND) is expected


@pytest.mark.parametrize("name", ["", "ab", "-abc", "abc-", "A" * 5, "a.b.c", "a_b_c", "a" * 64])
def test_a_name_that_spaces_refuses_is_no_name(name: str) -> None:
    assert not is_bucket_name(name)


def test_the_usual_name_fits() -> None:
    assert bucket_name("restomarket-api", "dev") == "restomarket-api-dev-tfstate"
    assert is_bucket_name(bucket_name("a" * 40, "production-of-a-very-long-name"))


def test_the_state_can_be_in_each_region_that_is_asked_for() -> None:
    assert {"nyc3", "sfo3", "sgp1", "fra1", "ams3"} <= set(REGIONS)
