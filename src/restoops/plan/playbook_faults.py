"""Why a run of Ansible failed, from what it said, and what to do about it."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Known:
    """A fault that is known: how it reads, and what to do now."""

    pattern: str
    hint: str


KNOWN = (
    Known(
        r"REMOTE HOST IDENTIFICATION HAS CHANGED|Host key verification failed|"
        r"No \S+ host key is known",
        "Its host key is not the one on record, or none is. `restoops doctor {environment}` shows "
        "both and the line to add; a droplet that was made anew has a new key.",
    ),
    Known(
        r"Permission denied \([a-z,-]*publickey|Too many authentication failures",
        "Is the user right (`ssh.user`), and is your key loaded (`ssh-add -l`) and in the user's "
        "authorized_keys? A droplet that is still bare may know root only: "
        "`RESTOOPS_SSH__USER=root`.",
    ),
    Known(
        r"Missing sudo password|a password is required|a terminal is required to",
        "sudo wants a password there: write it into a file that only you can read, and name that "
        "in ANSIBLE_BECOME_PASSWORD_FILE.",
    ),
    Known(
        r"Incorrect (sudo|su|BECOME) password|Sorry, try again",
        "The password in ANSIBLE_BECOME_PASSWORD_FILE is not that of the user on the host.",
    ),
    Known(
        r"is not in the sudoers file|may not run sudo|is not allowed to (execute|run)",
        "The user may not become root there. Name one that may: `ssh.user`.",
    ),
    Known(
        r"Could not get lock|Unable to (acquire|lock)|Failed to lock apt|dpkg frontend lock",
        "Another run of apt holds the lock there, such as the first one after a droplet's birth. "
        "It takes a few minutes: run the same command again.",
    ),
    Known(
        r"dpkg was interrupted",
        "A run of apt was cut off there. On the host: `sudo dpkg --configure -a`, then again.",
    ),
    Known(
        r"python[0-9.]*: (command )?not found|/usr/bin/python\S*: No such file|"
        r"interpreter.{0,80}(not found|No such file)|No python interpreters found|"
        r"required interpreter.*was not found",
        "There is no Python on the host, which Ansible needs: `sudo apt-get install -y python3` "
        "there.",
    ),
    Known(
        r"couldn't resolve module/action|Could not (find|match|load).*(collection|callback)|"
        r"Unable to find.*collection|[Ii]nvalid callback|unable to locate collection",
        "A collection is missing: `ansible-galaxy collection install -r requirements.yml` in the "
        "directory with the playbooks; the `ansible` bundle of PyPI carries them all.",
    ),
    Known(
        r"the role '.*' was not found|Could not find or access|unable to find role",
        "A file of the playbook is missing. Is `ansible.directory` the right directory, and whole?",
    ),
    Known(
        r"no vault secrets|Decryption failed",
        "A file is encrypted: name the file with its password in ANSIBLE_VAULT_PASSWORD_FILE.",
    ),
    Known(
        r"restoops is not installed",
        "`pip install` restoops into the Python that the message names, or name another one in "
        "the variable `restoops_python`.",
    ),
    Known(
        r"[Tt]emporary failure (in name resolution|resolving)|Could not resolve host|"
        r"Failed to (update|fetch)|Name or service not known.*http",
        "The host cannot reach its package sources. Are its network, DNS and firewall right?",
    ),
    Known(r"No space left on device", "The disk of the host is full: `df -h` there."),
    Known(
        r"Connection refused|[Tt]imed out|No route to host|Network is unreachable|"
        r"Could not resolve hostname|Failed to connect|Connection (closed|reset)|UNREACHABLE",
        "Is the droplet on, is its address right, and may this machine connect to it? "
        "`restoops doctor {environment}` looks closer.",
    ),
    Known(
        r"is undefined|undefined variable",
        "A variable has no value: set it in `inventories/{environment}/group_vars` or "
        "`host_vars` of the directory with the playbooks.",
    ),
    Known(
        r"Syntax Error|YAML parsing failed|not a valid attribute|conflicting action statements",
        "The playbook itself is wrong, at the place that the message names.",
    ),
)

OTHERWISE = "The message is the module's own. When its cause is gone, run the same command again."


def hint_for(text: str, environment: str) -> str:
    """Return what to do about a failure that said `text`."""
    for known in KNOWN:
        if re.search(known.pattern, text):
            return known.hint.format(environment=environment)
    return OTHERWISE
