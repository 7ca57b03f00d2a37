"""Make a plan, save it, and find out whether a saved one is still what was reviewed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from restoops.adapters.git import Commit, commit_of
from restoops.adapters.planfile import read_origin, save_plan, state_position
from restoops.adapters.private import make_private_directory, private_directory
from restoops.adapters.terraform_words import PlanOptions
from restoops.errors import CommandFailed, Refused, UsageError
from restoops.flows.infra import Desk
from restoops.plan.infra_changes import differing
from restoops.plan.infra_progress import few
from restoops.plan.infra_summary import Summary
from restoops.plan.review import Origin, objections


@dataclass(frozen=True, slots=True)
class Made:
    """A plan in a file, and what it says; `content` holds secrets in clear text."""

    file: Path
    content: Mapping[str, Any]


def make(desk: Desk, options: PlanOptions, folder: Path) -> Made:
    """Plan, and leave the plan in `folder`, which nobody else may enter.

    Raises:
        UsageError: the code is faulty; names file and line of each fault.
        RestoopsError: terraform could not make a plan.
    """
    file = folder / "plan"
    try:
        desk.terraform.stream(options.argv(file), good=(0, 2))
    except (CommandFailed, UsageError):
        raise_if_faulty(desk)  # names all faults, where terraform names the first
        raise
    file.chmod(0o600)
    return Made(file, desk.show(file))


def raise_if_faulty(desk: Desk) -> None:
    """Raise `UsageError` with each fault of the code, if there are any."""
    faults = [it for it in desk.terraform.validate() if it["severity"] == "error"]
    if faults:
        raise UsageError(
            "\n".join(
                ["Terraform's code is not valid:", *(f"  {told(desk, it)}" for it in faults)]
            ),
            hint=f"`restoops infra validate {desk.environment}` looks again.",
        )


def told(desk: Desk, diagnostic: Mapping[str, Any]) -> str:
    """Return a fault of the code in one line, with file and line as an editor opens them."""
    place = diagnostic.get("range") or {}
    where = ""
    if place.get("filename"):
        file = os.path.normpath(f"{desk.root.shown}/{place['filename']}")
        where = f"{file}:{place['start']['line']}: "
    detail = " ".join(str(diagnostic.get("detail") or "").split())
    return desk.mask(f"{where}{diagnostic['summary']}{': ' if detail else ''}{detail}")


def plan(desk: Desk, options: PlanOptions, out: Path | None) -> Summary:
    """Plan, save the plan to `out` if that is given, and return what it would do."""
    before = _commit(desk)
    if out and out.is_dir():
        raise UsageError(f"{out} is a directory", hint="`--out` names the file of the plan in it.")
    if out:
        make_private_directory(out.parent)
    with private_directory() as folder:
        made = make(desk, options, folder)
        if out:
            origin = {
                "environment": desk.environment,
                "commit": before.sha,
                "is_clean": before.is_clean and before == _commit(desk),
                "at": datetime.now(UTC).isoformat(timespec="seconds"),
            }
            save_plan(made.file, out, origin)
        return desk.summarise(made.content)


def read_saved(desk: Desk, file: Path) -> Made:
    """Return a saved plan of this environment, whatever has become of what it was made from.

    Raises:
        UsageError: it is no plan, or one of another environment.
    """
    environment = read_origin(file).get("environment")
    if environment != desk.environment:
        raise UsageError(
            f"{file} is a plan for {environment}, not for {desk.environment}",
            hint="Nothing was done.",
        )
    return Made(file.absolute(), desk.show(file.absolute()))


def as_reviewed(desk: Desk, file: Path, options: PlanOptions, folder: Path) -> Made:
    """Return the plan to apply in the place of the one that was reviewed: that, or its equal.

    When anything has changed since, it is planned again, and the new plan is returned only if it
    does exactly the same.

    Raises:
        Refused: a new plan would do something else.
    """
    saved = read_saved(desk, file)
    reasons = objections(_origin_of(saved), _origin_now(desk))
    if not reasons:
        return saved
    desk.say(f"{file} is not applied as it is: {'; '.join(reasons)}")
    desk.say("planning again; it is applied only if nothing differs")
    made = make(desk, options, folder)
    if found := differing(saved.content, made.content):
        raise Refused(
            f"{file} is not what would be done now; nothing was done. It differs in: {few(found)}",
            hint=f"Review it again: `restoops infra plan {desk.environment} --out {file}`.",
        )
    desk.say("the new plan does the same")
    return made


def _origin_of(saved: Made) -> Origin:
    origin = read_origin(saved.file)
    lineage, serial = state_position(saved.file)
    at = datetime.fromisoformat(origin["at"])
    return Origin(str(origin["commit"]), bool(origin["is_clean"]), lineage, serial, at)


def _origin_now(desk: Desk) -> Origin:
    commit = _commit(desk)
    lineage, serial = desk.terraform.state_position()
    return Origin(commit.sha, commit.is_clean, lineage, serial, datetime.now(UTC))


def _commit(desk: Desk) -> Commit:
    """Return the commit of the code: the root module, and the modules beside it."""
    directory = desk.root.directory
    base = directory.parents[1] if directory.parent.name == "environments" else directory
    return commit_of(directory, base)
