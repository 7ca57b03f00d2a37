"""What a schema's overlay refuses in a configuration: enumerations, ranges, forms, conflicts."""

import ipaddress
import re
from collections.abc import Callable, Iterator
from typing import Any

from tests.dostub.values import has_unknown

Attributes = dict[str, Any]
Fault = tuple[str, str]
"""What is wrong, and the path of the attribute."""


def check_value(path: str, value: Any, rule: Attributes) -> Iterator[str]:
    """Yield what is wrong with one value."""
    if value is None or has_unknown(value):
        return
    if "one_of" in rule and not _is_one_of(value, rule):
        yield f"expected {path} to be one of {rule['one_of']}, got {value}"
    if isinstance(value, int | float) and not isinstance(value, bool):
        if not rule.get("min", value) <= value <= rule.get("max", value):
            limits = f"({rule.get('min')} - {rule.get('max')})"
            yield f"expected {path} to be in the range {limits}, got {value}"
    elif isinstance(value, str):
        yield from _check_text(path, value, rule)
    elif isinstance(value, list) and "elem" in rule:
        for element in value:
            yield from check_value(path, element, rule["elem"])


def _is_one_of(value: Any, rule: Attributes) -> bool:
    options = [type(value)(option) for option in rule["one_of"]]
    if rule.get("ci") and isinstance(value, str):
        return value.lower() in [str(option).lower() for option in options]
    return value in options


def _check_text(path: str, value: str, rule: Attributes) -> Iterator[str]:
    if not rule.get("min_len", 0) <= len(value) <= rule.get("max_len", len(value)):
        yield f"{path}: bad length {len(value)}" if value else f"{path} must not be empty"
    if "re" in rule and not re.fullmatch(rule["re"], value):
        yield f"{path}: {value!r} does not match {rule['re']}"
    forms: dict[str, Callable[[str], object]] = {"cidr": _cidr, "ipv4": ipaddress.IPv4Address}
    for name, parse in forms.items():
        if rule.get(name) and not _is_accepted(parse, value):
            yield f"expected {path} to be a valid {name}, got {value}"


def _cidr(value: str) -> object:
    value.index("/")
    return ipaddress.ip_network(value, strict=False)


def _is_accepted(parse: Callable[[str], object], value: str) -> bool:
    try:
        parse(value)
    except ValueError:
        return False
    return True


def check_block(
    block: Attributes, rules: Attributes, conf: Attributes, prefix: str = ""
) -> Iterator[Fault]:
    """Yield what is wrong with a block of a configuration and the blocks within it."""
    for name in block.get("attributes", {}):
        path = prefix + name
        for fault in check_value(path, conf.get(name), rules.get(path, {})):
            yield fault, path
    if not prefix:
        yield from _check_together(rules, conf)
    for name, nested in block.get("block_types", {}).items():
        inner = conf.get(name)
        for one in inner if isinstance(inner, list) else []:
            if isinstance(one, dict):
                yield from check_block(nested["block"], rules, one, f"{prefix}{name}.")


def _check_together(rules: Attributes, conf: Attributes) -> Iterator[Fault]:
    def is_set(path: str) -> bool:
        return conf.get(path.split(".")[0]) not in (None, [])

    for path, rule in rules.items():
        if "." in path:
            continue
        if is_set(path):
            for other in filter(is_set, rule.get("conflicts_with", [])):
                yield f'"{path}": conflicts with {other}', path
            for other in rule.get("required_with", []):
                if not is_set(other):
                    yield f'"{path}": all of `{other}` must be specified', path
        one = rule.get("exactly_one_of")
        if one and path == min(one) and sum(map(is_set, one)) != 1:
            yield f"exactly one of {one} must be specified", path


def deprecated_in(block: Attributes, conf: Attributes, prefix: str = "") -> Iterator[str]:
    """Yield the paths of what a configuration sets although it is deprecated."""
    for name, attribute in block.get("attributes", {}).items():
        if attribute.get("deprecated") and conf.get(name) is not None:
            yield prefix + name
    for name, nested in block.get("block_types", {}).items():
        inner = conf.get(name)
        for one in inner if isinstance(inner, list) else []:
            if isinstance(one, dict):
                yield from deprecated_in(nested["block"], one, f"{prefix}{name}.")
