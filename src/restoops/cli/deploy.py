"""`restoops deploy`."""

from __future__ import annotations

from typing import Annotated

import typer

from restoops.cli.completion import complete_tag
from restoops.cli.context import (
    batch_argument,
    load_environment,
    resolving,
    tag_argument,
)
from restoops.cli.options import (
    BatchOption,
    DryRunOption,
    EnvironmentArgument,
    HostOption,
    JsonOption,
    PauseOption,
    TimeoutOption,
    ViaOption,
    WaitOption,
    YesOption,
)
from restoops.cli.questions import confirm
from restoops.cli.swapping import RunOptions, swapping


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
) -> None:
    """Make TAG live on all hosts of ENVIRONMENT without dropping a request."""
    wanted = tag_argument(tag)
    loaded = load_environment(environment, checks_secrets=True)
    confirm(f"Deploy {wanted} to {environment}?", yes=yes or dry_run or not loaded.confirm)
    hosts = tuple(host or ())
    options = RunOptions(
        environment, dry_run, yes, as_json, wait, timeout, hosts, batch_argument(batch), pause
    )
    if via:
        from restoops.cli.via import deploy_via_ansible

        deploy_via_ansible(options, loaded, wanted)
        return
    with swapping(options, "deploy", loaded) as swap:
        from restoops.flows.swap import deploy as make_live

        make_live(swap, resolving(loaded, wanted))
