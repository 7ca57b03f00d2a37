"""From Terraform's outputs to what Ansible and ssh read."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

USUAL_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")
"""Private keys in `~/.ssh` that are offered where none is named."""


@dataclass(frozen=True, slots=True)
class InventoryHost:
    """A host as Ansible is to know it; what is empty is left to ssh and its configuration."""

    name: str
    address: str
    user: str = ""
    port: int | None = None
    key: str = ""
    private_address: str = ""
    ssh_config: str = ""
    """File that ssh reads in place of its own."""
    is_local: bool = False
    """Whether it is this machine, which takes no connection."""


def inventory_for(hosts: Iterable[InventoryHost], variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inventory of an environment: its hosts in group `api`, with `variables`."""
    there = {host.name: _host_variables(host) for host in hosts}
    return {"all": {"children": {"api": {"hosts": there, "vars": dict(variables)}}}}


def _host_variables(host: InventoryHost) -> dict[str, Any]:
    if host.is_local:
        return {
            "ansible_host": host.address,
            "ansible_connection": "local",
            "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        }
    found = {
        "ansible_host": host.address,
        "ansible_user": host.user,
        "ansible_port": host.port,
        "ansible_ssh_private_key_file": host.key,
        "ansible_ssh_common_args": f"-F {shlex.quote(host.ssh_config)}" if host.ssh_config else "",
        "private_address": host.private_address,
    }
    return {name: value for name, value in found.items() if value}


@dataclass(frozen=True, slots=True)
class SshWishes:
    """What a run of ssh is told.

    Attributes:
        home: directory of the operator's own files; ssh would not ask HOME.
        keys: keys there, by the usual names.
        known_hosts: file of host keys that wins over the one in the configuration.
        more_known_hosts: file of host keys beside those.
        only_key: whether no other key than the one that is named may be offered.
    """

    home: str
    keys: tuple[str, ...] = ()
    known_hosts: str = ""
    more_known_hosts: str = ""
    only_key: bool = False


def ssh_config(wishes: SshWishes) -> str:
    """Return a configuration of ssh in which no host key is taken on trust.

    The first value wins in ssh: what has to be so stands above the operator's own configuration,
    what may be otherwise below it.
    """
    lines = ["StrictHostKeyChecking yes", "BatchMode yes"]
    if wishes.known_hosts:
        lines.append(f'UserKnownHostsFile "{wishes.known_hosts}"')
    if wishes.more_known_hosts:
        own = "/etc/ssh/ssh_known_hosts"
        lines.append(f'GlobalKnownHostsFile "{wishes.more_known_hosts}" {own}')
    if wishes.only_key:
        lines.append("IdentitiesOnly yes")
    lines += [f'Include "{wishes.home}/config"', "Include /etc/ssh/ssh_config", "Host *"]
    lines += ["  User deploy", f'  UserKnownHostsFile "{wishes.home}/known_hosts"']
    lines += [f'  IdentityFile "{key}"' for key in wishes.keys]
    return "".join(f"{line}\n" for line in lines)


def inventory_of(outputs: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the Ansible inventory that an environment gives out; None when it has none."""
    found = outputs.get("inventory", {}).get("value")
    is_inventory = isinstance(found, dict) and isinstance(found.get("all"), dict)
    return found if is_inventory else None


def known_hosts(outputs: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the lines of known_hosts, and the names of the hosts whose key is not known.

    A host is listed with its public and its private address: either may be connected to.
    """
    hosts = outputs.get("hosts", {}).get("value") or {}
    lines, unknown = [], []
    for key, host in sorted(hosts.items()):
        addresses = [it for it in (host.get("public"), host.get("private")) if it]
        public = host.get("host_key")
        if public and addresses:
            kind, text = str(public).split()[:2]
            lines.append(f"{','.join(addresses)} {kind} {text}")
        else:
            unknown.append(str(host.get("name") or key))
    return tuple(lines), tuple(unknown)
