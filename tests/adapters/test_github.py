"""GitHub's REST API over real HTTP: pages, limits, refusals, and whom the token is shown to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from restoops.adapters.github import Github, Purpose, find_api
from restoops.adapters.github_secrets import SecretPlace
from restoops.adapters.patience import Patience
from restoops.errors import RestoopsError, StepFailed, Unreachable, UsageError
from restoops.model import Secret
from tests.flows.clock import FakeClock
from tests.lab import github as stand_in
from tests.lab.github import REPOSITORY
from tests.lab.service import Fault

PURPOSE = Purpose("variables of menu", "GITHUB_TOKEN needs `variables: write`.", "goes on")
VARIABLES = f"/repos/{REPOSITORY}/actions/variables"


@pytest.fixture
def server() -> Iterator[stand_in.Github]:
    with stand_in.Github() as running:
        yield running


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def github(server: stand_in.Github, clock: FakeClock) -> Iterator[Github]:
    patience = Patience(clock.sleep, lambda _: None)
    with closing(Github(server.api, Secret(server.token), patience)) as client:
        yield client


def test_what_is_sent_is_there_and_is_read_page_by_page(
    server: stand_in.Github, github: Github
) -> None:
    server.page = 2
    for n in range(5):
        github.ask("POST", VARIABLES, PURPOSE, {"name": f"V{n}", "value": str(n)})

    found = list(github.entries(VARIABLES, PURPOSE, "variables"))

    assert [(it["name"], it["value"]) for it in found] == [(f"V{n}", str(n)) for n in range(5)]
    assert len([path for method, path in server.requests if method == "GET"]) == 3


def test_limits_and_cut_connections_are_sat_out(
    server: stand_in.Github, github: Github, clock: FakeClock
) -> None:
    server.faults += [
        Fault(429, {"retry-after": "20"}), Fault(403, {}), Fault.cut(), Fault(502, {}),
    ]  # fmt: skip

    assert github.object("GET", f"/repos/{REPOSITORY}", PURPOSE)["full_name"] == REPOSITORY
    assert clock.passed > 80


@pytest.mark.parametrize(
    ("fault", "error", "told"),
    [
        pytest.param(Fault(401, {}, "Bad credentials"), Unreachable,
                     "refuses the token: it is wrong or has expired", id="401"),
        pytest.param(Fault(403, {"x-accepted-github-permissions": "variables=write"}, "No access"),
                     Unreachable, "may not do this: No access (GitHub wants variables=write)",
                     id="403"),
        pytest.param(Fault(404, {}, "Not Found"), Unreachable,
                     "has no variables of menu for us, or the token may not do this", id="404"),
        pytest.param(Fault(422, {}, "too \x1b[31mlong"), StepFailed,
                     "does not take what was sent for variables of menu: too [31mlong", id="422"),
        pytest.param(Fault(418, {}), Unreachable, "answered 418", id="something else"),
    ],
)  # fmt: skip
def test_a_refusal_is_told_with_what_the_token_needs(
    server: stand_in.Github,
    github: Github,
    fault: Fault,
    error: type[RestoopsError],
    told: str,
) -> None:
    server.faults.append(fault)

    with pytest.raises(error) as caught:
        github.ask("POST", VARIABLES, PURPOSE, {"name": "A", "value": "1"})

    assert told in caught.value.message
    assert server.token not in f"{caught.value!r}{caught.value.hint}{caught.value.details}"
    if fault.status in (403, 404):
        assert caught.value.hint == PURPOSE.needs


def test_without_a_token_that_is_what_is_told(server: stand_in.Github, clock: FakeClock) -> None:
    with (
        closing(Github(server.api, None, Patience(clock.sleep, lambda _: None))) as github,
        pytest.raises(Unreachable, match="refuses us without a token"),
    ):
        github.ask("GET", VARIABLES, PURPOSE)


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b'"x"', b'{"variables": {}}'])
def test_an_answer_of_somebody_else_is_told(
    server: stand_in.Github, github: Github, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "answer", lambda it, _: server.say_bytes(it, 200, body, {}))

    with pytest.raises(Unreachable, match="is not that of GitHub's API"):
        list(github.entries(VARIABLES, PURPOSE, "variables"))


@pytest.mark.parametrize("body", [b"<html>", b"[1]"])
def test_a_variable_of_somebody_else_is_told(
    server: stand_in.Github, github: Github, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "answer", lambda it, _: server.say_bytes(it, 200, body, {}))

    with pytest.raises(Unreachable, match="is not that of GitHub's API"):
        SecretPlace(github, REPOSITORY).variable("V")


def test_a_next_page_elsewhere_is_not_shown_the_token(
    server: stand_in.Github, github: Github, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = {"link": '<https://example.org/?page=2>; rel="next"'}
    body = b'{"variables": [{"name": "A"}]}'
    monkeypatch.setattr(server, "answer", lambda it, _: server.say_bytes(it, 200, body, link))

    with pytest.raises(Unreachable, match="is not that of GitHub's API"):
        list(github.entries(VARIABLES, PURPOSE, "variables"))


@pytest.mark.parametrize(
    ("configured", "variable", "wanted"),
    [
        ("https://api.github.com", "", "https://api.github.com"),
        ("https://api.github.com", "https://git.menu.example/api/v3/",
         "https://git.menu.example/api/v3"),
        ("https://other.example", "https://git.menu.example/api/v3", "https://other.example"),
        ("https://api.github.com", "http://127.0.0.1:8080/api", "http://127.0.0.1:8080/api"),
    ],
)  # fmt: skip
def test_the_address_is_configured_or_that_of_the_runner(
    monkeypatch: pytest.MonkeyPatch, configured: str, variable: str, wanted: str
) -> None:
    monkeypatch.setenv("GITHUB_API_URL", variable)

    assert find_api(configured) == wanted


@pytest.mark.parametrize(
    "variable",
    ["http://example.org", "http://127.example.org", "ftp://x", "x", "https://a:b@c", "h://["],
)
def test_an_address_that_no_token_may_go_to_is_refused(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv("GITHUB_API_URL", variable)

    with pytest.raises(UsageError, match="GITHUB_API_URL is no address"):
        find_api("https://api.github.com")


def test_deployments_have_statuses_and_a_success_ends_the_one_before(
    server: stand_in.Github, github: Github
) -> None:
    url = f"/repos/{REPOSITORY}/deployments"
    for ref in ("abc1234", "def5678"):
        made = github.object("POST", url, PURPOSE, {"ref": ref, "environment": "staging"})
        github.ask("POST", f"{url}/{made['id']}/statuses", PURPOSE, {"state": "success"})

    states = [[it["state"] for it in one["statuses"]] for one in server.deployments]
    assert states == [["success", "inactive"], ["success"]]
    assert [it["ref"] for it in github.entries(f"{url}?environment=staging", PURPOSE)] == [
        "def5678", "abc1234",
    ]  # fmt: skip
    with pytest.raises(StepFailed, match="no such state"):
        github.ask("POST", f"{url}/1000/statuses", PURPOSE, {"state": "done"})
