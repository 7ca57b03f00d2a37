"""From Terraform's outputs to what Ansible and ssh read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


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
