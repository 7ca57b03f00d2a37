"""Behind the commands of `restoops infra` that change nothing."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from restoops.cli.infra_context import desk
from restoops.errors import Refused, UsageError

if TYPE_CHECKING:
    from restoops.plan.infra_changes import Change
    from restoops.plan.infra_summary import Summary


def summary_of(environment: str, *, out: Path | None, saved: Path | None, wait_s: int) -> Summary:
    """Plan, or read a plan that was saved."""
    if out and saved:
        raise UsageError("`--out` and `--saved` do not go together", hint="Choose one.")
    with desk(environment, needs_token=not saved, checks_version=not saved) as opened:
        from restoops.adapters.terraform_words import PlanOptions
        from restoops.flows.infra_plan import plan, read_saved

        if saved:
            return opened.summarise(read_saved(opened, saved).content)
        return plan(opened, PlanOptions(wait_s), out)


def show_drift(environment: str, *, wait_s: int, as_json: bool) -> tuple[Change, ...]:
    """Look for what was changed outside of Terraform, and print it."""
    from restoops.adapters.terraform_words import PlanOptions
    from restoops.flows.infra_plan import plan
    from restoops.report.infra import show_changes
    from restoops.report.jsonl import plain, write
    from restoops.report.lines import print_lines

    with desk(environment, needs_token=True) as opened:
        found = plan(opened, PlanOptions(wait_s, "refresh"), None).drift
    if as_json:
        write({"environment": environment, "drift": plain(found)})
    elif found:
        show_changes(found)
    else:
        print_lines([f"{environment}: nothing was changed outside of Terraform"])
    return found


def show_faults(environments: Sequence[str], *, as_json: bool) -> None:
    """Check the code of environments, and raise when there is a fault in any."""
    from restoops.flows.infra_read import faults_of
    from restoops.report.jsonl import plain, write
    from restoops.report.lines import print_lines

    faulty = []
    for environment in environments:
        with desk(environment) as opened:
            faults = faults_of(opened)
        errors = [it for it in faults if it.severity == "error"]
        if as_json:
            write({"environment": environment, "is_valid": not errors, "faults": plain(faults)})
        else:
            print_lines([f"{it.severity}: {it.text}" for it in faults])
            print_lines([f"{environment}: {'not valid' if errors else 'valid'}"])
        faulty += [environment] if errors else []
    if not environments:
        raise UsageError(
            "there is no Terraform code here or above",
            hint="It is looked for in terraform/environments/ENVIRONMENT/. `restoops init --only "
            "terraform` brings it.",
        )
    if faulty:
        raise UsageError(
            f"Terraform's code is not valid: {', '.join(faulty)}",
            hint="What is wrong, and where, stands above.",
        )


def show_inventory(environment: str, directory: Path | None, *, hosts_only: bool) -> None:
    """Print the inventory or the lines of known_hosts, or write both."""
    import yaml

    from restoops.flows.infra_read import read_inventory, write_inventory
    from restoops.report.lines import print_lines, say

    with desk(environment) as opened:
        found = read_inventory(opened)
    text = yaml.safe_dump(found.inventory, sort_keys=True, allow_unicode=True)
    if found.unknown:
        say(f"no host key is known for: {', '.join(found.unknown)}; `restoops infra host-keys`")
    if directory:
        files = write_inventory(text, found, directory)
        print_lines([f"wrote {', '.join(map(str, files))}"])
    elif hosts_only:
        print_lines(found.known_hosts)
    else:
        sys.stdout.write(text)


def draw(environment: str, out: Path | None, saved: Path | None) -> None:
    """Draw an environment, to a file or to standard output."""
    from restoops.adapters.private import write_private
    from restoops.flows.infra_read import resources_now
    from restoops.plan.graph import diagram_of
    from restoops.report.lines import print_lines
    from restoops.report.svg import render

    with desk(environment) as opened:
        resources = resources_now(opened, saved)
    if not resources:
        raise Refused(
            f"there is nothing of {environment} to draw",
            hint="Was it applied? `--saved PLAN` draws what a plan would make.",
        )
    picture = render(diagram_of(environment, resources))
    if out is None:
        sys.stdout.write(picture)
        return
    write_private(out, picture)
    print_lines([f"wrote {out}"])
