"""What a run of Ansible must not show."""

from __future__ import annotations

from pathlib import Path

from restoops.flows.playbook import passwords


def test_the_passwords_that_ansible_reads_are_known(tmp_path: Path) -> None:
    become, vault = tmp_path / "become", tmp_path / "vault"
    become.write_text("b3come-S3cret\n")
    vault.write_text("#!/bin/sh\nprintenv\n")
    vault.chmod(0o700)
    environ = {
        "ANSIBLE_BECOME_PASSWORD_FILE": str(become),
        "ANSIBLE_VAULT_PASSWORD_FILE": str(vault),
    }

    found = [it.reveal() for it in passwords(environ)]

    assert found == ["b3come-S3cret\n"], "a program is no password"
    assert list(passwords({"ANSIBLE_BECOME_PASSWORD_FILE": str(tmp_path / "none")})) == []
