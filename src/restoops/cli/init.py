"""`restoops init`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from restoops.cli.options import DryRunOption, JsonOption
from restoops.errors import NeedsAttention, UsageError

PARTS = ("config", "terraform", "ansible", "docker", "env", "github")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog="Examples: `restoops init`, `restoops init --only config,terraform`, "
        "`restoops init --upgrade`"
    )(init)


def init(
    directory: Annotated[
        Path,
        typer.Argument(metavar="[DIRECTORY]", help="Top of your repository.", show_default=False),
    ] = Path(),
    *,
    only: Annotated[
        str, typer.Option("--only", metavar="PARTS", help=f"Some of {', '.join(PARTS)}.")
    ] = "",
    upgrade: Annotated[
        bool,
        typer.Option("--upgrade", help="Bring what this version has new, and keep your edits."),
    ] = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Put restoops.yaml, terraform/, ansible/, docker/ and .github/ into your repository.

    What is there already is never overwritten; how it differs is shown.
    """
    from restoops.flows.init import Wish, carry_out, prepare
    from restoops.plan.placing import Part
    from restoops.report.init import show, show_seeds

    names = [name.strip() for name in only.split(",") if name.strip()]
    _check(names, only)
    plan = prepare(Wish(directory, frozenset(map(Part, names)), upgrade))
    if not dry_run:
        carry_out(plan)
    show(plan.placings, as_json=as_json, is_dry=dry_run)
    if not as_json:
        show_seeds(plan.seeds, is_dry=dry_run)
    if plan.rejected and not dry_run:
        raise NeedsAttention(
            f"{', '.join(plan.rejected)} could not be merged and stayed as before",
            hint="What is new is in FILE.rej: take over from it what you want, and delete it.",
        )


def _check(names: list[str], only: str) -> None:
    unknown = [name for name in names if name not in PARTS]
    if unknown or (only and not names):
        raise UsageError(
            f"`--only` names no part: {', '.join(map(repr, unknown)) or repr(only)}",
            hint=f"There are: {', '.join(PARTS)}.",
        )
