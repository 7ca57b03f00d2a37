"""`restoops infra`: the commands that run Terraform. Loaded only when one of them is asked for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from restoops.cli.infra_context import (
    AtTerminal,
    ConfirmOption,
    LockWaitOption,
    RootArgument,
    SavedOption,
    complete_root,
    desk,
    one_form,
    refuse_changes,
    roots,
    show,
    today,
)
from restoops.cli.options import DryRunOption, EnvironmentArgument, JsonOption, YesOption
from restoops.errors import CheckRefused

app = typer.Typer(rich_markup_mode=None)


@app.command(
    epilog="Examples: `restoops infra init staging`, `restoops infra init staging --upgrade`"
)
def init(
    environment: RootArgument,
    *,
    upgrade: Annotated[
        bool, typer.Option("--upgrade", help="Take the newest providers that the code allows.")
    ] = False,
    migrate: Annotated[
        bool, typer.Option("--migrate-state", help="Move the state to where backend.hcl says now.")
    ] = False,
    reconfigure: Annotated[
        bool, typer.Option("--reconfigure", help="The state is where backend.hcl says already.")
    ] = False,
    dry_run: DryRunOption = False,
) -> None:
    """Set up Terraform for ENVIRONMENT, with the backend that `infra backend` wrote."""
    with desk(environment) as opened:
        from restoops.adapters.terraform_words import InitOptions
        from restoops.flows.infra_read import initialise
        from restoops.report.lines import print_lines

        options = InitOptions(upgrade, migrate, reconfigure)
        command = initialise(opened, options, dry_run=dry_run)
    print_lines([f"would run: {command}" if dry_run else f"{environment} is set up"])


@app.command(epilog="Examples: `restoops infra validate`, `restoops infra validate staging --json`")
def validate(
    environment: Annotated[
        str | None,
        typer.Argument(
            metavar="[ENVIRONMENT]",
            help="Environment with Terraform code; left out: all of them.",
            autocompletion=complete_root,
        ),
    ] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Check Terraform's code without asking anybody else.

    Says file and line of each fault, and ends with status 2 when there is one.
    """
    from restoops.cli.infra_reading import show_faults

    show_faults([environment] if environment else roots(), as_json=as_json)


@app.command(
    epilog="Examples: `restoops infra plan staging`, `restoops infra plan staging --out "
    "plans/staging.plan`, `restoops infra plan staging --markdown`"
)
def plan(
    environment: RootArgument,
    *,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Save the plan, for `infra apply --plan`."),
    ] = None,
    saved: SavedOption = None,
    check: Annotated[
        bool, typer.Option("--check", help="End with status 6 when there is something to do.")
    ] = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print Markdown, for a pull request.")
    ] = False,
    as_json: JsonOption = False,
    wait: LockWaitOption = 0,
) -> None:
    """Show what would change, what is lost with it, and what it costs a month.

    A saved plan holds secrets in clear text; only its owner can read it.
    """
    from restoops.cli.infra_reading import summary_of

    one_form(as_json=as_json, markdown=markdown)
    summary = summary_of(environment, out=out, saved=saved, wait_s=wait)
    show(summary, as_json=as_json, markdown=markdown)
    refuse_changes(summary, check=check)


@app.command(
    epilog="Examples: `restoops infra apply staging`, `restoops infra apply staging --plan "
    "plans/staging.plan --yes`, `restoops infra apply staging --yes --confirm staging-a`"
)
def apply(
    environment: RootArgument,
    *,
    file: Annotated[
        Path | None,
        typer.Option("--plan", metavar="FILE", help="Apply this plan, which was reviewed."),
    ] = None,
    names: ConfirmOption = None,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    wait: LockWaitOption = 0,
) -> None:
    """Apply what was reviewed, or plan, ask, and apply that.

    A saved plan is applied as it is only at the same commit, on the same state and within a day;
    else it is planned again, and applied only if nothing differs.
    """
    from restoops.cli.infra_changing import carry_out
    from restoops.flows.infra_apply import Request, normal

    request = Request(normal(wait), file, tuple(names or ()), dry_run)
    carry_out(environment, request, AtTerminal(yes=yes), as_json=as_json)


@app.command(
    epilog="Examples: `restoops infra destroy dev --dry-run`, `restoops infra destroy dev`"
)
def destroy(
    environment: RootArgument,
    *,
    names: ConfirmOption = None,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    wait: LockWaitOption = 0,
) -> None:
    """Destroy all of ENVIRONMENT; droplets, databases, volumes and addresses by name."""
    from restoops.cli.infra_changing import carry_out
    from restoops.flows.infra_apply import Request, destroying

    request = Request(destroying(wait), None, tuple(names or ()), dry_run)
    carry_out(environment, request, AtTerminal(yes=yes), as_json=as_json)


@app.command(epilog="Example: `restoops infra drift staging`")
def drift(
    environment: RootArgument, *, as_json: JsonOption = False, wait: LockWaitOption = 0
) -> None:
    """Show what was changed outside of Terraform; ends with status 6 when something was."""
    from restoops.cli.infra_reading import show_drift
    from restoops.report.wording import counted

    found = show_drift(environment, wait_s=wait, as_json=as_json)
    if found:
        raise CheckRefused(
            f"{environment} was changed outside of Terraform: {counted(len(found), 'resource')}",
            hint=f"`restoops infra plan {environment}` shows what would put it back; or change "
            "the code.",
        )


