"""`restoops secrets rotate`."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from restoops.cli.context import choose_environment, find_hosts
from restoops.cli.options import (
    DryRunOption,
    EnvironmentArgument,
    JsonOption,
    TimeoutOption,
    WaitOption,
    YesOption,
)
from restoops.cli.questions import answer_unseen, confirm, demand_somebody_to_ask, piped
from restoops.cli.secrets_push import Place
from restoops.cli.signals import honouring
from restoops.cli.swapping import RunOptions
from restoops.errors import UsageError
from restoops.masking import masked

if TYPE_CHECKING:
    from restoops.config.load import Chosen, Loaded
    from restoops.config.schema import Secrets
    from restoops.flows.interrupt import Interrupt
    from restoops.flows.secrets_rotate import Places, Talk
    from restoops.flows.secrets_sinks import Sink
    from restoops.model import HostState, Placed, Secret, Value
    from restoops.plan.env_template import Variable
    from restoops.plan.secret_rotation import Rotation


GenerateOption = Annotated[
    bool, typer.Option("--generate", help="Make one at random; else it is read or asked for.")
]
ResumeOption = Annotated[
    bool, typer.Option("--resume", help="Only finish what an earlier run has left.")
]
InsteadOption = Annotated[
    bool,
    typer.Option("--instead", help="Take another value, although the last is not everywhere yet."),
]
ToOption = Annotated[
    list[Place] | None,
    typer.Option(
        "--to",
        help="Where it goes; left out: the hosts, and GitHub where `secrets` names anything of it.",
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog="Examples: `restoops secrets rotate SESSION_KEY staging --generate`, "
        "`restoops secrets rotate SESSION_KEY staging --resume`"
    )(rotate)


def rotate(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name, as in the template.")],
    environment: EnvironmentArgument,
    *,
    generate: GenerateOption = False,
    resume: ResumeOption = False,
    instead: InsteadOption = False,
    to: ToOption = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
    timeout: TimeoutOption = None,
    wait: WaitOption = 0,
) -> None:
    """Give NAME a new value: in its source, in all places, and in what runs on the hosts.

    The value comes from standard input, from a prompt, or is generated. What an earlier run has
    left is finished first, and then no new value is taken.
    """
    options = RunOptions(environment, dry_run, yes, as_json, wait, timeout)
    from restoops.flows.secrets_current import Kept
    from restoops.flows.secrets_rotate import Rotator
    from restoops.flows.secrets_sources import Keeping
    from restoops.plan.secret_rotation import Asked
    from restoops.report.secrets import show_rotated

    asked = Asked(resume, instead)
    chosen = _chosen(environment)
    kept = Kept.of(Keeping.of(chosen, start=Path.cwd(), environ=os.environ))
    with contextlib.ExitStack() as stack:
        talk = _talk(name, options, chosen, stack, generate=generate)
        places = _places(chosen, options, to, talk.interrupt)
        rotator = Rotator(name, asked, places, talk, dry_run)
        rotated, error = rotator.run(kept)
    show_rotated(rotated, as_json=as_json)
    if error:
        raise error


def _chosen(environment: str) -> Chosen:
    chosen = choose_environment(environment)
    if not chosen.settings.has_secrets:
        raise UsageError(
            f"{environment} has no section `secrets`: its releases are given none",
            hint="docs/secrets.md says how secrets are handed over.",
        )
    return chosen


def _talk(
    name: str,
    options: RunOptions,
    chosen: Chosen,
    stack: contextlib.ExitStack,
    *,
    generate: bool,
) -> Talk:
    from restoops.flows.interrupt import Interrupt
    from restoops.flows.secrets_rotate import Talk
    from restoops.report.lines import say
    from restoops.report.secrets import question_of

    interrupt = Interrupt()
    is_agreed = options.yes or not chosen.environment.confirm

    def tell(line: str) -> None:
        say(masked(line))

    def agree(rotation: Rotation) -> None:
        if told := question_of(name, options.environment, rotation):
            tell(told)
        confirm("Go on?", yes=is_agreed)
        # A prompt ends with a signal at once; from here on one is heeded between steps.
        stack.enter_context(honouring(interrupt))

    def value(_: Variable) -> Secret | None:
        demand_somebody_to_ask(yes=is_agreed)
        return None if generate else _value(name)

    def at_hand() -> Secret | None:
        return None if generate or sys.stdin.isatty() else _piped()

    return Talk(tell, agree, value, at_hand, interrupt)


def _value(name: str) -> Secret:
    """Ask for a value twice, without an echo, or read what is piped in."""
    from restoops.model import Secret

    if not sys.stdin.isatty():
        if (value := _piped()) is None:
            raise UsageError(
                f"no value for {name} came on standard input",
                hint="Pipe it in, or have one made with `--generate`.",
            )
        return value
    first = answer_unseen(f"New value of {name}: ")
    if answer_unseen("Once more: ") != first:
        raise UsageError(
            "the two are not the same; nothing was changed",
            hint="Type or paste it anew, or have one made with `--generate`.",
        )
    return Secret(first)


def _piped() -> Secret | None:
    from restoops.model import Secret

    value = piped()
    return Secret(value) if value else None


def _places(
    chosen: Chosen, options: RunOptions, to: Sequence[Place] | None, interrupt: Interrupt
) -> Places:
    from restoops.flows.secrets_rotate import Places

    secrets = chosen.settings.secrets
    wanted = to or [Place.HOSTS, *([Place.GITHUB] if _names_github(secrets) else [])]
    return Places(
        _Github(chosen, interrupt) if Place.GITHUB in wanted else None,
        _Hosts(find_hosts(chosen), options, interrupt) if Place.HOSTS in wanted else None,
    )


def _names_github(secrets: Secrets) -> bool:
    return bool(
        secrets.github_repository or secrets.github_environment or secrets.github_repository_secrets
    )


@dataclass(frozen=True, slots=True)
class _Github:
    """GitHub, asked anew each time: in between somebody may be asked for a value."""

    chosen: Chosen
    interrupt: Interrupt
    name: str = "github"
    takes_new: bool = True
    note: str = ""

    def placed(self) -> Mapping[str, Placed]:
        with self._opened(self._names, self.interrupt.anew()) as sink:
            return sink.placed()

    def put(self, values: Mapping[str, Value]) -> None:
        with self._opened(values, self.interrupt) as sink:
            sink.put(values)

    @property
    def _names(self) -> Mapping[str, Value]:
        from restoops.flows.secrets_sources import Keeping
        from restoops.model import Secret, Value

        template = Keeping.of(self.chosen, start=Path.cwd(), environ=os.environ).template()
        return {it.name: Value(Secret(""), "") for it in template.variables}

    @contextlib.contextmanager
    def _opened(self, values: Mapping[str, Value], interrupt: Interrupt) -> Iterator[Sink]:
        from restoops.cli.secrets_github import github_sinks

        with github_sinks(self.chosen, values, interrupt) as (sink,), honouring(self.interrupt):
            yield sink


@dataclass(frozen=True, slots=True)
class _Hosts:
    """The hosts of an environment, connected to anew for each part of a rotation.

    Between the parts nothing is locked: each is right whatever happened before it.
    """

    loaded: Loaded
    options: RunOptions
    interrupt: Interrupt

    def states(self) -> Mapping[str, HostState]:
        from restoops.cli.hosts import opened
        from restoops.flows.background import in_background

        # Who has asked for an end is told what is where; asking again ends that as well.
        again = self.interrupt.anew()
        with opened(self.loaded, again) as found:
            states = in_background(found.observe)(again)
            found.raise_if_absent()
            return {it.host: it for it in states}

    def roll(self) -> None:
        from restoops.cli.recording import recording
        from restoops.cli.swapping import swapping
        from restoops.flows.swap import renew

        options = replace(self.options, so_far="no host was changed")
        with (
            recording("deploy", options, None) as record,
            swapping(options, "deploy", self.loaded, recording=record) as swap,
        ):
            renew(swap)
            if swap.fleet.interrupt.is_asked:  # too late for the deploy, and not for what follows
                self.interrupt.ask()

    def hand(self, values: Mapping[str, Value]) -> None:
        from restoops.cli.secrets_hosts import reached_hosts
        from restoops.flows.secrets_roll import hand_to

        wait_s = self.options.wait_s
        with reached_hosts(self.loaded, wait_s, locks=True, interrupt=self.interrupt) as hosts:
            hand_to(hosts, values)
