"""The resources of a state or of planned values, with what is in modules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Resource:
    """One managed resource, with its values in clear text: not for showing."""

    address: str
    type: str
    values: Mapping[str, Any]
    is_tainted: bool = False


def resources_of(values: Mapping[str, Any] | None) -> tuple[Resource, ...]:
    """Return the managed resources below `values`, as in `planned_values` or a state's `values`."""
    return tuple(_of_module((values or {}).get("root_module") or {}))


def _of_module(module: Mapping[str, Any]) -> Iterator[Resource]:
    for it in module.get("resources") or ():
        if it["mode"] == "managed" and "deposed_key" not in it:
            tainted = bool(it.get("tainted"))
            yield Resource(it["address"], it["type"], it.get("values") or {}, tainted)
    for child in module.get("child_modules") or ():
        yield from _of_module(child)
