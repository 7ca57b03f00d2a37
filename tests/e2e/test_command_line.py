"""The real command, from the shell to the hosts: what is meant, and what is asked first."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.lab.images import App
from tests.lab.operator import Desk
from tests.lab.registry import Registry
from tests.lab.releases import Releases
from tests.lab.standin.fleet import Fleet
from tests.lab.terminal import OnTerminal

pytestmark = pytest.mark.lab

PROXY = "restoops/haproxy:a"
NOBODY = "127.0.0.2"
"""An address of this machine that nobody listens on."""
RELEASES = ("c1", "c2", "c3")


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    with Fleet(1) as running:
        yield running


@pytest.fixture(scope="module")
def digests(releases: Releases) -> dict[str, str]:
    """What was pushed, by tag."""
    pushed = [releases.push(App(name)) for name in RELEASES]
    return {release.tag: release.digest for release in pushed}


@pytest.fixture(scope="module")
def desk(
    fleet: Fleet,
    registry: Registry,
    digests: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Desk:
    """An operator whose host has had all releases; the first one's image is there no more."""
    made = fleet.desk(tmp_path_factory.mktemp("desk"), registry, PROXY)
    made.settings["image"]["keep"] = 2
    for tag in digests:
        made.deploy(tag)
    return made


@contextmanager
def environments(desk: Desk, **hosts: str) -> Iterator[None]:
    """Have other environments of one host each, in this order."""
    usual = desk.settings["environments"]
    desk.settings["environments"] = {name: {"hosts": [host]} for name, host in hosts.items()}
    try:
        yield
    finally:
        desk.settings["environments"] = usual


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(lambda digest: digest, id="the whole digest"),
        pytest.param(lambda digest: digest.removeprefix("sha256:"), id="without sha256"),
        pytest.param(lambda digest: digest.removeprefix("sha256:")[:12], id="twelve digits"),
        pytest.param(lambda digest: digest[:19], id="sha256 and twelve digits"),
    ],
)
def test_a_release_is_found_by_its_digest(
    desk: Desk, digests: dict[str, str], name: object
) -> None:
    assert callable(name)
    shown = desk.must("rollback", name(digests["sha-c2"]), "staging", "--dry-run", "--json")

    assert shown.events[0]["release"] == {"tag": "sha-c2", "digest": digests["sha-c2"]}


def test_an_image_that_only_the_registry_has_waits_for_the_registry(
    desk: Desk, registry: Registry
) -> None:
    registry.stop()
    try:
        outcome = desk.run("rollback", "sha-c1", "staging", "--yes")
    finally:
        registry.start()

    assert outcome.status == 5, outcome
    assert "sha-c1 is not on the host, and the registry could not be asked for it" in outcome.stderr
    assert f"registry {registry.host} does not answer" in outcome.stderr
    assert desk.serving() == "sha-c3"


def test_a_list_of_all_environments_goes_on_past_one_that_is_not_reached(
    desk: Desk, fleet: Fleet
) -> None:
    there = next(iter(fleet.keys))
    with environments(desk, alone=NOBODY, staging=there, away=NOBODY):
        outcome = desk.run("rollback", "--list", "--json")

    rows = [event for event in outcome.events if event.get("event") != "error"]
    assert {row["environment"] for row in rows} == {"staging"}
    assert {row["release"]["tag"] for row in rows} == {"sha-c1", "sha-c2", "sha-c3"}
    error = outcome.events[-1]
    assert (outcome.status, error["status"]) == (5, 5)
    for name in ("alone", "away"):
        assert f"{name}: {NOBODY}" in error["message"]


@pytest.mark.parametrize("options", [[], ["--preempt"]], ids=["plain", "pre-empting"])
def test_a_rollback_that_nobody_can_confirm_contacts_no_host(
    desk: Desk, fleet: Fleet, options: list[str]
) -> None:
    fleet.report()

    outcome = desk.run("rollback", "staging", *options)

    assert outcome.status == 1
    assert "nobody is there to ask" in outcome.stderr
    (report,) = fleet.report().values()
    assert report.connections == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=str)
def test_a_signal_at_the_question_ends_a_rollback_with_no_lock_taken(
    desk: Desk, fleet: Fleet, number: signal.Signals
) -> None:
    with OnTerminal(["rollback", "staging"], desk.env, desk.folder) as command:
        assert command.await_question() == "Roll staging back from sha-c3 to sha-c2? [y/N] "
        (report,) = fleet.report().values()
        assert not report.locked
        command.signal(number)
        status = command.finish()  # nobody answers: nothing else ends it

    assert status == 130
    assert "error: interrupted; nothing was changed" in command.shown
    assert desk.serving() == "sha-c3"


def test_a_rollback_that_is_confirmed_goes_there_and_back(desk: Desk) -> None:
    for name, question in (
        ("sha-c2", "Roll staging back from sha-c3 to sha-c2? [y/N] "),
        ("sha-c3", "Roll staging back from sha-c2 to sha-c3? [y/N] "),
    ):
        with OnTerminal(["rollback", name, "staging"], desk.env, desk.folder) as command:
            assert command.await_question() == question
            command.answer("y")
            assert command.finish() == 0, command.shown
        assert desk.serving() == name


def offered(desk: Desk, words: str) -> set[str]:
    """What the shell offers on TAB behind these words, which nothing else may be printed beside."""
    env = {
        "_RESTOOPS_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(words.count(" ")),
    }
    outcome = desk.run(env=env)
    assert outcome.stderr == ""
    return set(outcome.stdout.split())


def test_the_shell_is_offered_the_tags_of_the_registry(
    desk: Desk, digests: dict[str, str], releases: Releases
) -> None:
    releases.push(App("other"))

    assert offered(desk, "restoops deploy ") >= {*digests, "sha-other"}
    assert offered(desk, "restoops deploy sha-c") >= set(digests)
    assert offered(desk, "restoops deploy sha-c3") == {"sha-c3"}
    assert offered(desk, "restoops deploy nothing") == set()


def test_the_shell_is_offered_the_releases_to_go_back_to(
    desk: Desk, digests: dict[str, str]
) -> None:
    assert offered(desk, "restoops rollback ") == {*digests, "staging", "local"}
    assert offered(desk, "restoops rollback sha-c2") == {"sha-c2"}
    assert offered(desk, "restoops rollback st") == {"staging"}
    assert offered(desk, "restoops rollback nothing") == set()


def test_the_shell_is_offered_what_is_known_when_nothing_is_reached(
    desk: Desk, registry: Registry
) -> None:
    registry.stop()
    try:
        with environments(desk, away=NOBODY):
            assert offered(desk, "restoops deploy ") == set()
            assert offered(desk, "restoops rollback ") == {"away", "local"}
    finally:
        registry.start()
