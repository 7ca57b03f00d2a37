"""From a plan as `terraform show -json` prints it to the changes that a person reviews."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from restoops.plan.sensitive import HIDDEN, hide

Json = Mapping[str, Any]

PRECIOUS = {
    "digitalocean_droplet": "droplet",
    "digitalocean_database_cluster": "database",
    "digitalocean_database_db": "database",
    "digitalocean_database_replica": "database",
    "digitalocean_volume": "volume",
    "digitalocean_reserved_ip": "reserved IP",
    "digitalocean_reserved_ipv6": "reserved IP",
    "digitalocean_floating_ip": "reserved IP",
    "digitalocean_spaces_bucket": "bucket",
}
"""What is lost for good when it goes: data, or an address that others know."""
_UNKNOWN = "(known after apply)"
_LONGEST = 60
"""Characters of a value that are shown."""


class Kind(StrEnum):
    """What happens to a resource, the gravest first."""

    DESTROY = "destroy"
    REPLACE = "replace"
    FORGET = "forget"
    CHANGE = "change"
    CREATE = "create"
    IMPORT = "import"
    MOVE = "move"


@dataclass(frozen=True, slots=True)
class Difference:
    """An attribute that changes; sensitive values are `(sensitive)`."""

    attribute: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one resource."""

    address: str
    type: str
    kind: Kind
    name: str
    """Its name in the account; the address where it has none."""
    because: str
    precious: str
    """What is lost with it when it is replaced or destroyed, such as `droplet`; else empty."""
    loses: bool = False
    """Whether that is lost now, so that the name has to be typed."""
    differences: tuple[Difference, ...] = ()
    note: str = ""


def read_changes(plan: Json) -> tuple[Change, ...]:
    """Return the changes of a plan, the gravest first, then in the order of addresses."""
    return _sorted(_changes(plan.get("resource_changes") or ()))


def read_drift(plan: Json) -> tuple[Change, ...]:
    """Return what was changed outside of Terraform since it last looked."""
    return _sorted(_changes(plan.get("resource_drift") or ()))


def output_changes(plan: Json) -> tuple[str, ...]:
    """Return the names of the outputs that change."""
    found = plan.get("output_changes") or {}
    return tuple(name for name, it in sorted(found.items()) if it["actions"] != ["no-op"])


def count(changes: tuple[Change, ...]) -> dict[Kind, int]:
    """Return how many changes there are of each kind, without those there are none of."""
    counted = Counter(change.kind for change in changes)
    return {kind: counted[kind] for kind in Kind if counted[kind]}


def names_to_confirm(changes: tuple[Change, ...]) -> dict[str, Change]:
    """Return the changes whose names have to be typed, by name; by address where two share one."""
    losing = [change for change in changes if change.loses]
    often = Counter(change.name for change in losing)
    return {it.name if often[it.name] == 1 else it.address: it for it in losing}


def unconfirmed(changes: tuple[Change, ...], typed: tuple[str, ...]) -> dict[str, Change]:
    """Return the changes whose name or address is not among those that were `typed`."""
    asked = names_to_confirm(changes)
    return {name: it for name, it in asked.items() if not {name, it.address} & set(typed)}


def substance(plan: Json) -> dict[str, str]:
    """Return all that a plan would do, by address, in a form to compare and never to show.

    Two plans with the same substance do the same, whenever they were made.
    """
    keys = ("actions", "before", "after", "after_unknown", "replace_paths", "importing")
    found = {}
    for resource in plan.get("resource_changes") or ():
        change = resource["change"]
        if _kind(resource) is not None or change["actions"] not in (["no-op"], ["read"]):
            kept = {key: change.get(key) for key in keys}
            found[resource["address"] + _deposed(resource)] = json.dumps(kept, sort_keys=True)
    for name, change in (plan.get("output_changes") or {}).items():
        if change["actions"] != ["no-op"]:
            found[f"output {name}"] = json.dumps(change, sort_keys=True)
    return found


def differing(one: Json, other: Json) -> tuple[str, ...]:
    """Return the addresses to which two plans would not do the same."""
    first, second = substance(one), substance(other)
    return tuple(sorted(it for it in first.keys() | second if first.get(it) != second.get(it)))


