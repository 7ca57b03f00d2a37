"""`restoops init`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from restoops.cli.options import DryRunOption
from restoops.errors import Refused


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: `restoops init`")(init)


def init(
    directory: Annotated[
        Path, typer.Argument(metavar="[DIRECTORY]", help="Where to write it.", show_default=False)
    ] = Path(),
    *,
    dry_run: DryRunOption = False,
) -> None:
    """Write a commented restoops.yaml.

    One that is there already is never touched.
    """
    from restoops.config.load import FILE_NAME
    from restoops.config.template import render

    path = directory / FILE_NAME
    if dry_run:
        typer.echo(render(), nl=False)
        return
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(render())
    except FileExistsError:
        raise Refused(
            f"{path} is there already and was left as it is",
            hint="`restoops init --dry-run` prints what would be written.",
        ) from None
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}") from error
    typer.echo(f"wrote {path}: name your image and hosts there, then run `restoops doctor`")
