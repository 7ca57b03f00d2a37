"""What a role says of itself, and how that reads as a table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

ROLES = Path(__file__).parent.parent.parent / "ansible" / "roles"
ORDER = (
    "base", "docker", "firewall", "fail2ban", "updates", "monitoring", "proxy", "ssh_hardening",
)  # fmt: skip


def read(role: str, part: str) -> Any:
    """Return one of the YAML files of a role: `defaults/main`, `meta/argument_specs`."""
    return yaml.safe_load((ROLES / role / f"{part}.yml").read_text())


def options(role: str) -> dict[str, dict[str, Any]]:
    """Return the variables that a role takes."""
    found: dict[str, dict[str, Any]] = read(role, "meta/argument_specs")["argument_specs"]["main"][
        "options"
    ]
    return found


def purpose(role: str) -> str:
    """Return what a role is for."""
    return str(read(role, "meta/argument_specs")["argument_specs"]["main"]["short_description"])


def variables_table(role: str) -> str:
    """Return purpose and variables of a role as Markdown."""
    lines = [
        purpose(role),
        "",
        "| variable | type | default | meaning |",
        "| --- | --- | --- | --- |",
    ]
    for name, option in options(role).items():
        default = json.dumps(option["default"]).strip('"')
        kind = (
            f"{option['type']} of {option['elements']}" if "elements" in option else option["type"]
        )
        if "choices" in option:
            kind = " or ".join(f"`{choice}`" for choice in option["choices"])
        lines.append(
            f"| `{name}` | {kind} | `{default}` | {' '.join(option['description'].split())} |"
        )
    return "\n".join(lines) + "\n"