def _changes(resources: Iterable[Json]) -> Iterator[Change]:
    for resource in resources:
        kind = _kind(resource)
        if kind is not None and resource.get("mode") != "data":
            yield _change(resource, kind)


def _sorted(changes: Iterator[Change]) -> tuple[Change, ...]:
    rank = {kind: number for number, kind in enumerate(Kind)}
    return tuple(sorted(changes, key=lambda it: (not it.loses, rank[it.kind], it.address)))


def _kind(resource: Json) -> Kind | None:
    """Return what happens to a resource; None when nothing does."""
    change, actions = resource["change"], set(resource["change"]["actions"])
    if actions >= {"create", "delete"} or actions >= {"create", "forget"}:
        return Kind.REPLACE
    for action, kind in (
        ("create", Kind.CREATE),
        ("delete", Kind.DESTROY),
        ("forget", Kind.FORGET),
        ("update", Kind.CHANGE),
    ):
        if action in actions:
            return kind
    if change.get("importing"):
        return Kind.IMPORT
    return Kind.MOVE if resource.get("previous_address") else None


def _change(resource: Json, kind: Kind) -> Change:
    differences = tuple(_differences(resource["change"])) if kind is Kind.CHANGE else ()
    precious = PRECIOUS.get(resource["type"], "")
    return Change(
        address=resource["address"] + _deposed(resource),
        type=resource["type"],
        kind=kind,
        name=_name(resource),
        because=_because(resource),
        precious=precious,
        loses=bool(precious) and kind in (Kind.DESTROY, Kind.REPLACE),
        differences=differences,
        note=_note(resource, differences),
    )


def _deposed(resource: Json) -> str:
    return f" (deposed {resource['deposed']})" if resource.get("deposed") else ""


def _name(resource: Json) -> str:
    change = resource["change"]
    for side in ("before", "after"):
        values = change.get(side) or {}
        marks = change.get(f"{side}_sensitive")
        shown = hide(values, marks) if marks else values
        for key in ("name", "ip_address", "ip"):
            value = shown.get(key) if isinstance(shown, dict) else None
            if isinstance(value, str) and value not in ("", HIDDEN):
                return value
    return str(resource["address"])


_REASONS = {
    "replace_because_tainted": "the last apply did not finish it",
    "replace_by_request": "asked for",
    "replace_by_triggers": "what it is bound to changes",
    "delete_because_no_resource_config": "no longer in the code",
    "delete_because_no_module": "its module is no longer in the code",
    "delete_because_wrong_repetition": "count or for_each has changed",
    "delete_because_count_index": "count is smaller",
    "delete_because_each_key": "its key is no longer in for_each",
    "delete_because_no_move_target": "the code moves it to nowhere",
}


def _because(resource: Json) -> str:
    paths = resource["change"].get("replace_paths") or ()
    if paths:
        keys = sorted({str(path[0]) for path in paths if path})
        return f"{', '.join(keys)} cannot be changed in place"
    moved = resource.get("previous_address")
    reason = _REASONS.get(resource.get("action_reason") or "", "")
    return reason or (f"was {moved}" if moved else "")


def _differences(change: Json) -> Iterator[Difference]:
    before, after = change.get("before") or {}, change.get("after") or {}
    unknown = change.get("after_unknown") or {}
    hidden_before = _hidden(before, change.get("before_sensitive"))
    hidden_after = _hidden(after, change.get("after_sensitive"))
    for key in sorted(before.keys() | after.keys() | unknown.keys()):
        is_unknown = unknown.get(key) is True
        if before.get(key) == after.get(key) and not is_unknown:
            continue
        new = _UNKNOWN if is_unknown else _shown(hidden_after.get(key))
        yield Difference(key, _shown(hidden_before.get(key)), new)


def _hidden(values: Json, marks: object) -> Json:
    hidden = hide(values, marks)
    return hidden if isinstance(hidden, dict) else dict.fromkeys(values, hidden)


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _note(resource: Json, differences: tuple[Difference, ...]) -> str:
    if resource["type"] == "digitalocean_droplet" and any(
        it.attribute == "size" for it in differences
    ):
        return "is powered off while it is resized"
    return ""
