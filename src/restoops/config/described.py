"""What the schema says of its own keys, for the reference and for `restoops init`."""

from __future__ import annotations

import ast
import inspect
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from restoops.config.section import Section


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a section.

    Attributes:
        name: as in the file.
        kind: what its value may be, in words.
        default: as one would write it in the file; empty when the key is required or may
            be left out.
        meaning: the text under the field, on one line.
    """

    name: str
    kind: str
    default: str
    meaning: str


def keys(model: type[Section]) -> tuple[Key, ...]:
    """Return the keys of `model` in the order of the schema."""
    properties: dict[str, Any] = model.model_json_schema()["properties"]
    meanings = _meanings(model)
    return tuple(
        Key(name, _kind(about), _text(model.default(name)), meanings[name])
        for name, about in properties.items()
    )


def summary(model: type[Section]) -> str:
    """Return the docstring of `model` with one paragraph on one line each."""
    paragraphs = inspect.cleandoc(model.__doc__ or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _meanings(model: type[Section]) -> dict[str, str]:
    # pydantic could collect these itself, but takes 40 ms for it at every start
    return dict(_documented(model))


def _documented(model: type[Section]) -> Iterator[tuple[str, str]]:
    for node in ast.parse(inspect.getsource(sys.modules[model.__module__])).body:
        if isinstance(node, ast.ClassDef) and node.name == model.__name__:
            for field, text in pairwise(node.body):
                match field, text:
                    case (
                        ast.AnnAssign(target=ast.Name(id=name)),
                        ast.Expr(value=ast.Constant(value=str(meaning))),
                    ):
                        yield name, " ".join(meaning.split())


def _text(default: object) -> str:
    if default is None:
        return ""
    return default if isinstance(default, str) else json.dumps(default)


def _kind(about: dict[str, Any]) -> str:
    match about:
        case {"anyOf": [inner, {"type": "null"}]}:
            return _kind(inner)
        case {"enum": values}:
            return " or ".join(f"`{value}`" for value in values)
        case {"form": form}:
            return str(form)
        case {"type": "array", "items": items}:
            return f"list; each {_kind(items)}"
        case {"type": "object", "additionalProperties": value, "propertyNames": name}:
            return f"mapping; key: {_kind(name)}; value: {_kind(value)}"
        case {"type": "boolean"}:
            return "`true` or `false`"
        case {"type": "integer" | "number"}:
            return _number(about)
        case _:
            return "mapping"


def _number(about: dict[str, Any]) -> str:
    kind = "whole number" if about["type"] == "integer" else "number"
    low = about.get("minimum", about.get("exclusiveMinimum"))
    bounds = "above {}, up to {}" if "exclusiveMinimum" in about else "{} to {}"
    return f"{kind}, {bounds.format(low, about['maximum'])}"
