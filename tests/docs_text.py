"""What the documentation shows, and the parts of it that are generated.

`python -m tests.docs_text` writes the generated parts anew: they stand between a comment that
names them and `<!-- end -->`.
"""

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, get_args

import typer

from restoops.adapters.contest import Contest
from restoops.adapters.host_keys import HostKey
from restoops.cli.app import app
from restoops.contents import PlatformImage
from restoops.flows.infra_backend import BackendReady
from restoops.flows.infra_read import CodeFault, Output
from restoops.model import Disk, OpenRun, Record, Release, Timing
from restoops.plan.cost import Estimate, Line
from restoops.plan.doctor import Check
from restoops.plan.env_check import EnvCheck, Finding
from restoops.plan.fate import Fate
from restoops.plan.infra_changes import Change, Difference
from restoops.plan.infra_summary import Summary
from restoops.plan.leaks import Leak, Scan
from restoops.plan.listing import Inspected, Listed
from restoops.plan.placing import Placing
from restoops.plan.probe import Sample
from restoops.plan.rollback import Candidate
from restoops.plan.secret_push import Move, SecretsPushed, SinkPush
from restoops.plan.secret_rotation import SecretRotated, Spot
from restoops.plan.secret_status import Copy, SecretsStatus, SecretState
from restoops.plan.smoke import Result
from restoops.plan.status import Slot, Status
from restoops.plan.steps import Step
from restoops.plan.verdict import Health, HostHealth, PublicHealth, Service
from restoops.report.events import Event
from restoops.report.image_events import Deleted, HostPruned, PruneEnded, Survived, Verified
from restoops.report.jsonl import LogLine, snake
from restoops.report.page import Bar, Fault, HostPart, Page
from tests.ansible.roles import variables_table
from tests.bench import page, store
from tests.report.bodies import body_shown

