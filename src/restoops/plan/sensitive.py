"""What Terraform marks as sensitive, and text without it.

Terraform's JSON shows sensitive values in clear text beside marks that have their shape: `true`
where a value is sensitive as a whole, a mapping or a list where only a part of it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping

HIDDEN = "(sensitive)"
_SHORTEST = 8
_SHORTEST_WORD = 16
"""What is shorter is not masked in lines of text: to mask `test`, or a name such as `marketplace`
that also stands in a hundred other names, would ruin them. Where it is marked, it is hidden."""


def hide(value: object, marks: object) -> object:
    """Return `value` with `(sensitive)` in the place of all that `marks` says is sensitive."""
    if marks is True:
        return HIDDEN
    if not is_marked(marks):
        return value
    if isinstance(value, dict) and isinstance(marks, dict):
        return {key: hide(item, marks.get(key)) for key, item in value.items()}
    if isinstance(value, list) and isinstance(marks, list) and len(value) == len(marks):
        return [hide(item, mark) for item, mark in zip(value, marks, strict=True)]
    return HIDDEN  # marks of another shape: what they mean cannot be told


def is_marked(marks: object) -> bool:
    """Return whether anything is sensitive."""
    if isinstance(marks, dict):
        return any(map(is_marked, marks.values()))
    if isinstance(marks, list):
        return any(map(is_marked, marks))
    return marks is True


def sensitive_texts(value: object, marks: object) -> Iterator[str]:
    """Yield each text in `value` that `marks` says is sensitive."""
    if marks is True or (is_marked(marks) and not _same_shape(value, marks)):
        yield from _texts(value)
    elif isinstance(value, dict) and isinstance(marks, dict):
        for key, item in value.items():
            yield from sensitive_texts(item, marks.get(key))
    elif isinstance(value, list) and isinstance(marks, list):
        for item, mark in zip(value, marks, strict=False):
            yield from sensitive_texts(item, mark)


def _same_shape(value: object, marks: object) -> bool:
    if isinstance(value, list) and isinstance(marks, list):
        return len(value) == len(marks)
    return isinstance(value, dict) and isinstance(marks, dict)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str):
        yield value


def secrets_of_plan(plan: Mapping[str, object]) -> Iterator[str]:
    """Yield the sensitive texts of a plan or a state, as `terraform show -json` prints it."""
    for change in _list(plan, "resource_changes", "resource_drift"):
        yield from _of_change(_mapping(change.get("change")))
    for output in _mapping(plan.get("output_changes")).values():
        yield from _of_change(_mapping(output))
    yield from _of_variables(plan)
    for state in (plan.get("prior_state"), plan.get("planned_values"), plan):
        found = _mapping(_mapping(state).get("values")) or _mapping(state)
        yield from _of_values(found)


def _of_change(change: Mapping[str, object]) -> Iterator[str]:
    for side in ("before", "after"):
        yield from sensitive_texts(change.get(side), change.get(f"{side}_sensitive"))


def _of_variables(plan: Mapping[str, object]) -> Iterator[str]:
    module = _mapping(_mapping(plan.get("configuration")).get("root_module"))
    declared = _mapping(module.get("variables"))
    for name, variable in _mapping(plan.get("variables")).items():
        if _mapping(declared.get(name)).get("sensitive"):
            yield from _texts(_mapping(variable).get("value"))


def _of_values(values: Mapping[str, object]) -> Iterator[str]:
    for output in _mapping(values.get("outputs")).values():
        if _mapping(output).get("sensitive"):
            yield from _texts(_mapping(output).get("value"))
    yield from _of_module(_mapping(values.get("root_module")))


def _of_module(module: Mapping[str, object]) -> Iterator[str]:
    for resource in _list(module, "resources"):
        yield from sensitive_texts(resource.get("values"), resource.get("sensitive_values"))
    for child in _list(module, "child_modules"):
        yield from _of_module(child)


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _list(value: Mapping[str, object], *keys: str) -> Iterator[Mapping[str, object]]:
    for key in keys:
        found = value.get(key)
        yield from map(_mapping, found if isinstance(found, list) else [])


def _is_telling(text: str, *, is_word_telling: bool) -> bool:
    is_word = not is_word_telling and bool(re.fullmatch(r"[a-z_-]*", text))
    return len(text) >= (_SHORTEST_WORD if is_word else _SHORTEST)


class Mask:
    """Takes secrets out of text; it may learn of more as they become known."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._parts: set[str] = set()
        self._ordered: list[str] = []
        self.learn(secrets)

    def learn(self, secrets: Iterable[str]) -> None:
        """Mask these from now on: each line of them, as it is and as JSON and HCL write it."""
        for secret in secrets:
            for line in secret.splitlines():
                forms = {line.strip(), json.dumps(line.strip())[1:-1]}
                is_key = "\n" in secret.strip()  # or a certificate: each of its lines tells
                self._parts |= {it for it in forms if _is_telling(it, is_word_telling=is_key)}
        # The longest first: one may be part of another.
        self._ordered = sorted(self._parts, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """Return `text` with `***` in the place of each secret."""
        for part in self._ordered:
            if part in text:
                text = text.replace(part, "***")
        return text
