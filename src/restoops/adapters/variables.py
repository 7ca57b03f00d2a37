"""The values of sensitive variables, so that they can be masked in whatever terraform prints.

Terraform hides them itself, but not in what a provider says when it refuses them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


def sensitive_values(root: Path, environ: Mapping[str, str]) -> Iterator[str]:
    """Yield the texts that the variables marked as sensitive in `root` are set to."""
    names = _sensitive_names(root)
    for name in names & {it.removeprefix("TF_VAR_") for it in environ}:
        yield from _texts(_value(environ.get(f"TF_VAR_{name}", "")))
    for path in sorted({*root.glob("terraform.tfvars*"), *root.glob("*.auto.tfvars*")}):
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            continue  # terraform will say so
        if path.name.endswith((".tfvars", ".tfvars.json")) and any(it in text for it in names):
            found = _assignments(path, text)
            for name in names:
                yield from _texts(found.get(name))


def _sensitive_names(root: Path) -> set[str]:
    names = set()
    for path in root.glob("*.tf"):
        text = path.read_text("utf-8", errors="replace")
        for block in re.split(r"^(?=\w)", text, flags=re.MULTILINE):
            head = re.match(r'variable\s+"([^"]+)"', block)
            if head and re.search(r"^\s*sensitive\s*=\s*true", block, re.MULTILINE):
                names.add(head[1])
    return names


def _assignments(path: Path, text: str) -> dict[str, Any]:
    try:
        found = json.loads(text) if path.suffix == ".json" else _hcl(text)
    except ValueError:
        # It cannot be read, so nobody knows what is secret in it: all that is quoted.
        return dict.fromkeys(
            _sensitive_names(path.parent), re.findall(r'"((?:[^"\\]|\\.)*)"', text)
        )
    return found if isinstance(found, dict) else {}


def _hcl(text: str) -> dict[str, Any]:
    import hcl2  # its grammar takes over a second to load: only where it is needed
    from lark.exceptions import LarkError

    try:
        found: dict[str, Any] = hcl2.loads(text)
    except LarkError as error:
        raise ValueError("no HCL") from error
    return found


def _value(text: str) -> object:
    """Return what a TF_VAR_ variable is set to; terraform reads it as HCL unless it is a text."""
    try:
        return json.loads(text)
    except ValueError:
        return [text, *re.findall(r'"((?:[^"\\]|\\.)*)"', text)]


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str):
        yield _unquoted(value)


def _unquoted(text: str) -> str:
    """Return a text that hcl2 has left in its quotes without them."""
    if len(text) > 1 and text[0] == text[-1] == '"':
        try:
            return str(json.loads(text))
        except ValueError:
            return text[1:-1]
    return text
