"""How much memory a command and the processes that it starts take together."""

import re
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

_EVERY_S = 0.1


def peak_together_mib(
    argv: Sequence[str], cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> float:
    """Run a command that has to succeed; return the most that it had at any moment looked at.

    Of a process that it starts only the pages count that are in no other process: what they share
    with the command counts there (https://docs.kernel.org/filesystems/proc.html, `smaps_rollup`).
    """
    peak = 0.0
    nobody = subprocess.DEVNULL
    with subprocess.Popen(
        [*argv], cwd=cwd, env=env, stdin=nobody, stdout=nobody, stderr=nobody
    ) as command:
        while command.poll() is None:
            with suppress(FileNotFoundError, ProcessLookupError, TypeError):  # one has just ended
                now = _kib(command.pid, "Rss")
                for child in _children(command.pid):
                    now += _kib(child, "Private_Clean") + _kib(child, "Private_Dirty")
                peak = max(peak, now / 1024)
            time.sleep(_EVERY_S)
    assert command.returncode == 0, f"{list(argv)} ended with {command.returncode}"
    return peak


def _kib(pid: int, what: str) -> int:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    found = re.search(rf"^{what}: +(\d+) kB", text, re.MULTILINE)
    return int(found[1]) if found else 0  # it has ended, and was not waited for


def _children(pid: int) -> list[int]:
    return [int(it) for it in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
