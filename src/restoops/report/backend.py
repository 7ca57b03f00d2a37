"""What came of making the bucket for Terraform's state."""

from __future__ import annotations

from typing import Any

from restoops.report.jsonl import plain, write
from restoops.report.lines import print_lines


def show_backend(ready: Any, *, as_json: bool) -> None:
    """Print what was done, and whether the state is locked there."""
    if as_json:
        write(plain(ready))
        return
    done = "would" if ready.dry_run else "done:"
    print_lines(f"{done} {what}" for what in ready.changed)
    if not ready.changed:
        print_lines([f"{ready.environment}: all is there already"])
    print_lines([f"state: {ready.bucket} at {ready.endpoint}; {ready.file}"])
    if ready.has_lock:
        print_lines(["locking: on; two writers competed there and one won each time"])
    elif ready.probe is None:
        print_lines(["locking: off, until `--probe` has shown that it can be trusted there"])
    if not ready.changed or ready.dry_run:
        return
    print_lines([f"next: restoops infra init {ready.environment}"])
