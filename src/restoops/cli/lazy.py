"""A group of commands that is loaded when one of them, or its help, is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

_GROUPS = (
    (
        "images",
        "Show the images of registry and hosts, and delete those that nothing needs.",
        "restoops images prune --dry-run",
    ),
    (
        "infra",
        "Make, change and provision what runs on DigitalOcean.",
        "restoops infra plan staging",
    ),
    (
        "secrets",
        "Find secrets where none belong; check, hand over and rotate those of an environment.",
        "restoops secrets check staging",
    ),
)
"""Name, help and example of each group; its module has the same name."""


class LazyGroup(TyperGroup):
    """Loads its commands from the `app` of a module: other commands must not wait for them."""

    def __init__(self, module: str, **words: Any) -> None:
        super().__init__(rich_markup_mode=None, no_args_is_help=True, **words)
        self._module = module

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of the commands, in their order."""
        return self._loaded.list_commands(ctx)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command of a name, if there is one."""
        return self._loaded.get_command(ctx, cmd_name)

    @property
    def _loaded(self) -> TyperGroup:
        return typer.main.get_group(import_module(self._module).app)


class Root(TyperGroup):
    """The top of the command line, with the groups that are loaded late."""

    def __init__(self, **words: Any) -> None:
        super().__init__(**words)
        settings = words.get("context_settings")
        for name, about, example in _GROUPS:
            module = f"restoops.cli.{name}"
            epilog = f"Example: `{example}`"
            group = LazyGroup(
                module, name=name, help=about, epilog=epilog, context_settings=settings
            )
            self.add_command(group)
