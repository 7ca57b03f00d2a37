"""`restoops images`: what there is, and what may go. Loaded only when it is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from restoops.cli.completion import complete_tag
from restoops.cli.options import (
    DryRunOption,
    JsonOption,
    OptionalEnvironmentArgument,
    WaitOption,
    YesOption,
)

app = typer.Typer(rich_markup_mode=None)

_Keep = Annotated[
    int | None,
    typer.Option(
        "--keep",
        metavar="N",
        min=1,
        max=100_000,
        help="Keep the N newest images, instead of `image.keep`.",
    ),
]
_OlderThan = Annotated[
    str,
    typer.Option(
        "--older-than", metavar="AGE", help="Delete only what is older: `12h`, `30d`, `8w`."
    ),
]
_LocalOnly = Annotated[bool, typer.Option("--local-only", help="Remove images from hosts only.")]
_RegistryOnly = Annotated[
    bool, typer.Option("--registry-only", help="Delete images in the registry only.")
]
_MaxDelete = Annotated[
    int | None,
    typer.Option(
        "--max-delete",
        metavar="N",
        min=0,
        help="End with status 6, and delete nothing, when more than N images would go.",
    ),
]
_Log = Annotated[
    Path | None,
    typer.Option(
        "--log",
        metavar="FILE",
        help="Add what was deleted to this file, else to ~/.local/state/restoops/images.jsonl.",
    ),
]


@app.command(
    name="list",
    epilog="Examples: `restoops images list`, `restoops images list staging --json`",
)
def list_(environment: OptionalEnvironmentArgument = None, *, as_json: JsonOption = False) -> None:
    """Show the images of registry and hosts: where each runs, and what keeps it.

    Hosts of all environments are asked, whichever is named: what one of them needs is kept.
    """
    from restoops.cli.images_reading import show_images

    show_images(environment, as_json=as_json)


@app.command(
    epilog="Examples: `restoops images prune --dry-run`, `restoops images prune staging "
    "--local-only`, `restoops images prune --keep 10 --older-than 30d --max-delete 50 --yes`"
)
def prune(
    environment: OptionalEnvironmentArgument = None,
    *,
    keep: _Keep = None,
    older_than: _OlderThan = "",
    local_only: _LocalOnly = False,
    registry_only: _RegistryOnly = False,
    max_delete: _MaxDelete = None,
    log: _Log = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
    wait: WaitOption = 0,
) -> None:
    """Delete images that nothing needs, on hosts and in the registry.

    Never what a host of any environment runs or can go back to, a protected tag, or one of the
    newest; nor a part of any of these.
    """
    from restoops.cli.images_pruning import PruneWish, prune_images

    wish = PruneWish(
        environment, keep, older_than, local_only, registry_only, max_delete, log, dry_run, yes,
        wait,
    )  # fmt: skip
    prune_images(wish, as_json=as_json)


@app.command(
    epilog="Examples: `restoops images inspect sha-abc1234`, `restoops images inspect main staging`"
)
def inspect(
    tag: Annotated[
        str,
        typer.Argument(
            metavar="TAG",
            help="Tag, Git SHA or whole digest of an image.",
            autocompletion=complete_tag,
        ),
    ],
    environment: OptionalEnvironmentArgument = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Show what an image is, who built it, and where it runs."""
    from restoops.cli.images_reading import show_image

    show_image(tag, environment, as_json=as_json)
