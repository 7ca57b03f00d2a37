"""Deployments on GitHub, over real HTTP: what is written, and that the ones before end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from restoops.adapters.deployments import Deployment, Deployments, Links
from restoops.adapters.github import Github
from restoops.adapters.patience import Patience
from restoops.errors import StepFailed, Unreachable
from restoops.model import Secret
from tests.flows.clock import FakeClock
from tests.lab import github as stand_in
from tests.lab.github import REPOSITORY

LINKS = Links("https://menu.example.com", "https://github.com/menu/menu/actions/runs/7")


@pytest.fixture
def server() -> Iterator[stand_in.Github]:
    with stand_in.Github() as running:
        yield running


@pytest.fixture
def deployments(server: stand_in.Github) -> Iterator[Deployments]:
    patience = Patience(FakeClock().sleep, lambda _: None)
    with closing(Github(server.api, Secret(server.token), patience)) as client:
        yield Deployments(client, REPOSITORY, LINKS)


def wish(tag: str, environment: str = "production") -> Deployment:
    return Deployment(tag, environment, f"deploy of {tag} {'x' * 300}", {"tag": tag})


def test_a_deployment_merges_nothing_and_waits_for_no_check(
    server: stand_in.Github, deployments: Deployments
) -> None:
    number = deployments.create(wish("abc1234"))
    deployments.set_state(number, "in_progress", "y" * 300)

    (made,) = server.deployments
    assert (made["ref"], made["environment"]) == ("abc1234", "production")
    assert (made["auto_merge"], made["required_contexts"]) == (False, [])
    assert len(made["description"]) == 140
    (status,) = made["statuses"]
    assert status["state"] == "in_progress"
    assert status["environment_url"] == LINKS.environment_url
    assert status["log_url"] == LINKS.log_url


def test_those_before_in_the_same_environment_are_active_no_more(
    server: stand_in.Github, deployments: Deployments
) -> None:
    numbers = [deployments.create(wish(tag)) for tag in ("a", "b", "c")]
    other = deployments.create(wish("a", "staging"))
    for number, state in zip(numbers[:2], ("success", "failure"), strict=True):
        deployments.set_state(number, state)
    server.deployments[0]["statuses"] = server.deployments[0]["statuses"][:1]
    deployments.set_state(other, "success")

    deployments.retire_earlier(numbers[2], "production")

    states = [[it["state"] for it in made["statuses"]] for made in server.deployments]
    assert states == [["success", "inactive"], ["failure"], [], ["success"]]


def test_of_what_this_job_called_a_success_alone_it_can_be_taken_back(
    server: stand_in.Github, deployments: Deployments
) -> None:
    numbers = [deployments.create(wish(tag)) for tag in ("a", "b", "c", "d")]
    for number, state in zip(numbers, ("success", "failure", "success", "success"), strict=True):
        deployments.set_state(number, state)
    of_another, _, elsewhere, ours = server.deployments
    for it in server.deployments:
        it["statuses"] = it["statuses"][:1]  # GitHub leaves those of production active
    of_another["statuses"][0]["log_url"] = "https://github.com/menu/menu/actions/runs/6"
    elsewhere["environment"] = "staging"

    deployments.take_back("production", "api: answers 503")

    assert [[it["state"] for it in made["statuses"]] for made in server.deployments] == [
        ["success"], ["failure"], ["success"], ["success", "failure"],
    ]  # fmt: skip
    assert ours["statuses"][-1]["description"] == "api: answers 503"


def test_what_a_token_may_not_says_what_the_job_needs(
    server: stand_in.Github, deployments: Deployments
) -> None:
    server.may_not.add("deployments")

    with pytest.raises(Unreachable) as refused:
        deployments.create(wish("abc1234"))

    assert "deployments: write" in refused.value.hint


def test_what_github_does_not_take_is_told(deployments: Deployments) -> None:
    with pytest.raises(StepFailed, match="ref is missing"):
        deployments.create(wish(""))
