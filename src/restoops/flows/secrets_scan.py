"""Look for secrets in files, in what is about to be committed, or in all that ever was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from restoops.adapters.git import repository_of
from restoops.adapters.private import private_directory, write_private
from restoops.adapters.process import find
from restoops.adapters.scanners import Orders, find_scanner
from restoops.errors import StepFailed, Unreachable, UsageError
from restoops.plan.leaks import Scan, baseline_of, fingerprints_of, leaks_of, without_known

_RULES = ".gitleaks.toml"
_BASELINE = ".gitleaks-baseline.json"
_RULES_BY_VARIABLE = ("GITLEAKS_CONFIG", "GITLEAKS_CONFIG_TOML", "BETTERLEAKS_CONFIG",
                      "BETTERLEAKS_CONFIG_TOML")  # fmt: skip


class Scope(Enum):
    """What a scan looks at."""

    FILES = "files"
    STAGED = "what is staged"
    HISTORY = "the history of all branches"


@dataclass(frozen=True, slots=True)
class Wish:
    """What the operator wants scanned.

    Attributes:
        scope: what is looked at.
        path: file or directory, for `FILES`.
        baseline: known findings to pass over; None takes the file that is there.
        new_baseline: where all findings are written down as known.
    """

    scope: Scope
    path: Path
    baseline: Path | None = None
    new_baseline: Path | None = None


def scan(wish: Wish, environ: Mapping[str, str]) -> Scan:
    """Return what the scanner found beyond the baseline.

    Raises:
        UsageError: there is nothing to scan, or the baseline is none.
        Unreachable: the scanner is missing or failed, or a part of the history is not here.
    """
    scanner = find_scanner(lambda name: find(name, environ))
    orders = _orders(wish, environ)
    known = _known(wish, orders.cwd)
    with private_directory() as folder:
        report = scanner.scan(orders, folder / "report.json")
    found = leaks_of(report.findings)
    new = () if wish.new_baseline else without_known(found, known)
    if report.missed and not new:
        raise scanner.failed("it did not scan everything", report.missed)
    if wish.new_baseline:
        write_private(wish.new_baseline, json.dumps(baseline_of(found), indent=1) + "\n")
    scanned = orders.files if wish.scope is Scope.FILES else wish.scope.value
    return Scan(scanner.name, scanned or "", new, len(found) - len(new), report.missed)


def _orders(wish: Wish, environ: Mapping[str, str]) -> Orders:
    here = Path.cwd()
    if wish.scope is Scope.FILES:
        if not wish.path.exists():
            raise UsageError(f"{wish.path} does not exist")
        # A path that begins with a dash is no option.
        files = f"./{wish.path}" if str(wish.path).startswith("-") else str(wish.path)
        return Orders(here, files, config=_rules(wish.path.resolve(), environ))
    try:
        repository = repository_of(here)
    except StepFailed as error:
        raise UsageError(
            f"{here} cannot be scanned as a repository: {error.message}",
            hint="Go into the repository, or name a file or a directory to scan.",
            details=error.details,
        ) from error
    if wish.scope is Scope.HISTORY and repository.is_shallow:
        raise Unreachable(
            "this clone is shallow: a part of the history is not here",
            hint="`git fetch --unshallow` brings it; in GitHub Actions, `fetch-depth: 0`.",
        )
    is_staged = wish.scope is Scope.STAGED
    return Orders(repository.top, None, is_staged, _rules(repository.top, environ))


def _rules(start: Path, environ: Mapping[str, str]) -> Path | None:
    if any(environ.get(name) for name in _RULES_BY_VARIABLE):
        return None  # the scanner reads them itself
    return _nearest(_RULES, start)


def _nearest(name: str, start: Path) -> Path | None:
    candidates = (folder / name for folder in (start, *start.parents))
    return next((it for it in candidates if it.is_file()), None)


def _known(wish: Wish, cwd: Path) -> tuple[str, ...]:
    file = wish.baseline or _nearest(_BASELINE, cwd)
    if file is None or wish.new_baseline:
        return ()
    try:
        return fingerprints_of(json.loads(file.read_text("utf-8")))
    except OSError as error:
        raise UsageError(
            f"baseline {file} cannot be read: {error.strerror}", hint="`--baseline FILE` names it."
        ) from error
    except ValueError as error:
        raise UsageError(
            f"baseline {file} is no report of findings",
            hint="`restoops secrets scan --write-baseline FILE` writes one.",
        ) from error
