"""Real messages of Ansible and ssh are known, each by the hint that helps."""

import pytest

from restoops.plan.playbook_faults import KNOWN, OTHERWISE, hint_for


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        pytest.param("Failed to connect to the host via ssh: No ED25519 host key is known for "
                     "10.0.0.1 and you have requested strict checking.\r\nHost key verification "
                     "failed.", "Its host key is not the one on record", id="unknown host key"),
        pytest.param("deploy@10.0.0.1: Permission denied (publickey).", "`ssh-add -l`",
                     id="no key fits"),
        pytest.param("Missing sudo password", "ANSIBLE_BECOME_PASSWORD_FILE", id="sudo asks"),
        pytest.param("Incorrect sudo password", "is not that of the user", id="wrong password"),
        pytest.param("deploy is not in the sudoers file.", "may not become root", id="no sudo"),
        pytest.param("Failed to lock apt for exclusive operation: Failed to lock directory "
                     "/var/lib/apt/lists/", "Another run of apt", id="apt is locked"),
        pytest.param("E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 1 "
                     "(unattended-upgr)", "Another run of apt", id="dpkg is locked"),
        pytest.param("/bin/sh: 1: /usr/bin/python3: not found", "apt-get install -y python3",
                     id="no Python"),
        pytest.param("couldn't resolve module/action 'community.general.ufw'. This often indicates "
                     "a misspelling, missing collection, or incorrect module path.",
                     "ansible-galaxy collection install", id="no collection"),
        pytest.param("the role 'nginx' was not found in /x/roles", "`ansible.directory`",
                     id="no role"),
        pytest.param("Attempting to decrypt but no vault secrets found", "VAULT_PASSWORD_FILE",
                     id="encrypted"),
        pytest.param("restoops is not installed for /usr/bin/python3: No module named 'restoops'",
                     "`restoops_python`", id="another Python"),
        pytest.param("Failed to update apt cache: W:Failed to fetch http://deb.debian.org/",
                     "package sources", id="no mirror"),
        pytest.param("[Errno 28] No space left on device", "`df -h`", id="disk is full"),
        pytest.param("Failed to connect to the host via ssh: ssh: connect to host 10.0.0.1 port "
                     "22: Connection refused", "`restoops doctor staging`", id="nobody listens"),
        pytest.param("'ssh_keys' is undefined", "inventories/staging/group_vars",
                     id="no such variable"),
    ],
)  # fmt: skip
def test_a_known_message_has_its_hint(said: str, hint: str) -> None:
    assert hint in hint_for(said, "staging")


def test_what_is_not_known_is_left_to_the_message() -> None:
    assert hint_for("the flux capacitor is empty", "staging") == OTHERWISE


def test_every_hint_says_something_to_do_in_whole_sentences() -> None:
    for known in KNOWN:
        assert known.hint.format(environment="staging").endswith((".", "?"))
