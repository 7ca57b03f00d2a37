"""Secrets on a real host: who can read them, how a release sees them, when they go."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.docs_shell import lines
from tests.docs_text import PAGES, shown_commands
from tests.e2e.conditions import shell
from tests.e2e.inside import DIRECTORY, assert_at_rest, look
from tests.e2e.playbooks import Team
from tests.e2e.running import Running
from tests.lab.droplet import Droplet
from tests.lab.images import App
from tests.lab.operator import APP, Operator
from tests.lab.releases import PushedRelease, Releases

pytestmark = pytest.mark.lab

SHOWN = [
    it
    for page in PAGES
    for it in shown_commands(page)
    if it.words[:2] in (["secrets", "push"], ["secrets", "status"]) and "github" not in it.words
]
KEY = "key-of-the-fingerprints-" + "0" * 20
NOBODY = 65534
TEMPLATE = "DATABASE_URL=<url>\n\nSESSION_KEY=<key>\n\n# optional\nNOTE=<note>\n"


class Keeper:
    """Somebody who keeps the secrets of a droplet."""

    def __init__(self, operator: Operator, releases: Releases) -> None:
        self.operator = operator
        self._releases = releases
        operator.settings["image"]["keep"] = 2
        operator.settings["secrets"] = {
            "template": "template.env",
            "file": "staging.env",
            "as_environment": ["NOTE"],
        }
        (operator.folder / "template.env").write_text(TEMPLATE)

    @property
    def droplet(self) -> Droplet:
        return self.operator.droplet

    def keep(self, **values: str) -> None:
        """Write the file that the values are in."""
        path = self.operator.folder / "staging.env"
        lines = {"SECRETS_FINGERPRINT_KEY": KEY, **values}
        path.touch(0o600)
        path.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))

    def release(self, name: str, **manners: Any) -> PushedRelease:
        return self._releases.push(App(name, **{"user": "nobody", **manners}))

    def sets(self) -> list[str]:
        """The directories that there are."""
        return shell(self.droplet, f"ls -A {DIRECTORY}/secrets").split()

    def inspected(self, slot: str, part: str) -> Any:
        """A part of what `docker inspect` shows, such as `.State.Pid`."""
        line = f"docker inspect -f '{{{{json {part}}}}}' {APP}-{slot}"
        return json.loads(shell(self.droplet, line))

    def shows(self, slot: str, text: str) -> bool:
        """Whether `docker inspect` or one of our files shows a text."""
        line = f"(docker inspect {APP}-{slot}; cat {DIRECTORY}/*.json*) | grep -cF '{text}' || :"
        return shell(self.droplet, line).strip() != "0"

    def environment(self, slot: str) -> dict[str, str]:
        return dict(it.partition("=")[::2] for it in self.inspected(slot, ".Config.Env"))

    def inside(self, slot: str, command: str) -> str:
        """Run a command of the droplet in the files of a container, as root."""
        number = self.inspected(slot, ".State.Pid")
        return shell(self.droplet, f"cd /proc/{number}/root/run/secrets && {command}")


@pytest.fixture(scope="module")
def keeper(operator: Operator, releases: Releases) -> Keeper:
    return Keeper(operator, releases)


def test_a_release_gets_files_that_only_it_can_read(keeper: Keeper) -> None:
    keeper.keep(DATABASE_URL="postgresql://first", SESSION_KEY="s1-value", NOTE="n1")

    done = keeper.operator.deploy(keeper.release("sec1").tag, "--json")

    live = assert_at_rest(keeper.droplet).live
    listed = keeper.inside(live, "stat -c '%n %u %a' *").splitlines()
    assert listed == [f"{name} {NOBODY} 400" for name in ("DATABASE_URL", "NOTE", "SESSION_KEY")]
    assert keeper.inside(live, "cat SESSION_KEY") == "s1-value"
    environment = keeper.environment(live)
    root = f"/proc/{keeper.inspected(live, '.State.Pid')}/root"
    for line in lines("cat"):  # in the container there is no shell: in its files
        given = f"DATABASE_URL_FILE={root}{environment['DATABASE_URL_FILE']}"
        assert shell(keeper.droplet, f"{given}\n{line}") == "postgresql://first"
    assert environment["SESSION_KEY_FILE"] == "/run/secrets/SESSION_KEY"
    assert (environment["NOTE"], "NOTE_FILE" in environment) == ("n1", False)
    assert "SESSION_KEY" not in environment
    for text in ("s1-value", KEY):
        assert text not in done.stdout + done.stderr
        assert not keeper.shows(live, text)
    assert keeper.shows(live, "SESSION_KEY_FILE")
    (mount,) = keeper.inspected(live, ".Mounts")
    assert (mount["Destination"], mount["RW"]) == ("/run/secrets", False)
    directory = f"{DIRECTORY}/secrets"
    assert shell(keeper.droplet, f"stat -c '%U %a' {directory}").split() == ["deploy", "700"]
    assert len(keeper.sets()) == 1


def test_a_new_value_is_put_into_every_release_there_and_into_no_output(keeper: Keeper) -> None:
    keeper.operator.settings["release"] = {"command": ["/testapp", "migrate", "ok"]}
    done = keeper.operator.deploy(keeper.release("sec2").tag)
    assert "sec2: migrating (n1)" in done.stderr  # the release command is given them as well
    del keeper.operator.settings["release"]
    keeper.keep(DATABASE_URL="postgresql://first", SESSION_KEY="s2-value", NOTE="n1")
    push = ("secrets", "push", "staging", "--to", "hosts", "--yes", "--json")

    dry = keeper.operator.must(*push, "--dry-run")
    assert keeper.inside("blue", "cat SESSION_KEY") == "s1-value"
    pushed, again = keeper.operator.must(*push), keeper.operator.must(*push)

    for slot in ("blue", "green"):
        assert keeper.inside(slot, "cat SESSION_KEY") == "s2-value"
        assert keeper.inside(slot, "stat -c '%u %a' SESSION_KEY").split() == [f"{NOBODY}", "400"]
    acts = [
        {it["name"]: it["act"] for it in done.events[0]["sinks"][0]["moves"]}
        for done in (dry, pushed, again)
    ]
    assert [it["SESSION_KEY"] for it in acts] == ["replace", "replace", "keep"]
    assert {it["DATABASE_URL"] for it in acts} == {"keep"}
    assert "s2-value" not in pushed.stdout + pushed.stderr
    assert keeper.operator.run(*push[:-2]).status == 0
    assert not [it for it in keeper.sets() if it.endswith(".new")]


def given(keeper: Keeper, slot: str) -> str:
    labels: dict[str, str] = keeper.inspected(slot, ".Config.Labels")
    return labels["restoops.secrets"]


def test_a_release_keeps_its_own_secrets_for_a_rollback_until_its_image_goes(
    keeper: Keeper,
) -> None:
    keeper.operator.settings["image"]["keep"] = 3
    first = given(keeper, look(keeper.droplet).other)
    keeper.keep(DATABASE_URL="postgresql://third", SESSION_KEY="s3-value", NOTE="n3")
    keeper.operator.deploy(keeper.release("sec3").tag)
    assert first in keeper.sets()

    keeper.operator.rollback(keeper.release("sec1").tag)

    live = assert_at_rest(keeper.droplet).live
    assert given(keeper, live) == first
    assert keeper.inside(live, "cat SESSION_KEY") == "s2-value"
    assert keeper.environment(live)["NOTE"] == "n1"
    keeper.operator.settings["image"]["keep"] = 2
    keeper.operator.deploy(keeper.release("sec4").tag)
    kept = {given(keeper, slot) for slot in ("blue", "green")}
    assert set(keeper.sets()) == kept


def test_a_deploy_that_fails_takes_its_secrets_with_it(keeper: Keeper) -> None:
    before = keeper.sets()

    done = keeper.operator.run("deploy", keeper.release("secbad", mode="crash").tag, "staging")

    assert done.status == 1
    assert keeper.sets() == before
    noted = json.loads(shell(keeper.droplet, f"cat {DIRECTORY}/secrets.json"))["sets"]
    assert sorted(it["id"] for it in noted) == before


@pytest.mark.parametrize(
    "moment", [pytest.param("step_started", marks=pytest.mark.full), "step_ended"]
)
def test_what_a_deploy_that_was_killed_had_written_is_put_right(
    keeper: Keeper, moment: str
) -> None:
    keeper.keep(DATABASE_URL="postgresql://third", SESSION_KEY="s3-value", NOTE="n3")
    release = keeper.release(f"sec-{moment[5:]}")
    running = keeper.operator.start("deploy", release.tag, "staging", "--json")
    assert running.stdout
    for line in running.stdout:
        event = json.loads(line)
        if event["event"] == moment and event["step"]["step"] == "start":
            running.kill()
            break
    running.communicate(timeout=60)

    keeper.operator.deploy(release.tag)

    live = assert_at_rest(keeper.droplet).live
    assert keeper.inside(live, "cat SESSION_KEY") == "s3-value"
    assert set(keeper.sets()) == {given(keeper, slot) for slot in ("blue", "green")}


def test_status_says_what_is_behind_and_shows_no_value(keeper: Keeper) -> None:
    (keeper.operator.folder / "template.env").write_text(f"# rotate: 1\n{TEMPLATE}")
    keeper.keep(DATABASE_URL="postgresql://third", SESSION_KEY="s3-value", NOTE="n3")
    keeper.operator.must("secrets", "push", "staging", "--to", "hosts")
    status = ("secrets", "status", "staging", "--json")
    before = keeper.operator.must(*status).events[0]
    keeper.keep(DATABASE_URL="postgresql://third", SESSION_KEY="s9-value", NOTE="n3")

    done = keeper.operator.must(*status)

    after = done.events[0]
    assert (before["behind"], before["due"]) == ([], [])
    assert after["behind"] == [keeper.droplet.address]
    assert {it["name"]: it["copies"][0]["standing"] for it in after["secrets"]} == {
        "DATABASE_URL": "current", "SESSION_KEY": "behind", "NOTE": "current",
    }  # fmt: skip
    assert after["secrets"][0]["rotate_by"] > after["secrets"][0]["since"][:10]
    assert "s9-value" not in done.stdout + done.stderr
    for shown in SHOWN:
        keeper.operator.must(*shown.words)
    assert keeper.operator.run(*status[:3]).stdout.splitlines()[-1].endswith("nothing is due")


@pytest.mark.full
def test_the_playbook_for_a_deploy_hands_them_over_as_well(keeper: Keeper) -> None:
    keeper.keep(DATABASE_URL="postgresql://ansible", SESSION_KEY="s10-value", NOTE="n10")

    done = Team(keeper.operator).update(keeper.release("secansible").tag, "-vvv")

    assert done.status == 0, done
    live = assert_at_rest(keeper.droplet).live
    assert keeper.inside(live, "cat SESSION_KEY") == "s10-value"
    assert keeper.environment(live)["NOTE"] == "n10"
    assert "s10-value" not in done.stdout + done.stderr

    keeper.keep(DATABASE_URL="postgresql://ansible", SESSION_KEY="", NOTE="n10")
    refused = keeper.operator.run("deploy", keeper.release("secnone").tag, "staging")

    assert refused.status == 6
    assert keeper.inside(live, "cat SESSION_KEY") == "s10-value"


def test_a_push_that_waits_for_a_lock_says_for_whom(keeper: Keeper) -> None:
    keeper.keep(DATABASE_URL="postgresql://first", SESSION_KEY="s1-value")
    slow = keeper.release("secslow", mode="slow-start", start_delay_s=3)
    deploying = keeper.operator.start("deploy", slow.tag, "staging", "--json")
    with Running(deploying) as deploy:
        deploy.await_step("await_healthy")
        pushed = keeper.operator.run(
            "secrets", "push", "staging", "--to", "hosts", "--yes", "--wait", "60"
        )
        assert deploy.finish().status == 0

    assert pushed.status == 0, pushed
    waits = f"{keeper.droplet.address}: waiting for olga from "
    assert pushed.stderr.startswith(waits), pushed
    assert f"for `restoops deploy {slow.tag} staging" in pushed.stderr
