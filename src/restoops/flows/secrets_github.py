"""GitHub as a place for the secrets of an environment.

GitHub gives no value back. What was sent is known by a variable beside the secrets: fingerprints,
and when GitHub noted each change. A secret that was changed since then was changed by somebody
else, and nobody knows its value.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from restoops.adapters.git import origin_of
from restoops.adapters.github_secrets import SecretPlace
from restoops.errors import Refused, UsageError
from restoops.model import Placed, Value
from restoops.plan.github_names import LEDGER, github_faults, split_remote


def find_repository(configured: str | None, folder: Path) -> str:
    """Return `owner/name`: as configured, else of the workflow that runs us, else of `origin`.

    Raises:
        UsageError: none of them names one.
    """
    if configured:
        return configured
    if named := os.environ.get("GITHUB_REPOSITORY"):
        return named
    if found := split_remote(origin_of(folder))[1]:
        return found
    raise UsageError(
        "it is not known which repository on GitHub is meant",
        hint="Set `secrets.github_repository: owner/name` in restoops.yaml.",
    )


def refuse_github_names(values: Mapping[str, Value]) -> None:
    """Go on when GitHub takes these secrets.

    Raises:
        Refused: it would not take one; says which, and never a value.
    """
    if faults := github_faults(values):
        raise Refused(
            f"GitHub would not take {len(faults)} of these secrets; nothing was sent",
            hint="Names come from the template; rename them there and in the source.",
            details="\n".join(faults),
        )


@dataclass(frozen=True, slots=True)
class GithubSink:
    """The repository for some names, an environment of it for all others."""

    name: str
    environment: SecretPlace
    repository: SecretPlace
    in_repository: frozenset[str]
    """Names that go to the repository."""
    names: frozenset[str]
    """All names that are to be there, as we write them; GitHub has them in capitals."""
    takes_new: bool = True
    note: str = ""

    def placed(self) -> Mapping[str, Placed]:
        """Return what is there, by name; what somebody else changed has no fingerprint.

        Raises:
            Unreachable: it cannot be asked.
        """
        found: dict[str, Placed] = {}
        for place, names in self._places(self.names):
            there = _placed(place)
            found |= {it: there[it.upper()] for it in names if it.upper() in there}
        return found

    def put(self, values: Mapping[str, Value]) -> None:
        """Send these values, then note what was sent; see `Sink`.

        A cut in between leaves notes that do not fit the time of the change, so it is sent again.
        """
        for place, names in self._places(values):
            place.put({it.upper(): values[it].secret for it in names})
            updates = place.updates()
            sent = {it.upper(): values[it].fingerprint for it in names}
            notes = _notes(place) | {
                it: {"fingerprint": fingerprint, "updated_at": updates.get(it, "")}
                for it, fingerprint in sent.items()
            }
            kept = {it: notes[it] for it in sorted(notes) if it in updates}
            place.set_variable(LEDGER, json.dumps({"v": 1, "secrets": kept}))

    def _places(
        self, names: frozenset[str] | Mapping[str, Value]
    ) -> list[tuple[SecretPlace, list[str]]]:
        """Return each place with those of the names that belong there; none without any."""
        parts = (
            (self.environment, sorted(it for it in names if it not in self.in_repository)),
            (self.repository, sorted(it for it in names if it in self.in_repository)),
        )
        return [(place, part) for place, part in parts if part]


def _placed(place: SecretPlace) -> dict[str, Placed]:
    updates, notes = place.updates(), _notes(place)
    found = {}
    for name, updated_at in updates.items():
        note = notes.get(name, {})
        is_ours = note.get("updated_at") == updated_at
        found[name] = Placed(note.get("fingerprint", "") if is_ours else "", updated_at)
    return found


def _notes(place: SecretPlace) -> dict[str, dict[str, str]]:
    """Return what was noted of each secret; what cannot be read was not noted by us."""
    try:
        value = json.loads(place.variable(LEDGER) or "{}")
    except (ValueError, RecursionError):
        return {}
    found = value.get("secrets") if isinstance(value, dict) else None
    if not isinstance(found, dict):
        return {}
    return {
        name: {key: str(text) for key, text in note.items()}
        for name, note in found.items()
        if isinstance(note, dict)
    }
