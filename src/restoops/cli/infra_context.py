"""What the commands of `restoops infra` share: options, questions, the opened environment."""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from restoops.cli.questions import answer, confirm
from restoops.cli.signals import interruptible
from restoops.errors import CheckRefused, Refused, UsageError

if TYPE_CHECKING:
    from restoops.config.roots import Root
    from restoops.flows.infra import Desk
    from restoops.plan.infra_changes import Change
    from restoops.plan.infra_summary import Summary


def roots() -> tuple[str, ...]:
    """Return the environments that have Terraform code."""
    from restoops.config.roots import root_names

    return root_names(start=Path.cwd(), environ=os.environ)


def complete_root(incomplete: str) -> list[str]:
    """Offer the environments that have Terraform code."""
    return [name for name in roots() if name.startswith(incomplete)]


RootArgument = Annotated[
    str,
    typer.Argument(
        metavar="ENVIRONMENT",
        help="Environment with code in terraform/environments/, or where restoops.yaml says.",
        autocompletion=complete_root,
    ),
]
SavedOption = Annotated[
    Path | None,
    typer.Option("--saved", metavar="FILE", help="Read this plan, which `infra plan --out` saved."),
]
LockWaitOption = Annotated[
    int,
    typer.Option(
        "--wait",
        metavar="SECONDS",
        min=0,
        max=86400,
        help="Queue this long for the lock of the state, instead of giving up at once.",
    ),
]
ConfirmOption = Annotated[
    list[str] | None,
    typer.Option(
        "--confirm",
        metavar="NAME",
        help="Name of a resource that may be replaced or destroyed; can be given several times.",
    ),
]


def root_of(environment: str) -> Root:
    """Return the root module of an environment."""
    from restoops.config.roots import find_root

    return find_root(environment, start=Path.cwd(), environ=os.environ)


@contextlib.contextmanager
def desk(
    environment: str, *, needs_token: bool = False, checks_version: bool = True
) -> Iterator[Desk]:
    """Open Terraform of an environment, with signals honoured: it is never cut off."""
    from restoops.flows.infra import open_desk
    from restoops.report.lines import say

    with interruptible() as interrupt:
        yield open_desk(
            environment,
            os.environ,
            say,
            interrupt,
            needs_token=needs_token,
            checks_version=checks_version,
        )


class AtTerminal:
    """The operator at the terminal, if there is one."""

    def __init__(self, *, yes: bool) -> None:
        self._yes = yes

    def type_names(self, asked: dict[str, Change]) -> None:
        """Let each name be typed."""
        if asked and not sys.stdin.isatty():
            flags = " ".join(f"--confirm {shlex.quote(name)}" for name in asked)
            losses = ", ".join(f"{it.precious} {name} ({it.kind})" for name, it in asked.items())
            raise Refused(
                f"this loses for good: {losses}; nobody is there to confirm it",
                hint=f"If that is what you want, add: {flags}",
            )
        for name, change in asked.items():
            typed = answer(
                f"{change.kind} {change.precious} {change.address}? Type its name, {name}: "
            )
            if typed != name:
                raise Refused(f"{name} was not confirmed; nothing was changed")

    def agree(self, text: str) -> None:
        """Ask for a yes."""
        confirm(text, yes=self._yes)


def one_form(*, as_json: bool, markdown: bool) -> None:
    """Refuse two forms at once."""
    if as_json and markdown:
        raise UsageError("`--json` and `--markdown` do not go together", hint="Choose one.")


def today() -> date:
    """Return the day that it is, in UTC."""
    return datetime.now(UTC).date()


def show(summary: Summary, *, as_json: bool, markdown: bool = False) -> None:
    """Print a plan in the form that was asked for."""
    from restoops.report.infra import show_summary
    from restoops.report.markdown import summary_in_markdown

    if markdown:
        typer.echo(summary_in_markdown(summary, today()), nl=False)
    else:
        show_summary(summary, today(), as_json=as_json)


def refuse_changes(summary: Summary, *, check: bool) -> None:
    """End with status 6 when `check` was asked for and there is something to do."""
    if check and not summary.is_empty:
        raise CheckRefused(
            f"{summary.environment} is not as its code says: {summary.counted}",
            hint=f"`restoops infra plan {summary.environment}` shows it; apply it, or change "
            "the code.",
        )
