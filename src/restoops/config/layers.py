"""Lay settings over settings, and remember where each came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from restoops.config.faults import dotted

_MISSING = object()


@dataclass(frozen=True, slots=True)
class Layered:
    """Settings from several places.

    Attributes:
        values: what is in force.
        origins: path in `values` => how to name the place it came from; what has no entry,
            not even for a part of its path, came from the file's own sections.
    """

    values: dict[str, object]
    origins: dict[tuple[str, ...], str] = field(default_factory=dict)

    def name(self, path: Sequence[object]) -> str:
        """Return how to name `path` to whoever wrote it.

        A section that was put together from several places is named by the key that was laid
        into it last: before that one, its keys went together.
        """
        keys = tuple(map(str, path))
        if keys and keys not in self.origins:
            laid = [p for p in self.origins if p[:-1] == keys]
            if laid:
                return self.origins[laid[-1]]
        for length in range(len(keys), -1, -1):
            if keys[:length] in self.origins:
                return dotted(self.origins[keys[:length]], keys[length:])
        return dotted("", keys)

    def under(self, over: object, place: str, path: Sequence[str] = ()) -> Layered:
        """Return these settings with `over` laid at `path`; `place` names where it came from.

        Mappings are merged, anything else is replaced. A heading without anything under it
        changes nothing.
        """
        origins = dict(self.origins)
        values = _put(self.values, over, tuple(path), _Origin((), place, origins))
        return Layered(values if isinstance(values, dict) else {}, origins)


@dataclass(frozen=True, slots=True)
class _Origin:
    path: tuple[str, ...]
    place: str
    origins: dict[tuple[str, ...], str]

    def at(self, key: str) -> _Origin:
        """Return the same place for a key below, not yet naming it."""
        return _Origin((*self.path, key), self.place, self.origins)

    def below(self, key: str) -> _Origin:
        """Return the place of a key below."""
        return _Origin((*self.path, key), dotted(self.place, (key,)), self.origins)


def _put(values: object, over: object, path: tuple[str, ...], origin: _Origin) -> object:
    if not path:
        return _merge(values, over, origin)
    known = values if isinstance(values, dict) else {}
    key, *rest = path
    return known | {key: _put(known.get(key, _MISSING), over, tuple(rest), origin.at(key))}


def _merge(values: object, over: object, origin: _Origin) -> object:
    if isinstance(values, dict) and over is None:
        return values
    if not (isinstance(values, dict) and isinstance(over, dict)):
        origin.origins[origin.path] = origin.place
        return over
    merged = {
        key: _merge(values.get(key, _MISSING), value, origin.below(key))
        for key, value in over.items()
    }
    return values | merged
