"""The command line: errors become text and status here, and nowhere else."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from restoops import __version__
from restoops.cli import deploy, doctor, health, history, init, logs, report, rollback, status
from restoops.cli.lazy import Root
from restoops.cli.output import reporter
from restoops.errors import NeedsAttention, RestoopsError, StepFailed
from restoops.masking import masked_output
from restoops.report.job import in_actions

_NOWHERE_TO_WRITE = (errno.ENOSPC, errno.EPIPE, errno.EIO)

app = typer.Typer(
    name="restoops",
    cls=Root,
    help="Blue-green deploys on DigitalOcean droplets, without a lost request.",
    no_args_is_help=True,
    # Plain help: it starts in half the time and reads the same in a pipe.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _version(asked: bool) -> None:  # noqa: FBT001  as Typer calls it
    if asked:
        typer.echo(f"restoops {__version__}")
        raise typer.Exit


@app.callback()
def restoops(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", is_eager=True, callback=_version),
    ] = False,
) -> None:
    """Blue-green deploys on DigitalOcean droplets, without a lost request."""


for module in (deploy, rollback, status, health, logs, history, report, doctor, init):
    module.register(app)


def run(arguments: Sequence[str]) -> int:
    """Run one command and return the exit status; what it prints holds no secrets."""
    with masked_output():
        if not in_actions():
            return _run(arguments)
        from restoops.report.orders import guarded

        with guarded():
            return _run(arguments)


def _run(arguments: Sequence[str]) -> int:
    try:
        app(args=list(arguments), standalone_mode=True, prog_name="restoops")
    except RestoopsError as error:
        return _tell(error, arguments)
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else 1
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; nothing was changed\n")
        return 130
    except Exception as error:  # noqa: BLE001  told, whatever it is
        if os.environ.get("RESTOOPS_TRACEBACK"):
            sys.stderr.write(traceback.format_exc())
        return _tell(our_fault(error), arguments)
    return 0


def leave(status: int) -> NoReturn:
    """End the process at once: 0.2 s less than Python takes to tear down what a deploy loaded.

    All that has to be given back has been by then: locks, connections, the terminal.
    """
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # a reader that has gone
            stream.flush()
    os._exit(status)


def _tell(error: RestoopsError, arguments: Sequence[str]) -> int:
    with contextlib.suppress(OSError):
        reporter(as_json="--json" in arguments).error(error)
    return error.status


def our_fault(error: Exception) -> RestoopsError:
    """Return what an operator may see of a bug: its place, and never its text or its values."""
    if isinstance(error, OSError) and error.errno in _NOWHERE_TO_WRITE:
        return StepFailed(
            f"the output cannot be written: {error.strerror}", hint="Where does it lead to?"
        )
    place = traceback.extract_tb(error.__traceback__)[-1]
    return NeedsAttention(
        f"restoops itself failed: {type(error).__name__} in {Path(place.filename).name}, "
        f"line {place.lineno}",
        hint="`restoops status` shows what serves; the next deploy or rollback puts right what "
        "was cut off. RESTOOPS_TRACEBACK=1 shows more, for a bug report.",
    )
