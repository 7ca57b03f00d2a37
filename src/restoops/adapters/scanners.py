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
_QUIET = ("--no-banner", "--no-color", "--log-level", "warn", "--redact", "--exit-code", str(FOUND))
_NOT_SCANNED = re.compile(r"\b(ERR|FTL|skipping|error:)")
"""Lines about something that was not scanned, be it a file or all of it."""


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
class Found:
    """Findings as the scanner reports them, and what it says of things that it did not scan."""

    findings: list[dict[str, Any]]
    missed: tuple[str, ...]


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

    def scan(self, orders: Orders, report: Path) -> Found:
        """Return what was found, and what could not be scanned.

        Raises:
            Unreachable: the scanner cannot be run or failed.
        """
        lines: list[str] = []
        around = process.Surroundings(orders.cwd, _TIMEOUT_S)
        try:
            process.stream(
                self.argv(orders, report), around, lambda it: lines.append(_COLOUR.sub("", it))
            )
        except CommandFailed as error:
            if error.exit_code != FOUND:
                raise self.failed(f"status {error.exit_code}", lines) from error
        except StepFailed as error:
            raise Unreachable(error.message, hint=_INSTALL) from error
        # gitleaks ends with 0 also where git failed and nothing at all was scanned.
        missed = tuple(it for it in lines if _NOT_SCANNED.search(it))
        return Found(self._read(report, lines), missed)

    def _read(self, report: Path, lines: Sequence[str]) -> list[dict[str, Any]]:
        try:
            return list(json.loads(report.read_text("utf-8", "replace")))
        except (OSError, ValueError, TypeError) as error:
            raise self.failed("its report cannot be read", lines) from error

    def failed(self, what: str, lines: Sequence[str]) -> Unreachable:
        """Return the error for a scan that says nothing about whether there are secrets."""
        telling = next((f": {it}" for it in lines if _NOT_SCANNED.search(it)), "")
        return Unreachable(
            f"{self.name} failed ({what}){telling}; nobody knows whether there are secrets",
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
