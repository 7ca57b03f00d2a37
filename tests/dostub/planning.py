"""What a change would leave behind: defaults, values kept, values chosen later, replacements."""

import hashlib
import re
from collections.abc import Iterator
from typing import Any

from tests.dostub.values import UNKNOWN, has_unknown, zero

Attributes = dict[str, Any]


def plan_block(
    block: Attributes,
    rules: Attributes,
    proposed: Attributes,
    prior: Attributes | None,
    prefix: str = "",
) -> Attributes:
    """Return the planned state of a block of the configuration."""
    planned = dict(proposed)
    for name, attribute in block.get("attributes", {}).items():
        rule, value = rules.get(prefix + name, {}), planned.get(name)
        if value is None and "default" in rule:
            value = rule["default"]
        elif value is None and attribute.get("computed"):
            value = UNKNOWN if prior is None else prior[name]
        planned[name] = _stored(prefix + name, value, rule)
    for name, nested in block.get("block_types", {}).items():
        if isinstance(planned.get(name), list):
            old = list((prior or {}).get(name) or [])
            planned[name] = [
                plan_block(
                    nested["block"], rules, one, _match(one, old, index, nested), f"{prefix}{name}."
                )
                if isinstance(one, dict)
                else one
                for index, one in enumerate(planned[name])
            ]
    return planned


def _stored(path: str, value: Any, rule: Attributes) -> Any:
    """Return a value as the provider keeps it: slugs in lower case, user data as its SHA-1."""
    if not rule.get("state_func") or not isinstance(value, str):
        return value
    if path == "user_data":
        is_hash = re.fullmatch("[0-9a-f]{40}", value)
        return value if is_hash else hashlib.sha1(value.encode()).hexdigest()
    return value.lower()


def _match(one: Attributes, old: list[Any], index: int, nested: Attributes) -> Any:
    """Return what a nested block was before: by its place in a list, else by what it says."""
    if nested["nesting_mode"] == "list":
        return old[index] if index < len(old) else None
    return next(
        (it for it in old if all(v is None or v == it.get(k) for k, v in one.items())), None
    )


def replaced_by(
    block: Attributes, rules: Attributes, planned: Attributes, prior: Attributes
) -> Iterator[str]:
    """Yield the attributes whose change makes a new object."""
    for name in planned:
        if planned[name] == prior.get(name):
            continue
        inner = name in block.get("block_types", {}) and any(
            rule.get("force_new") for path, rule in rules.items() if path.startswith(f"{name}.")
        )
        if rules.get(name, {}).get("force_new") or inner:
            yield name


def resolve(block: Attributes, planned: Attributes, chosen: Attributes) -> Attributes:
    """Return a planned state with all that was open filled in with what was chosen."""
    resolved = {}
    for name, attribute in block.get("attributes", {}).items():
        value = planned.get(name)
        is_open = has_unknown(value)
        resolved[name] = chosen.get(name, zero(attribute["type"])) if is_open else value
    for name, nested in block.get("block_types", {}).items():
        value = planned.get(name)
        resolved[name] = (
            [resolve(nested["block"], one, {}) for one in value]
            if isinstance(value, list)
            else value
        )
    return resolved
