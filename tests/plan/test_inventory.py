"""What Ansible and ssh are given to read."""

from restoops.plan.inventory import InventoryHost, SshWishes, inventory_for, ssh_config


def test_hosts_are_in_group_api_and_say_only_what_is_known() -> None:
    hosts = [
        InventoryHost("a", "10.0.0.1", user="root", port=2222, key="/k", ssh_config="/t/my config"),
        InventoryHost("b", "10.0.0.2"),
        InventoryHost("local", "localhost", is_local=True),
    ]

    group = inventory_for(hosts, {"restoops_environment": "dev"})["all"]["children"]["api"]

    assert group["vars"] == {"restoops_environment": "dev"}
    assert group["hosts"]["a"] == {
        "ansible_host": "10.0.0.1",
        "ansible_user": "root",
        "ansible_port": 2222,
        "ansible_ssh_private_key_file": "/k",
        "ansible_ssh_common_args": "-F '/t/my config'",
    }
    assert group["hosts"]["b"] == {"ansible_host": "10.0.0.2"}
    assert group["hosts"]["local"]["ansible_connection"] == "local"


def test_strict_checking_stands_above_all_and_defaults_below_the_operators_own() -> None:
    lines = ssh_config(SshWishes("/home/o/.ssh", ("/home/o/.ssh/id_rsa",))).splitlines()

    assert lines[0] == "StrictHostKeyChecking yes"
    own = lines.index('Include "/home/o/.ssh/config"')
    for default in ("  User deploy", '  UserKnownHostsFile "/home/o/.ssh/known_hosts"'):
        assert lines.index(default) > own


def test_files_that_settings_name_win_over_the_operators_own() -> None:
    wishes = SshWishes("/h", known_hosts="/k h", more_known_hosts="/born", only_key=True)
    lines = ssh_config(wishes).splitlines()

    own = lines.index('Include "/h/config"')
    assert lines.index('UserKnownHostsFile "/k h"') < own
    assert lines.index('GlobalKnownHostsFile "/born" /etc/ssh/ssh_known_hosts') < own
    assert lines.index("IdentitiesOnly yes") < own
