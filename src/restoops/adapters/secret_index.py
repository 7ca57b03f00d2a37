"""What a host notes of the secrets that it keeps: names, fingerprints, when; never a value.

A set is noted before its directory is made and until it is removed: what is there is always noted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from restoops.errors import NeedsAttention
from restoops.handover import SecretSet
from restoops.model import Digest, Placed

INDEX = "secrets.json"
_VERSION = 1


def parse_index(text: str, where: str) -> tuple[SecretSet, ...]:
    """Return the sets that the file of a host has, oldest first; `where` names host and directory.

    Raises:
        NeedsAttention: it is none of ours, or damaged.
    """
    if not text:
        return ()
    try:
        value = json.loads(text)
        return tuple(_set(it) for it in {_VERSION: value["sets"]}[value["v"]])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise NeedsAttention(
            f"{where}/{INDEX} cannot be read: {type(error).__name__}",
            hint="Move it away there; what runs keeps its secrets, and the next deploy writes them "
            "anew.",
        ) from error


def dump_index(sets: Iterable[SecretSet]) -> str:
    """Return the text of the file."""
    return json.dumps({"v": _VERSION, "sets": [_plain(it) for it in sets]}, indent=1) + "\n"


def _set(value: dict[str, Any]) -> SecretSet:
    placed = {str(name): Placed(**it) for name, it in value["placed"].items()}
    return SecretSet(
        id=str(value["id"]),
        digest=Digest(value["digest"]),
        run=str(value["run"]),
        at=str(value["at"]),
        spec=str(value["spec"]),
        is_complete=bool(value["is_complete"]),
        placed=placed,
        environment=frozenset(map(str, value["environment"])),
    )


def _plain(it: SecretSet) -> dict[str, Any]:
    return {
        "id": it.id,
        "digest": str(it.digest),
        "run": it.run,
        "at": it.at,
        "spec": it.spec,
        "is_complete": it.is_complete,
        "environment": sorted(it.environment),
        "placed": {
            name: {"fingerprint": one.fingerprint, "since": one.since}
            for name, one in sorted(it.placed.items())
        },
    }
