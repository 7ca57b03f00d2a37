"""`restoops infra provision`: real Ansible on two droplets, from the first run to what fails."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from tests.docs_text import PROJECT
from tests.e2e.provisioning import SECRET, write_project
from tests.e2e.running import Running
from tests.lab.droplet import Droplet
from tests.lab.operator import Operator, Outcome
from tests.lab.terminal import OnTerminal
from tests.terraform.program import Terraform

pytestmark = pytest.mark.lab

_ASKER = """
useradd --create-home --shell /bin/bash --groups sudo asker
echo "asker:$1" | chpasswd
cp -R /home/deploy/.ssh /home/asker/.ssh
chown -R asker: /home/asker/.ssh
"""


@pytest.fixture(autouse=True)
def project(pair: Operator) -> Path:
    return write_project(pair)


def provision(operator: Operator, *words: str) -> Outcome:
    """Provision, and check that no secret is in what is shown."""
    outcome = operator.run("infra", "provision", "staging", *words)
    assert SECRET not in outcome.stdout + outcome.stderr
    return outcome


def rows(outcome: Outcome) -> dict[str, list[str]]:
    """The rows of the table of two hosts, by host."""
    found = [line.split() for line in outcome.stdout.splitlines()[1:3]]
    return {host: row for host, *row in found}


def written(droplet: Droplet) -> str:
    return droplet.exec(["sh", "-c", "cat /etc/lab 2>/dev/null || true"]).strip()


def test_from_a_check_to_a_second_run_that_changes_nothing(pair: Operator) -> None:
    one, two = pair.droplets

    checked = provision(pair, "--check")
    assert checked.status == 0, checked
    assert "check: nothing was changed; 2 hosts, 2 tasks would change something" in checked.stdout
    assert [written(it) for it in pair.droplets] == ["", ""]

    limited = provision(pair, "--limit", two.address)
    assert limited.status == 0, limited
    assert "1 host, 1 task changed something" in limited.stdout
    assert [written(it) for it in pair.droplets] == ["", f"{two.address} staging red"]

    first = provision(pair)
    assert f"  {one.address}  changed      Write who it is" in first.stderr
    assert f"  {two.address}  ok           Write who it is" in first.stderr
    assert written(one) == f"{one.address} staging red"

    second = provision(pair)
    assert second.status == 0
    assert second.stdout.splitlines()[0].split() == [
        "HOST", "OK", "CHANGED", "FAILED", "UNREACHABLE", "SKIPPED",
    ]  # fmt: skip
    assert rows(second)[one.address] == ["3", "0", "0", "0", "2"]
    assert second.stdout.splitlines()[-1] == "staging: 2 hosts, 0 tasks changed something"


def test_a_task_that_fails_is_told_with_host_reason_and_what_to_do(pair: Operator) -> None:
    one, two = pair.droplets
    write_project(pair, unlucky=two.address, secret="harmless")

    failed = provision(pair)

    assert failed.status == 1
    assert f"{two.address}: task `Fail where it was asked for` failed: non-zero return" in (
        failed.stderr
    )
    assert "  | no luck" in failed.stderr
    assert "the same command goes on with the rest" in failed.stderr
    assert "2 hosts, 1 failed" in failed.stdout
    assert {host: row[2] for host, row in rows(failed).items()} == {
        one.address: "0",
        two.address: "1",
    }


def test_a_host_that_cannot_be_reached_is_told_and_nothing_else_hides_it(pair: Operator) -> None:
    one, two = pair.droplets
    provision(pair)
    two.exec(["systemctl", "stop", "ssh.socket", "ssh.service"])
    try:
        away = provision(pair)
    finally:
        two.exec(["systemctl", "start", "ssh.service"])

    assert away.status == 5
    assert f"{two.address}: task `Say hello` cannot be reached" in away.stderr
    assert "Is the droplet on" in away.stderr
    assert "`restoops doctor staging`" in away.stderr
    assert f"{one.address}  ok" in away.stderr


def test_a_host_key_that_is_not_on_record_is_refused(pair: Operator) -> None:
    known = pair.known_hosts.read_text()
    pair.known_hosts.write_text(pair.droplets[0].known_hosts_line + "\n")
    try:
        refused = provision(pair)
    finally:
        assert pair.droplets[1].address not in pair.known_hosts.read_text(), "it was trusted"
        pair.known_hosts.write_text(known)

    assert refused.status == 5
    assert "Its host key is not the one on record" in refused.stderr


def test_hosts_and_their_keys_come_from_terraform(pair: Operator) -> None:
    root = pair.folder / "terraform" / "environments" / "staging"
    root.mkdir(parents=True)
    hosts = {
        key: {"name": key, "public": it.address, "private": "10.0.0.9", "host_key": it.host_key}
        for key, it in zip("ab", pair.droplets, strict=True)
    }
    (root / "main.tf").write_text(f'output "hosts" {{ value = {json.dumps(hosts)} }}')
    terraform = Terraform(root)
    terraform.run("init")
    terraform.apply()
    env = {"PATH": f"{Path(terraform.path).parent}:{pair.env['PATH']}"}
    own, known = pair.settings["environments"], pair.known_hosts.read_text()
    pair.settings["environments"] = {"staging": {"terraform": {"directory": str(root)}}}
    pair.known_hosts.write_text("")
    try:
        outcome = pair.run("infra", "provision", "staging", "--limit", "b", env=env)
    finally:
        pair.settings["environments"] = own
        pair.known_hosts.write_text(known)

    assert outcome.status == 0, outcome
    assert outcome.stdout.splitlines()[1].startswith("b ")
    assert written(pair.droplets[1]) == "b staging red"


@pytest.mark.full
def test_a_sudo_that_asks_is_told_and_answered_from_a_file(pair: Operator) -> None:
    password = "correct horse battery staple"
    for droplet in pair.droplets:
        droplet.exec(["sh", "-ec", _ASKER, "sh", password])
    pair.settings["ssh"]["user"] = "asker"
    file = pair.folder / "become"
    file.write_text(password)
    try:
        asked = provision(pair)
        answered = pair.run(
            *("infra", "provision", "staging", "--json"),
            env={"ANSIBLE_BECOME_PASSWORD_FILE": str(file)},
        )
    finally:
        pair.settings["ssh"]["user"] = "deploy"

    assert asked.status == 1
    assert "name that in ANSIBLE_BECOME_PASSWORD_FILE" in " ".join(asked.stderr.split())
    assert answered.status == 0, answered
    assert password not in answered.stdout + answered.stderr


def test_json_is_an_object_for_each_event_and_the_recap_is_the_last(pair: Operator) -> None:
    outcome = provision(pair, "--json")

    assert outcome.status == 0, outcome
    assert {it["v"] for it in outcome.events} == {1}
    names = [it["event"] for it in outcome.events]
    assert (names[0], names[-1]) == ("play_started", "playbook_ended")
    ended = next(it for it in outcome.events if it["event"] == "task_ended")
    documented = (PROJECT / "docs" / "json.md").read_text()
    for event in outcome.events:
        row = next(it for it in documented.splitlines() if f"| `{event['event']}` |" in it)
        told = {f"`{key}`" for key in event if key not in ("v", "event")}
        assert told == set(row.split("|")[2].replace(",", "").split())
    assert ended["result"] == "ok"
    assert [it["failed"] for it in outcome.events[-1]["hosts"]] == [0, 0]


def test_the_view_on_a_terminal_moves_and_leaves_the_summary(pair: Operator) -> None:
    pair.write_settings()
    argv = ["infra", "provision", "staging"]
    with OnTerminal(argv, pair.env, pair.folder, term="xterm") as shown:
        assert shown.finish() == 0
    assert "\x1b[" in shown.shown
    for droplet in pair.droplets:
        assert droplet.address in shown.shown
    assert "3 ok, 0 changed" in shown.shown
    assert "staging: 2 hosts, 0 tasks changed something" in shown.shown


def test_ctrl_c_is_answered_at_once_and_says_where_it_was(pair: Operator) -> None:
    write_project(pair, rest_s=600)
    with Running(pair.start("infra", "provision", "staging", "--json")) as running:
        running.await_event(lambda it: it.get("task") == "Rest", "start of the task that rests")
        running.signal(signal.SIGINT)
        outcome = running.finish()

    assert outcome.status == 130
    error = outcome.events[-1]
    assert "interrupted in task `Rest`" in error["message"]
    assert "the same command goes on" in error["hint"]


def test_what_is_missing_on_this_machine_is_told_before_anything_is_contacted(
    pair: Operator, project: Path
) -> None:
    (project / "playbooks" / "setup-api.yml").unlink()
    gone = provision(pair)
    assert gone.status == 2
    assert "there is no playbook ansible/playbooks/setup-api.yml" in gone.stderr

    local = pair.run("infra", "provision", "local")
    assert local.status == 2
    assert "local is this machine" in local.stderr

    write_project(pair)
    unknown = provision(pair, "--limit", "nobody")
    assert unknown.status == 2
    assert "no such host: nobody" in unknown.stderr

    (project / "playbooks" / "setup-api.yml").write_text("- hosts: api\n  roles: [nowhere]\n")
    broken = provision(pair)
    assert broken.status == 1
    assert "the role 'nowhere' was not found" in broken.stderr
    assert "Is `ansible.directory` the right directory" in broken.stderr
