"""Secrets from a password store, through a command that is configured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from restoops.adapters.env_text import parse_env
from restoops.adapters.process import Ended, finish
from restoops.errors import StepFailed, Unreachable, UsageError
from restoops.model import Secret

NAME = "{name}"


@dataclass(frozen=True, slots=True)
class CommandSource:
    """A program that prints secrets: all as `NAME=value` lines, or one, whose name it is given.

    It is run without a shell. What it writes is shown nowhere, in no error either: it may be a
    value.
    """

    argv: Sequence[str]
    names: Sequence[str]
    """What is asked for, where one name is asked for at a time."""
    timeout_s: float
    folder: Path
    """Where it runs."""

    @property
    def is_exclusive(self) -> bool:
        """Whether all that it prints is meant for the application."""
        return not self._asks_one_by_one

    @property
    def shown(self) -> str:
        """How to name it."""
        return f"the command {Path(self.argv[0]).name}"

    def read(self) -> Mapping[str, Secret]:
        """Run it, and return what it prints.

        Asked for one by one, a name that it fails for or prints nothing for is missing; not when
        it fails for all of them.

        Raises:
            UsageError: it is not there, or what it prints is no `NAME=value`.
            Unreachable: it failed, or took too long.
        """
        return self._one_by_one() if self._asks_one_by_one else self._all()

    def _all(self) -> Mapping[str, Secret]:
        ended = self._run(self.argv)
        if ended.exit_code:
            raise self._failed(ended)
        text = self._decoded(ended)
        return {it.name: it.value for it in parse_env(text, f"what {self.shown} prints")}

    def _one_by_one(self) -> Mapping[str, Secret]:
        ended: Ended | None = None
        found: dict[str, Secret] = {}
        for name in self.names:
            ended = self._run([it.replace(NAME, name) for it in self.argv])
            if not ended.exit_code:
                found[name] = Secret(self._decoded(ended).removesuffix("\n").removesuffix("\r"))
        if ended and not found:
            raise self._failed(ended)
        return found

    @property
    def _asks_one_by_one(self) -> bool:
        return any(NAME in it for it in self.argv)

    def _run(self, argv: Sequence[str]) -> Ended:
        try:
            return finish(argv, timeout_s=self.timeout_s, cwd=self.folder)
        except StepFailed as error:
            if "took longer" in error.message:
                raise Unreachable(
                    f"{self.shown} took longer than {self.timeout_s:g} s",
                    hint="Does it wait for a password or for the network? "
                    "`secrets.command_timeout_s` is how long it may take.",
                ) from error
            raise UsageError(
                error.message,
                hint="`secrets.command` in restoops.yaml names it. No shell runs it.",
            ) from error

    def _failed(self, ended: Ended) -> Unreachable:
        silent = "" if ended.stderr.strip() else " and said nothing"
        return Unreachable(
            f"{self.shown} ended with status {ended.exit_code}{silent}",
            hint="Run it by hand to see what it says: that is not shown here, it may hold a value. "
            "Is the store locked, or are you not logged in?",
        )

    def _decoded(self, ended: Ended) -> str:
        try:
            return ended.stdout.decode()
        except UnicodeDecodeError:
            raise UsageError(
                f"{self.shown} printed what is no UTF-8 text",
                hint="A value of other bytes has to be stored in a form of text, such as base64.",
            ) from None
