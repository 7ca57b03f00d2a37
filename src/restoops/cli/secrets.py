"""`restoops secrets`: find those that leaked, check those of an environment. Loaded late."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from restoops.cli import secrets_push, secrets_rotate
from restoops.cli.options import EnvironmentArgument, JsonOption
from restoops.errors import CheckRefused, Refused, UsageError

if TYPE_CHECKING:
    from restoops.flows.secrets_scan import Wish
    from restoops.plan.leaks import Scan

app = typer.Typer(rich_markup_mode=None)
secrets_push.register(app)
secrets_rotate.register(app)

PathArgument = Annotated[
    Path | None,
    typer.Argument(
        metavar="[PATH]",
        help="File or directory to scan; left out: the current directory.",
        show_default=False,
    ),
]
BaselineOption = Annotated[
    Path | None,
    typer.Option(
        "--baseline",
        metavar="FILE",
        help="Findings to pass over; else .gitleaks-baseline.json, where there is one.",
    ),
]
NewBaselineOption = Annotated[
    Path | None,
    typer.Option(
        "--write-baseline", metavar="FILE", help="Write all that is found there, as known."
    ),
]
SarifOption = Annotated[
    Path | None, typer.Option("--sarif", metavar="FILE", help="Write SARIF there as well.")
]


@app.command(
    epilog="Examples: `restoops secrets scan`, `restoops secrets scan --staged`, "
    "`restoops secrets scan --history --sarif leaks.sarif`"
)
def scan(
    path: PathArgument = None,
    *,
    staged: Annotated[
        bool, typer.Option("--staged", help="Scan what the next commit would add.")
    ] = False,
    history: Annotated[
        bool, typer.Option("--history", help="Scan all commits of all branches.")
    ] = False,
    baseline: BaselineOption = None,
    new_baseline: NewBaselineOption = None,
    sarif: SarifOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find secrets with gitleaks or betterleaks; their values are not shown.

    Ends with status 6 when there are any, and with 5 when the scanner is missing or failed.
    """
    from restoops.flows.secrets_scan import scan as find
    from restoops.report.secrets import show_scan
    from restoops.report.wording import counted

    wish = _wish(path, baseline, new_baseline, staged=staged, history=history)
    found = find(wish, os.environ)
    show_scan(found, as_json=as_json)
    if sarif:
        _write_sarif(sarif, found)
    if found.leaks:
        raise CheckRefused(
            f"{counted(len(found.leaks), 'secret')} found",
            hint="Revoke each where it was issued before all else; docs/secrets.md goes on from "
            "there, also for what is none.",
            details="\n".join(found.missed),
        )


def _write_sarif(path: Path, found: Scan) -> None:
    """Write SARIF; where that fails, what was found counts more."""
    from restoops.adapters.private import write_private
    from restoops.report.lines import say
    from restoops.report.sarif import sarif_of

    try:
        write_private(path, json.dumps(sarif_of(found), indent=1) + "\n")
    except Refused as error:
        if not found.leaks:
            raise
        say(f"sarif: {error.message}")


def _wish(
    path: Path | None,
    baseline: Path | None,
    new_baseline: Path | None,
    *,
    staged: bool,
    history: bool,
) -> Wish:
    from restoops.flows.secrets_scan import Scope, Wish

    if staged + history + (path is not None) > 1:
        raise UsageError("`--staged`, `--history` and PATH do not go together", hint="Choose one.")
    if baseline and new_baseline:
        raise UsageError(
            "`--baseline` and `--write-baseline` do not go together", hint="Choose one."
        )
    scope = Scope.STAGED if staged else Scope.HISTORY if history else Scope.FILES
    return Wish(scope, path or Path(), baseline, new_baseline)


@app.command(
    epilog="Examples: `restoops secrets check staging`, `restoops secrets check staging --json`"
)
def check(environment: EnvironmentArgument, *, as_json: JsonOption = False) -> None:
    """Compare the secrets of ENVIRONMENT with their template; names are shown, values are not.

    Ends with status 6 when one is missing, extra, empty, a placeholder or of the wrong shape.
    """
    from restoops.flows.secrets_check import check as compare
    from restoops.report.secrets import show_check
    from restoops.report.wording import counted

    found = compare(environment, start=Path.cwd(), environ=os.environ)
    show_check(found, as_json=as_json)
    if found.findings:
        raise CheckRefused(
            f"{environment}: {counted(len(found.findings), 'variable')} to put right",
            hint=f"{found.template} says what is wanted.",
        )