PROJECT = Path(__file__).parent.parent
README = PROJECT / "README.md"
PAGES = (*sorted((PROJECT / "docs").glob("*.md")), README)
_KINDS = "help|events|steps|results|parts|variables|commands|figures|measured|benchmarks|body"
GENERATED = re.compile(rf"(<!-- ({_KINDS})\s*([\w\s.-]*?)\s*-->\n)(.*?)(<!-- end -->)", re.S)
HELP_COLUMNS = 100
RESULTS = {
    "status": Status, "rollback --list": Candidate, "logs": LogLine, "history": Record,
    "report": Page, "doctor": Check, "health": Health,
    "infra plan": Summary, "infra cost": Estimate, "infra output": Output,
    "infra backend": BackendReady, "infra host-keys": HostKey,
    "images list": Listed, "images inspect": Inspected, "images prune": Fate,
    "secrets scan": Scan, "secrets check": EnvCheck, "secrets push": SecretsPushed,
    "secrets status": SecretsStatus, "secrets rotate": SecretRotated,
    "init": Placing,
}  # fmt: skip
PARTS = (
    Release, Slot, OpenRun, Timing, Sample, HostPart, Bar, Fault,
    Change, Difference, Estimate, Line, CodeFault, Contest,
    PlatformImage, Disk, Deleted, Survived, HostPruned, Verified, PruneEnded,
    Leak, Finding, SinkPush, Move, SecretState, Copy, Spot,
    HostHealth, PublicHealth, Service, Result,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shown:
    """A command that a page shows."""

    page: str
    line: str

    @property
    def words(self) -> list[str]:
        """Its arguments."""
        return shlex.split(self.line, comments=True)[1:]


def shown_commands(page: Path) -> Iterator[Shown]:
    """Yield the `restoops` commands in the fenced blocks of a page, in order."""
    for block in re.findall(r"^ *```\w*\n(.*?)^ *```", page.read_text(), re.S | re.M):
        for line in block.splitlines():
            if found := re.match(r" *(?:\$ )?(restoops(?: .*)?)$", line):
                yield Shown(page.name, found[1])


def named_commands(page: Path) -> Iterator[Shown]:
    """Yield the `restoops` commands that the text of a page names, often not whole."""
    text = re.sub(r"^ *```.*?^ *```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    for line in re.findall(r"`(restoops [^`]+)`", text):
        yield Shown(page.name, " ".join(line.split()))


@cache
def commands() -> dict[str, typer.core.TyperCommand]:
    """Return the commands of the command line, by name; those of a group as `infra plan`."""
    found = {}
    for name, command in typer.main.get_group(app).commands.items():
        if isinstance(command, typer.core.TyperGroup):
            context = command.make_context(name, [], resilient_parsing=True)
            for inner in command.list_commands(context):
                found[f"{name} {inner}"] = command.get_command(context, inner)
        else:
            found[name] = command
    return found  # type: ignore[return-value]  # what is no group is a command


def command_of(words: Sequence[str]) -> tuple[str, list[str]]:
    """Return the name of the command that `words` call, and its arguments.

    Raises:
        KeyError: there is no such command.
    """
    known = commands()
    for length in (2, 1):
        name = " ".join(words[:length])
        if name in known:
            return name, list(words[length:])
    raise KeyError(" ".join(words[:2]))


def context_above(name: str) -> Any:
    """Return the context that a command of this name is called in."""
    context = typer.main.get_command(app).make_context("restoops", [], resilient_parsing=True)
    for word in name.split()[:-1]:
        group = context.command.get_command(context, word)  # type: ignore[attr-defined]  # a group
        context = group.make_context(word, [], parent=context, resilient_parsing=True)
    return context


def help_of(name: str) -> str:
    """Return what `restoops NAME --help` prints on a terminal of 100 columns."""
    command, last = commands()[name], name.split()[-1]
    width = {"terminal_width": HELP_COLUMNS, "max_content_width": HELP_COLUMNS}
    top = context_above(name)
    with command.make_context(last, [], parent=top, resilient_parsing=True, **width) as context:
        text = command.get_help(context)
    return "\n".join(line.rstrip() for line in text.splitlines()).strip()


def table(heads: Sequence[str], classes: dict[str, type]) -> str:
    """Return a table of classes with their fields and the first sentence about each."""
    lines = [f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}"]
    for name, kind in classes.items():
        names = ", ".join(f"`{field.name}`" for field in fields(kind)) or "-"
        lines.append(f"| `{name}` | {names} | {(kind.__doc__ or '').splitlines()[0]} |")
    return "\n".join(lines) + "\n"


def commands_table() -> str:
    """Return a table of all commands, each with the first line of its help and its page."""
    lines = ["| command | what it does |", "| --- | --- |"]
    for name, command in sorted(commands().items()):
        about = (command.help or "").strip().splitlines()[0]
        page = f"{name.split()[0]}.md"
        there = (PROJECT / "docs" / page).exists()
        shown = f"[`restoops {name}`]({page})" if there else f"`restoops {name}`"
        lines.append(f"| {shown} | {about} |")
    return "\n".join(lines) + "\n"


def generate(what: str, name: str) -> str:  # noqa: C901  one case for each kind of part
    """Return the text of a generated part."""
    match what:
        case "help":
            return f"```text\n{help_of(name)}\n```\n"
        case "events":
            found = {snake(kind.__name__): kind for kind in get_args(Event)}
            return table(("event", "fields", "meaning"), found)
        case "steps":
            found = {snake(kind.__name__): kind for kind in get_args(Step)}
            return table(("step", "fields", "meaning"), found)
        case "results":
            return table(("command", "fields", "one object for"), RESULTS)
        case "body":
            return f"```json\n{body_shown()}\n```\n"
        case "variables":
            return variables_table(name)
        case "commands":
            return commands_table()
        case "figures":
            return page.figures(store.reports(), name.split())
        case "measured":
            return page.measured_where(store.reports(), name.split())
        case "benchmarks":
            return page.body(store.reports())
        case _:
            found = {kind.__name__: kind for kind in PARTS}
            return table(("object", "fields", "meaning"), found)


def renewed(text: str) -> str:
    """Return a page with its generated parts as they should be."""
    return GENERATED.sub(lambda m: m[1] + generate(m[2], m[3]) + m[5], text)


def write() -> None:
    """Write all generated parts anew, and the plots that they show."""
    store.write(store.reports())
    for path in PAGES:
        path.write_text(renewed(path.read_text()))


if __name__ == "__main__":
    write()
