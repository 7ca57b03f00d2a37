"""How much of a plan is done, from the state that there is now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from restoops.plan.infra_changes import Kind, read_changes
from restoops.plan.infra_resources import Resource


@dataclass(frozen=True, slots=True)
class Done:
    """The changes of a plan, by what has become of them.

    Attributes:
        done: addresses whose change is in the state.
        left: addresses whose change is not.
        broken: addresses of what was made but not finished; the next plan replaces it.
    """

    done: tuple[str, ...]
    left: tuple[str, ...]
    broken: tuple[str, ...]

    def __str__(self) -> str:
        whole = len(self.done) + len(self.left) + len(self.broken)
        parts = [f"{len(self.done)} of {whole} changes are done"]
        if self.broken:
            parts.append(f"made but not finished: {few(self.broken)}")
        if self.left:
            parts.append(f"not done: {few(self.left)}")
        return "; ".join(parts)


def what_is_done(plan: Mapping[str, Any], now: tuple[Resource, ...]) -> Done:
    """Compare the changes of a plan with the resources that the state has now."""
    there = {resource.address: resource for resource in now}
    raw = {it["address"]: it["change"] for it in plan.get("resource_changes") or ()}
    sorts: dict[str, list[str]] = {"done": [], "left": [], "broken": []}
    for change in read_changes(plan):
        found = there.get(change.address)
        if found and found.is_tainted:
            sorts["broken"].append(change.address)
        else:
            is_done = _is_done(change.kind, raw.get(change.address) or {}, found)
            sorts["done" if is_done else "left"].append(change.address)
    return Done(tuple(sorts["done"]), tuple(sorts["left"]), tuple(sorts["broken"]))


def _is_done(kind: Kind, change: Mapping[str, Any], found: Resource | None) -> bool:
    if kind in (Kind.DESTROY, Kind.FORGET):
        return found is None
    if found is None:
        return False
    before, after = change.get("before") or {}, change.get("after") or {}
    if kind is Kind.REPLACE:
        return bool(found.values.get("id") != before.get("id"))
    if kind is not Kind.CHANGE:
        return True
    changed = [key for key, value in after.items() if before.get(key) != value]
    if not changed:  # only what nobody knew before changes
        return dict(found.values) != before
    return all(found.values.get(key) == after[key] for key in changed)


def few(addresses: tuple[str, ...]) -> str:
    """Return the first of many addresses, and how many more there are."""
    shown, more = addresses[:10], len(addresses) - 10
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")
