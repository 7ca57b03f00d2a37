"""Ansible's swap beside ours: the same contract on the host, by real playbooks under load."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator

import pytest

from tests.e2e.inside import answering, assert_at_rest, look
from tests.e2e.playbooks import ROLLBACK, UPDATE, Team, kill_all, update_words
from tests.e2e.running import Running
from tests.e2e.test_locks import at_its_health_gate, everything, lock_is_free
from tests.lab.images import App
from tests.lab.loadrun import LoadRun
from tests.lab.operator import Operator
from tests.lab.patience import eventually
from tests.lab.registry import Registry
from tests.lab.releases import Releases

pytestmark = pytest.mark.lab

RATE = 300
NEVER = 60
WRONG = {"restoops_settings": {"health": {"path": "x"}}}


@pytest.fixture(scope="module")
def team(operator: Operator, releases: Releases) -> Team:
    """A team that lives in Ansible; on its droplet `first` serves already."""
    operator.settings["health"]["timeout_s"] = NEVER
    operator.deploy(releases.push(App("first")).tag)
    return Team(operator)


@pytest.fixture(autouse=True)
def load(team: Team, operator: Operator) -> Iterator[LoadRun]:  # noqa: ARG001  first serves
    """Load that must not notice anything."""
    operator.settings["health"]["timeout_s"] = NEVER
    with LoadRun(operator.url, RATE) as running:
        running.wait_for_traffic()
        yield running
        result = running.stop()
    print(result)
    assert result.failed == 0, str(result)


def slow(releases: Releases) -> tuple[str, ...]:
    """Return the words for a release that is not healthy for as long as a test lasts."""
    return update_words(releases.push(App("held", "slow-start", start_delay_s=NEVER)).tag)


def test_what_one_deployed_the_other_lists_and_rolls_back(
    team: Team, operator: Operator, releases: Releases, load: LoadRun
) -> None:
    by_playbook = team.update(releases.push(App("second")).tag)
    assert by_playbook.status == 0, by_playbook
    assert "first serves; sha-second is to follow" in by_playbook.stdout
    assert answering(operator.url) == "second"

    listed = operator.must("rollback", "--list", "staging").stdout
    assert "sha-first" in listed
    history = operator.must("history", "staging").stdout
    assert "anton from" in history
    assert ", via Ansible" in history

    load.expect_change()
    operator.rollback()
    assert answering(operator.url) == "first"

    operator.deploy(releases.push(App("third")).tag)
    load.expect_change()
    back = team.run(ROLLBACK, "-e", "environment=staging")
    assert back.status == 0, back
    assert answering(operator.url) == "first"


@pytest.mark.full
def test_a_release_that_is_named_is_gone_back_to_and_not_deployed_again(
    team: Team, operator: Operator, releases: Releases, load: LoadRun
) -> None:
    third = releases.push(App("third")).tag
    operator.deploy(third)
    operator.deploy(releases.push(App("second")).tag)
    load.expect_change()
    back = team.run(ROLLBACK, "-e", "environment=staging", "-e", f"image_tag={third}")
    assert back.status == 0, back
    assert answering(operator.url) == "third"

    again = team.update(third)
    assert again.status == 0
    assert "sha-third is that already" in again.stdout
    assert "changed=0" in again.stdout


@pytest.mark.full
def test_a_deploy_via_ansible_reads_as_any_other(operator: Operator, releases: Releases) -> None:
    tag = releases.push(App("fourth")).tag
    before = everything(operator.droplet)

    would = operator.deploy(tag, "--via", "ansible", "--dry-run")
    assert would.stdout.startswith("dry run: nothing was changed; sha-fourth (")
    assert "would switch traffic to" in would.stderr
    assert everything(operator.droplet) == before

    words = ("--via", "ansible", "--host", operator.droplet.address)
    done = operator.deploy(tag, *words)
    assert done.stdout.startswith("sha-fourth (")
    assert f"serves on staging ({operator.droplet.address}), before it sha-" in done.stdout
    assert "switch traffic to" in done.stderr
    assert "Compare it with what should serve" in done.stderr
    assert answering(operator.url) == "fourth"

    again = operator.deploy(tag, "--via", "ansible", "--json")
    assert again.events[-1]["event"] == "run_ended"
    assert again.events[-1]["release"]["tag"] == tag
    assert not again.events[-1]["changed"]


def test_a_bad_image_leaves_the_release_before_and_says_why(
    team: Team, operator: Operator, releases: Releases
) -> None:
    serves = answering(operator.url)
    bad = releases.push(App("bad", "crash")).tag

    failed = team.update(bad)
    assert failed.status == 2
    assert f"sha-{serves} serves; {bad} failed: " in failed.stdout
    assert "Check that each host serves what it did before" in failed.stdout
    assert answering(operator.url) == serves
    assert_at_rest(operator.droplet)


@pytest.mark.full
def test_a_deploy_via_ansible_fails_with_the_status_of_any_other(
    operator: Operator, releases: Releases
) -> None:
    serves = answering(operator.url)
    bad = releases.push(App("bad", "crash")).tag

    failed = operator.run("deploy", bad, "staging", "--via", "ansible")
    assert failed.status == 1
    assert "after its start; last answer on /health: no answer" in failed.stderr
    assert_at_rest(operator.droplet)

    with at_its_health_gate(operator, releases) as holder:
        locked = operator.run("deploy", bad, "staging", "--via", "ansible")
        assert locked.status == 4
        assert "`restoops deploy sha-held staging --json`" in locked.stderr
        holder.signal(signal.SIGINT)
        holder.finish()
    assert answering(operator.url) == serves


def test_one_tool_waits_for_the_lock_of_the_other(
    team: Team, operator: Operator, releases: Releases
) -> None:
    other = releases.push(App("other")).tag
    before = answering(operator.url)
    with at_its_health_gate(operator, releases) as holder:
        found = everything(operator.droplet)
        refused = team.update(other)
        assert refused.status == 2
        assert "nothing was changed; sha-other failed: " in refused.stdout
        assert "olga from" in refused.stdout
        assert everything(operator.droplet) == found
        holder.signal(signal.SIGINT)
        holder.finish()

    assert eventually(lambda: not look(operator.droplet).has_open_run)
    playbook = team.start(UPDATE, *slow(releases))
    try:
        assert eventually(lambda: look(operator.droplet).has_open_run)
        refused = operator.run("deploy", other, "staging")
        assert refused.status == 4
        assert "anton from" in refused.stderr
        assert "deploy sha-held on staging by Ansible" in refused.stderr
    finally:
        playbook.send_signal(signal.SIGINT)
        playbook.communicate()
    assert eventually(lambda: lock_is_free(operator.droplet))
    assert_at_rest(operator.droplet)
    assert answering(operator.url) == before


def test_ctrl_c_undoes_a_deploy_via_ansible_and_says_what_serves(
    operator: Operator, releases: Releases
) -> None:
    before = answering(operator.url)
    tag = releases.push(App("held", "slow-start", start_delay_s=NEVER)).tag
    with Running(operator.start("deploy", tag, "staging", "--via", "ansible", "--json")) as running:
        assert eventually(lambda: "starting" in states(operator) or len(states(operator)) > 1)
        assert eventually(lambda: look(operator.droplet).has_open_run)
        running.signal(signal.SIGINT)
        outcome = running.finish()

    assert outcome.status == 130
    assert f"sha-{before} serves" in outcome.events[-1]["message"]
    assert_at_rest(operator.droplet)
    assert answering(operator.url) == before


def states(operator: Operator) -> list[str]:
    return [it.state for it in look(operator.droplet).slots.values()]


@pytest.mark.parametrize(
    "who",
    ["ansible-playbook alone", pytest.param("all that it had started", marks=pytest.mark.full)],
)
def test_after_kill_9_the_hosts_are_put_right(
    team: Team, operator: Operator, releases: Releases, who: str
) -> None:
    before = answering(operator.url)
    playbook = team.start(UPDATE, *slow(releases))
    assert eventually(lambda: look(operator.droplet).has_open_run)

    if who == "ansible-playbook alone":
        os.kill(playbook.pid, signal.SIGKILL)
        playbook.communicate()
        # The module sees that nobody listens any more, and undoes what it has begun.
        assert eventually(lambda: not look(operator.droplet).has_open_run)
    else:
        kill_all(playbook.pid)
        playbook.communicate()
        assert look(operator.droplet).has_open_run
        operator.deploy(f"sha-{before}", "--wait", "30")

    assert eventually(lambda: lock_is_free(operator.droplet))
    assert_at_rest(operator.droplet)
    assert answering(operator.url) == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(("-e", "environment=staging"), "image_tag should be the tag", id="no tag"),
        pytest.param(("-e", "image_tag=a/b", "-e", "environment=staging"), "not 'a/b'",
                     id="no tag of any image", marks=pytest.mark.full),
        pytest.param(("-e", "image_tag=sha-first", "-e", "environment=production"),
                     "environment should be that of the inventory, 'staging'",
                     id="another environment", marks=pytest.mark.full),
        pytest.param(("-e", "image_tag=sha-first"), "-e environment=staging",
                     id="no environment", marks=pytest.mark.full),
        pytest.param(update_words("sha-none"), "sha-none is not in the registry", id="not pushed"),
        pytest.param((*update_words("sha-first"), "-e", json.dumps(WRONG)),
                     "health.path: Input should be a path",
                     id="a setting that cannot be", marks=pytest.mark.full),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_before_anything_changes(
    team: Team, operator: Operator, words: tuple[str, ...], said: str
) -> None:
    before = everything(operator.droplet)

    refused = team.run(UPDATE, *words)

    assert refused.status == 2
    assert said in refused.stdout.replace("\\n", " ")
    assert "Traceback" not in refused.stdout + refused.stderr
    assert everything(operator.droplet) == before


@pytest.mark.full
def test_a_host_that_cannot_prove_what_it_serves_is_taken_back(
    team: Team, operator: Operator, releases: Releases, load: LoadRun
) -> None:
    before = answering(operator.url)
    nowhere = {"all": {"hosts": {"a": {"ansible_python_interpreter": "/nowhere/python3"}}}}
    (team.folder / "nowhere.json").write_text(json.dumps(nowhere))
    load.expect_change()

    failed = team.update(releases.push(App("sixth")).tag, "-i", "nowhere.json")

    assert failed.status == 2
    assert "Go back to what served before" in failed.stdout
    assert f"sha-{before} serves; sha-sixth failed: what serves on a host was not" in failed.stdout
    assert answering(operator.url) == before
    assert_at_rest(operator.droplet)


@pytest.mark.full
def test_a_registry_that_is_away_is_asked_again_and_no_secret_is_shown(
    team: Team, operator: Operator, releases: Releases, registry: Registry
) -> None:
    tag = releases.push(App("fifth")).tag
    env = {key: operator.env.pop(key) for key in ("REGISTRY_USERNAME", "GITHUB_TOKEN")}
    secret = team.folder / "secret.json"
    login = {"registry_username": registry.username, "registry_password": registry.password}
    secret.write_text(json.dumps(login))
    registry.stop()
    with team.start(UPDATE, *update_words(tag), "-e", f"@{secret}", "-vvv") as playbook:
        assert playbook.stdout
        try:
            lines = iter(playbook.stdout.readline, "")
            told = [next(line for line in lines if "FAILED - RETRYING" in line)]
        finally:
            registry.start()
            operator.env.update(env)
        told += lines
    assert playbook.returncode == 0, "".join(told)
    assert registry.password not in "".join(told)
    assert answering(operator.url) == "fifth"
