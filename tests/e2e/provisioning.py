"""A project with a small playbook of its own, for two droplets."""

from __future__ import annotations

from pathlib import Path

from tests.lab.operator import Operator

SECRET = "hunter2-never-to-be-shown"
PLAYBOOK = """\
- name: Look first
  hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - name: Look around
      ansible.builtin.debug:
        msg: all well
- name: Prepare
  hosts: api
  become: true
  gather_facts: false
  tasks:
    - name: Say hello
      ansible.builtin.ping:
    - name: Use a secret
      ansible.builtin.command: echo {{ secret }}
      no_log: true
      changed_when: false
    - name: Write who it is
      ansible.builtin.copy:
        content: "{{ inventory_hostname }} {{ restoops_environment }} {{ colour }}\\n"
        dest: /etc/lab
        mode: "0644"
    - name: Rest
      ansible.builtin.command: sleep {{ rest_s | default(0) }}
      changed_when: false
      when: rest_s is defined
    - name: Fail where it was asked for
      ansible.builtin.command: "sh -c 'echo {{ secret }} >&2; echo no luck >&2; exit 3'"
      changed_when: false
      when: inventory_hostname == unlucky | default('')
"""


def write_project(operator: Operator, **variables: str | int) -> Path:
    """Write the playbook and the environment's variables beside restoops.yaml."""
    project = operator.folder / "ansible"
    place = project / "inventories" / "staging" / "group_vars"
    for folder in (project / "playbooks", place):
        folder.mkdir(parents=True, exist_ok=True)
    (project / "playbooks" / "setup-api.yml").write_text(PLAYBOOK)
    known = {"colour": "red", "secret": SECRET, **variables}
    (place / "api.yml").write_text("".join(f"{key}: {it}\n" for key, it in known.items()))
    return project
