"""What `restoops secrets` found: names and places, never a value."""

from __future__ import annotations

from restoops.plan.env_check import EnvCheck
from restoops.plan.leaks import Leak, Scan
from restoops.report.infra import aligned, print_lines
from restoops.report.jsonl import plain, write

_SHORT = 12


def show_scan(scan: Scan, *, as_json: bool) -> None:
    """Print the places where secrets stand."""
    if as_json:
        write(plain(scan))
        return
    if scan.leaks:
        rows = [(it.rule, _place(it), it.commit[:_SHORT], it.description) for it in scan.leaks]
        print_lines(aligned([("RULE", "PLACE", "COMMIT", "WHAT"), *rows]))
    known = f", {scan.known} known passed over" if scan.known else ""
    print_lines(
        [f"{scan.scanned}: {counted(len(scan.leaks), 'secret')} found by {scan.scanner}{known}"]
    )


def show_check(check: EnvCheck, *, as_json: bool) -> None:
    """Print what is wrong with an environment."""
    if as_json:
        write(plain(check))
        return
    if check.findings:
        rows = [(it.name, it.problem.value, it.meaning) for it in check.findings]
        print_lines(aligned([("NAME", "PROBLEM", "WHAT TO DO"), *rows]))
    fine = "is as" if not check.findings else "is not as"
    print_lines([f"{check.environment}: {check.source} {fine} {check.template} wants"])


def counted(number: int, what: str) -> str:
    """Return a number with its noun."""
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"


def _place(leak: Leak) -> str:
    return f"{leak.file}:{leak.line}" if leak.line else leak.file
