"""Scanners for secrets: gitleaks, and betterleaks 1, which takes the same words and rules.

What they find comes back without its value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from restoops.adapters import process
from restoops.errors import CommandFailed, StepFailed, Unreachable

FOUND = 6
"""Status that a scanner is asked to end with when it found something: 1 means an error as well."""
_TIMEOUT_S = 3600
_NAMES = ("gitleaks", "betterleaks")
_WANTED = "gitleaks 8.25 or newer, or betterleaks 1"
_INSTALL = f"Install {_WANTED}, and have it on PATH: https://github.com/gitleaks/gitleaks"
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_QUIET = (
    "--no-banner",
    "--no-color",
    "--log-level",
    "error",
    "--redact",
    "--exit-code",
    str(FOUND),
)


@dataclass(frozen=True, slots=True)
class Orders:
    """What is scanned.

    Attributes:
        cwd: where the scanner runs; paths in what it finds are relative to it.
        files: file or directory to scan; None scans the git repository at `cwd`.
        is_staged: of the repository scan only what is about to be committed.
        config: rules to scan by; None leaves the scanner its own.
    """

    cwd: Path
    files: str | None = None
    is_staged: bool = False
    config: Path | None = None


@dataclass(frozen=True, slots=True)
class Scanner:
    """A program that scans."""

    name: str
    program: str

    def argv(self, orders: Orders, report: Path) -> list[str]:
        """Return what to run so that findings are written to `report`."""
        return [
            self.program,
            *(["git", "."] if orders.files is None else ["dir", orders.files]),
            *(["--staged"] if orders.is_staged else []),
            *(["--config", str(orders.config)] if orders.config else []),
            *_QUIET,
            "--report-format=json",
            f"--report-path={report}",
        ]

    def scan(self, orders: Orders, report: Path) -> list[dict[str, Any]]:
        """Return the findings.

        Raises:
            Unreachable: the scanner cannot be run or did not scan everything.
        """
        lines: list[str] = []
        around = process.Surroundings(orders.cwd, _TIMEOUT_S)
        try:
            process.stream(
                self.argv(orders, report), around, lambda it: lines.append(_COLOUR.sub("", it))
            )
        except CommandFailed as error:
            if error.exit_code != FOUND:
                raise self._broken(f"status {error.exit_code}", lines) from error
        except StepFailed as error:
            raise Unreachable(error.message, hint=_INSTALL) from error
        found = self._read(report, lines)
        # gitleaks ends with 0 where git failed, having scanned nothing.
        if lines and not found:
            raise self._broken("it could not scan everything", lines)
        return found

    def _read(self, report: Path, lines: Sequence[str]) -> list[dict[str, Any]]:
        try:
            return list(json.loads(report.read_text("utf-8", "replace")))
        except (OSError, ValueError, TypeError) as error:
            raise self._broken("its report cannot be read", lines) from error

    def _broken(self, what: str, lines: Sequence[str]) -> Unreachable:
        telling = [it for it in lines if "FTL" in it or "ERR" in it or "error:" in it]
        reason = f": {telling[0]}" if telling else ""
        return Unreachable(
            f"{self.name} failed ({what}){reason}; nobody knows whether there are secrets",
            hint=f"Its own words are above. Is it {_WANTED}?",
            details="\n".join(lines[-20:]),
        )


def find_scanner(program_of: Callable[[str], str | None]) -> Scanner:
    """Return the scanner that is there; `program_of` finds programs by name.

    Raises:
        Unreachable: there is none.
    """
    for name in _NAMES:
        if program := program_of(name):
            return Scanner(name, program)
    raise Unreachable("neither gitleaks nor betterleaks is installed", hint=_INSTALL)
