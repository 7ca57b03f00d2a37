"""What GitHub calls repositories and secrets, and which names it refuses.

https://docs.github.com/en/actions/reference/security/secrets#naming-your-secrets
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from restoops.model import Value

_NAME = re.compile(r"[A-Z_][A-Z0-9_]*")
_MOST_BYTES = 48 * 1024
_REMOTE = re.compile(
    r"(?:https://(?:[^@/]*@)?|ssh://(?:[^@/]*@)?|(?:[^@/:]*@)?)"
    r"([A-Za-z0-9.-]+)(?::[0-9]+/|[:/])/?([A-Za-z0-9._-]+/[A-Za-z0-9._-]+?)(?:\.git)?/?"
)
LEDGER = "RESTOOPS_SECRETS"
"""The variable that holds what is known of the secrets beside it."""


def split_remote(url: str) -> tuple[str, str]:
    """Return host and `owner/name` of the address of a git remote; nothing of another form."""
    found = _REMOTE.fullmatch(url.strip())
    return (found[1], found[2]) if found else ("", "")


def github_faults(values: Mapping[str, Value]) -> tuple[str, ...]:
    """Say which of these secrets GitHub would not take, and why; values are not shown."""
    return tuple(f"{name}: {fault}" for name in values if (fault := _fault(name, values)))


def _fault(name: str, values: Mapping[str, Value]) -> str:
    upper = name.upper()
    if not _NAME.fullmatch(upper):
        return "a name has letters, digits and `_`, and no digit first"
    if upper.startswith("GITHUB_"):
        return "names that begin with GITHUB_ are GitHub's own"
    if _has_twin(name, values):
        return "another name differs from it only in capitals, which GitHub takes for the same"
    if len(values[name].secret.reveal().encode()) > _MOST_BYTES:
        return "its value is larger than 48 KiB"
    return ""


def _has_twin(name: str, names: Collection[str]) -> bool:
    return sum(it.upper() == name.upper() for it in names) > 1