@app.command(
    epilog="Examples: `restoops infra cost staging`, `restoops infra cost staging --saved "
    "plans/staging.plan`"
)
def cost(
    environment: RootArgument, *, saved: SavedOption = None, as_json: JsonOption = False
) -> None:
    """Show what ENVIRONMENT costs a month now, or would after a saved plan."""
    from restoops.flows.infra_read import cost_of
    from restoops.report.infra import show_estimate

    with desk(environment) as opened:
        found = cost_of(opened, saved)
    show_estimate(environment, found, today(), as_json=as_json)


@app.command(
    epilog="Examples: `restoops infra output staging`, `restoops infra output staging url`"
)
def output(
    environment: RootArgument,
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NAME]", help="Show this output only.", show_default=False),
    ] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Show what Terraform gives out; sensitive values are hidden."""
    from restoops.flows.infra_read import outputs_of
    from restoops.report.infra import show_outputs

    with desk(environment) as opened:
        found = outputs_of(opened, name)
    show_outputs(environment, found, as_json=as_json)


@app.command(
    epilog="Examples: `restoops infra inventory staging`, `restoops infra inventory staging "
    "--write ansible/inventories/staging`"
)
def inventory(
    environment: RootArgument,
    *,
    directory: Annotated[
        Path | None,
        typer.Option("--write", metavar="DIRECTORY", help="Write hosts.yml and known_hosts there."),
    ] = None,
    hosts_only: Annotated[
        bool, typer.Option("--known-hosts", help="Print lines for known_hosts instead.")
    ] = False,
    dry_run: DryRunOption = False,
) -> None:
    """Print the Ansible inventory, or the host keys, of the droplets that there are."""
    from restoops.cli.infra_reading import show_inventory

    show_inventory(environment, None if dry_run else directory, hosts_only=hosts_only)


@app.command(
    epilog="Examples: `restoops infra provision staging --check`, "
    "`restoops infra provision staging --limit a`"
)
def provision(
    environment: EnvironmentArgument,
    *,
    check: Annotated[
        bool,
        typer.Option("--check", "--dry-run", help="Say what would change, and change nothing."),
    ] = False,
    limit: Annotated[
        list[str] | None,
        typer.Option(
            "--limit", metavar="HOST", help="Act on this host only; can be given several times."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make the droplets of ENVIRONMENT ready for a deploy, with Ansible.

    A second run changes nothing.
    """
    from restoops.cli.infra_provision import provision as run

    run(environment, tuple(limit or ()), check=check, as_json=as_json)


@app.command(
    name="host-keys",
    epilog="Example: `restoops infra host-keys staging a b`",
)
def host_keys(
    environment: RootArgument,
    droplets: Annotated[
        list[str],
        typer.Argument(metavar="KEY...", help="Keys of the droplets in Terraform: `a b`."),
    ],
    *,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make SSH host keys for droplets before they exist, so that none is trusted on first use.

    Keys that are there already stay. The private halves go to the droplets through Terraform.
    """
    from restoops.cli.infra_changing import make_host_keys

    make_host_keys(environment, tuple(droplets), dry_run=dry_run, as_json=as_json)


@app.command(
    epilog="Examples: `restoops infra backend staging --region fra1 --probe`, "
    "`restoops infra backend staging --region fra1 --dry-run`"
)
def backend(
    environment: RootArgument,
    *,
    region: Annotated[
        str, typer.Option("--region", metavar="REGION", help="Region of Spaces, such as fra1.")
    ],
    bucket: Annotated[
        str, typer.Option("--bucket", metavar="NAME", help="Name, else APP-ENVIRONMENT-tfstate.")
    ] = "",
    endpoint: Annotated[
        str,
        typer.Option(
            "--endpoint",
            metavar="URL",
            envvar="AWS_ENDPOINT_URL_S3",
            help="Another service that speaks S3, instead of Spaces.",
        ),
    ] = "",
    probe: Annotated[
        bool, typer.Option("--probe", help="Find out whether locks can be trusted there.")
    ] = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make the bucket for Terraform's state, with old versions kept 90 days, and backend.hcl.

    A second run changes nothing. The key comes from SPACES_ACCESS_KEY_ID and
    SPACES_SECRET_ACCESS_KEY.
    """
    from restoops.cli.infra_changing import BackendWish, prepare_backend

    wish = BackendWish(region, bucket, endpoint, probe, dry_run)
    prepare_backend(environment, wish, dict(os.environ), as_json=as_json)


@app.command(
    epilog="Examples: `restoops infra graph staging --out staging.svg`, `restoops infra graph "
    "staging --saved plans/staging.plan --out staging.svg`"
)
def graph(
    environment: RootArgument,
    *,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write the SVG there.")
    ] = None,
    saved: SavedOption = None,
) -> None:
    """Draw what there is, and who may connect to what, as an SVG."""
    from restoops.cli.infra_reading import draw

    draw(environment, out, saved)
