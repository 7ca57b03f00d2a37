"""`restoops deploy`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from restoops.cli.arguments import batch_argument, tag_argument
from restoops.cli.completion import complete_tag
from restoops.cli.context import load_environment
from restoops.cli.options import (
    BatchOption,
    DryRunOption,
    EnvironmentArgument,
    HostOption,
    JsonOption,
    PauseOption,
    ReportOption,
    TimeoutOption,
    ViaOption,
    WaitOption,
    YesOption,
)
from restoops.cli.questions import confirm
from restoops.cli.recording import recording
from restoops.cli.registry import resolving
from restoops.cli.swapping import RunOptions, swapping
from restoops.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from restoops.config.load import Loaded


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog="Examples: `restoops deploy sha-abc1234 staging`, "
        "`restoops deploy abc1234 production --dry-run`"
    )(deploy)


def deploy(
    tag: Annotated[
        str,
        typer.Argument(
            metavar="TAG",
            help="Image tag, or a Git SHA: abc1234 means sha-abc1234.",
            autocompletion=complete_tag,
        ),
    ],
    environment: EnvironmentArgument,
    *,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
    timeout: TimeoutOption = None,
    wait: WaitOption = 0,
    host: HostOption = None,
    batch: BatchOption = "100%",
    pause: PauseOption = 0,
    via: ViaOption = None,
    report: ReportOption = None,
) -> None:
    """Make TAG live on all hosts of ENVIRONMENT without dropping a request."""
    wanted = tag_argument(tag)
    options = RunOptions(
        environment, dry_run, yes, as_json, wait, timeout, tuple(host or ()),
        batch_argument(batch), pause,
    )  # fmt: skip
    if via:
        _deploy_via(options, wanted, report)
        return
    with recording("deploy", options, report) as record:
        loaded = _loaded(options, wanted)
        with swapping(options, "deploy", loaded, recording=record) as swap:
            from restoops.flows.swap import deploy as make_live

            make_live(swap, resolving(loaded, wanted))


def _loaded(options: RunOptions, tag: str) -> Loaded:
    """Load the environment, and ask whether to deploy there if that is wanted."""
    name = options.environment
    loaded = load_environment(name, checks_secrets=True)
    is_agreed = options.yes or options.dry_run or not loaded.confirm
    confirm(f"Deploy {tag} to {name}?", yes=is_agreed)
    return loaded


def _deploy_via(options: RunOptions, tag: str, report: Path | None) -> None:
    if report:
        raise UsageError(
            "`--report` does not go with `--via`: the playbook does not tell enough",
            hint=f"`restoops report last {options.environment}` makes a page of it afterwards.",
        )
    from restoops.cli.via import deploy_via_ansible

    deploy_via_ansible(options, _loaded(options, tag), tag)
