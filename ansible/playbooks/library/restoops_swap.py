#!/usr/bin/python
"""Ansible's module for blue-green swaps; what it does is in the package restoops."""

from __future__ import annotations

DOCUMENTATION = r"""
module: restoops_swap
short_description: Deploy a release, or go back to one, on all hosts of a play at once
description:
  - Does what C(restoops deploy) and C(restoops rollback) do, with the same lock, journal, history
    and names on the hosts, so that what one deployed the other lists and rolls back.
  - A run holds one SSH connection to each host, which carries the lock and every change, and all
    hosts switch together or none does. So run it once for a whole play, with C(run_once) and
    C(delegate_to) on the machine that Ansible runs on.
  - Hosts are reached as restoops reaches them, by SSH with strict host keys and C(~/.ssh/config);
    connection plugins and C(ansible_ssh_common_args) do not count.
requirements:
  - restoops, for the Python that runs the module
options:
  state:
    description:
      - V(live) makes O(tag) live; V(previous) goes back to O(tag), or to the last good release.
      - V(recovered) finishes or undoes a run that was cut off, and does nothing else.
      - V(observed) says what serves.
    type: str
    choices: [live, previous, recovered, observed]
    default: live
  environment:
    description: Environment of restoops.yaml; without that file any name.
    type: str
    required: true
  tag:
    description: Image tag or Git SHA, C(abc1234) for C(sha-abc1234).
    type: str
  hosts:
    description: Hosts of the play; left out, those that restoops.yaml names.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name in the inventory.
        type: str
        required: true
      address:
        description: What to connect to, else the name.
        type: str
      user:
        description: User to log in as, else what restoops.yaml or C(~/.ssh/config) says.
        type: str
      port:
        description: Port of SSH.
        type: int
      key:
        description: File of the private key.
        type: str
      connection:
        description: V(local) for this machine's own Docker engine.
        type: str
  settings:
    description: Laid over restoops.yaml, in the form of its sections.
    type: dict
    default: {}
  config:
    description: Path of restoops.yaml, else the nearest one from the working directory upwards.
    type: path
  wait:
    description: Seconds to queue behind a run that holds the lock.
    type: int
    default: 0
  batch:
    description: How many hosts switch at once, as a number or as C(25%).
    type: str
    default: 100%
  pause:
    description: Seconds between two batches.
    type: float
    default: 0
  registry_username:
    description: User of the registry, else E(REGISTRY_USERNAME) or Docker's own configuration.
    type: str
  registry_password:
    description: Its password or token, else E(GITHUB_TOKEN) or Docker's own configuration.
    type: str
  progress:
    description: File that lines of progress are added to while the module runs.
    type: path
attributes:
  check_mode:
    description: Says what would be done, and changes nothing.
    support: full
author:
  - restoops
"""

EXAMPLES = r"""
- name: Make the release live on all hosts of the play
  restoops_swap:
    environment: staging
    tag: sha-abc1234
    hosts:
      - {name: a, address: 10.20.0.2, user: deploy}
      - {name: b, address: 10.20.0.3, user: deploy}
  delegate_to: localhost
  run_once: true

- name: Go back to the last good release
  restoops_swap:
    environment: staging
    state: previous
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
release:
  description: What was asked for, C(tag) and C(digest).
  returned: with O(state=live) and O(state=previous)
  type: dict
hosts:
  description: >-
    By name in the inventory: C(release), what serves; C(previous) and C(steps) of a run; C(color)
    and C(open_run) with O(state=observed) and O(state=recovered).
  returned: success
  type: dict
summary:
  description: What became of it, in words.
  returned: with O(state=live) and O(state=previous)
  type: str
ended:
  description: The same as an object, as C(restoops deploy --json) prints it.
  returned: with O(state=live) and O(state=previous)
  type: dict
seconds:
  description: How long it took.
  returned: with O(state=live) and O(state=previous)
  type: float
run_id:
  description: Identifies the run in C(restoops history).
  returned: with O(state=live) and O(state=previous)
  type: str
log:
  description: What happened, line by line.
  returned: always
  type: list
proof:
  description: >-
    What a host can be asked to prove what it serves: the file C(live_map), the name that
    C(container) begins with, and C(url), all on the host.
  returned: success
  type: dict
status:
  description: Exit status that C(restoops deploy) would have ended with.
  returned: failure
  type: int
hint:
  description: What to do now.
  returned: failure
  type: str
details:
  description: Last log lines of a release that did not become healthy.
  returned: failure
  type: str
may_pass:
  description: Whether trying again may help, because the registry could not be asked.
  returned: failure
  type: bool
"""

import os  # noqa: E402  Ansible wants the documentation first
import sys  # noqa: E402

from ansible.module_utils.basic import AnsibleModule  # noqa: E402

HOST = {
    "name": {"type": "str", "required": True},
    "address": {"type": "str"},
    "user": {"type": "str"},
    "port": {"type": "int"},
    "key": {"type": "str", "no_log": False},  # the name of its file
    "connection": {"type": "str"},
}
ARGUMENTS = {
    "state": {
        "type": "str",
        "default": "live",
        "choices": ["live", "previous", "recovered", "observed"],
    },
    "environment": {"type": "str", "required": True},
    "tag": {"type": "str"},
    "hosts": {"type": "list", "elements": "dict", "options": HOST},
    "settings": {"type": "dict", "default": {}},
    "config": {"type": "path"},
    "wait": {"type": "int", "default": 0},
    "batch": {"type": "str", "default": "100%"},
    "pause": {"type": "float", "default": 0},
    "registry_username": {"type": "str"},
    "registry_password": {"type": "str", "no_log": True},
    "progress": {"type": "path"},
}


def main():
    module = AnsibleModule(
        ARGUMENTS,
        required_if=[("state", "live", ["tag"])],
        required_together=[("registry_username", "registry_password")],
        supports_check_mode=True,
    )
    try:
        from restoops.cli.module import Asked, answer
    except ImportError as error:
        module.fail_json(msg=f"restoops is not installed for {sys.executable}: {error}")
    given = module.params
    if given["registry_username"]:
        os.environ["REGISTRY_USERNAME"] = given["registry_username"]
        os.environ["GITHUB_TOKEN"] = given["registry_password"]
    asked = Asked(
        state=given["state"],
        environment=given["environment"],
        tag=given["tag"] or "",
        hosts=given["hosts"] or (),
        settings=given["settings"],
        config=given["config"] or "",
        wait_s=given["wait"],
        batch=given["batch"],
        pause_s=given["pause"],
        check=module.check_mode,
        progress=given["progress"] or "",
    )
    answered = answer(asked)
    if answered.get("failed"):
        module.fail_json(**answered)
    module.exit_json(**answered)


if __name__ == "__main__":
    main()
