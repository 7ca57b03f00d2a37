"""The workflows and actions of this repository, read as GitHub reads them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).parents[2]
GITHUB = PROJECT / ".github"
WORKFLOWS = tuple(sorted((GITHUB / "workflows").glob("*.yml")))
ACTIONS = tuple(sorted((GITHUB / "actions").glob("*/action.yml")))
CALLERS = tuple(sorted((PROJECT / "templates" / "github" / "workflows").glob("*.yml")))
"""Workflows that a repository which is deployed takes over."""
OWN = "$/"
"""With what a `uses:` begins that means the repository and commit that the file itself is of."""


class _Loader(yaml.SafeLoader):
    """YAML 1.2, as GitHub reads it: `on` is a word, and only true and false are booleans."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:bool"]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|false)$"), list("tf"))


def read(path: Path) -> dict[str, Any]:
    """Return a workflow or an action."""
    found: dict[str, Any] = yaml.load(path.read_text(), _Loader)
    return found


def workflow(name: str) -> dict[str, Any]:
    """Return a workflow of this repository."""
    return read(GITHUB / "workflows" / f"{name}.yml")


def caller(name: str) -> dict[str, Any]:
    """Return a workflow that calls one of this repository."""
    return next(read(path) for path in CALLERS if path.stem == name)


@dataclass(frozen=True, slots=True)
class Step:
    """A step, and where it stands."""

    place: str
    of: dict[str, Any]


def steps() -> Iterator[Step]:
    """Yield every step of workflows and actions."""
    for path in WORKFLOWS:
        for name, job in read(path)["jobs"].items():
            for number, step in enumerate(job.get("steps", ()), 1):
                yield Step(f"{path.name}: {name}: {number}", step)
    for path in ACTIONS:
        for number, step in enumerate(read(path)["runs"]["steps"], 1):
            yield Step(f"{path.parent.name}: {number}", step)


def jobs() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every job of every workflow, with where it stands."""
    for path in (*WORKFLOWS, *CALLERS):
        for name, job in read(path)["jobs"].items():
            yield f"{path.relative_to(PROJECT)}: {name}", job
