"""What the state of an environment says, without changing anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from restoops.adapters.prices import read_prices
from restoops.adapters.private import write_private
from restoops.adapters.terraform import backend_in_use
from restoops.adapters.terraform_words import InitOptions
from restoops.errors import Refused, UsageError
from restoops.flows.infra import Desk
from restoops.flows.infra_plan import read_saved, told
from restoops.plan.backend import FILE_NAME, leads_to
from restoops.plan.cost import Estimate, estimate, prices_of
from restoops.plan.infra_resources import Resource, resources_of
from restoops.plan.inventory import inventory_of, known_hosts
from restoops.plan.sensitive import HIDDEN


@dataclass(frozen=True, slots=True)
class Output:
    """An output of the state; a sensitive value is `(sensitive)`."""

    name: str
    value: Any
    sensitive: bool


@dataclass(frozen=True, slots=True)
class CodeFault:
    """What is wrong with Terraform's code, in one line that begins with file and line."""

    severity: str
    text: str


def initialise(desk: Desk, options: InitOptions, *, dry_run: bool) -> str:
    """Set a root module up, and return the command that does it.

    A backend that leads to the same place as before, such as with locking switched on, is taken
    as it is; one that leads elsewhere needs a word from the operator.
    """
    root = desk.root.directory
    backend = root / FILE_NAME
    if backend.is_file():
        before, text = backend_in_use(root), backend.read_text("utf-8")
        is_same = bool(before) and leads_to(text, before)
        options = replace(options, reconfigure=options.reconfigure or is_same)
    argv = options.argv(backend if backend.is_file() else None)
    if not dry_run:
        desk.terraform.stream(argv)
    return f"terraform -chdir={desk.root.shown} {' '.join(argv)}"


def faults_of(desk: Desk) -> tuple[CodeFault, ...]:
    """Return what is wrong with the code, errors and warnings."""
    found = desk.terraform.validate()
    return tuple(CodeFault(it["severity"], told(desk, it)) for it in found)


def outputs_of(desk: Desk, name: str | None) -> tuple[Output, ...]:
    """Return the outputs of the state, or the one of that name.

    Raises:
        UsageError: there is none of that name.
    """
    found = desk.terraform.outputs()
    if name is not None and name not in found:
        raise UsageError(
            f"{desk.environment} has no output `{name}`",
            hint=f"There are: {', '.join(sorted(found)) or 'none; was it applied?'}.",
        )
    return tuple(
        Output(key, HIDDEN if it["sensitive"] else it["value"], bool(it["sensitive"]))
        for key, it in sorted(found.items())
        if name in (None, key)
    )


def resources_now(desk: Desk, saved: Path | None) -> tuple[Resource, ...]:
    """Return the resources of the state, or those that a saved plan would leave."""
    if saved:
        return resources_of(read_saved(desk, saved).content.get("planned_values"))
    return resources_of(desk.show().get("values"))


def cost_of(desk: Desk, saved: Path | None) -> Estimate:
    """Return what the environment costs a month, now or after a saved plan."""
    return estimate(resources_now(desk, saved), prices_of(read_prices()))


@dataclass(frozen=True, slots=True)
class Inventory:
    """What Ansible and ssh read: the inventory, lines of known_hosts, hosts without a known key."""

    inventory: Mapping[str, Any]
    known_hosts: tuple[str, ...]
    unknown: tuple[str, ...]


def read_inventory(desk: Desk) -> Inventory:
    """Return the inventory that the outputs give.

    Raises:
        Refused: there is no such output.
    """
    outputs = desk.terraform.outputs()
    found = inventory_of(outputs)
    if found is None:
        raise Refused(
            f"{desk.environment} has no output `inventory`",
            hint=f"Was it applied? `restoops infra output {desk.environment}` shows what there is.",
        )
    lines, unknown = known_hosts(outputs)
    return Inventory(found, lines, unknown)


def write_inventory(text: str, found: Inventory, directory: Path) -> tuple[Path, ...]:
    """Write `hosts.yml` and `known_hosts`, each whole."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(f"{directory} cannot be made: {error.strerror}") from error
    files = {"hosts.yml": text, "known_hosts": "".join(f"{it}\n" for it in found.known_hosts)}
    for name, content in files.items():
        write_private(directory / name, content)
    return tuple(directory / name for name in files)
