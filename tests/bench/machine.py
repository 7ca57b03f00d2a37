"""Where a measurement is made, without anything that names the machine or its user."""

import os
import platform
import re
import subprocess
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from tests.bench.samples import Place

_ROOT = Path(__file__).parents[2]
_PROGRAMS = {
    "Docker": ("docker", "version", "--format", "{{.Server.Version}}"),
    "HAProxy": ("haproxy", "-v"),
    "Terraform": ("terraform", "version"),
    "OpenSSH": ("ssh", "-V"),
}


def place() -> Place:
    """Return this machine, and the versions of what is measured or takes part."""
    versions = {"Python": platform.python_version()}
    versions |= {name: version_in(_printed(*argv)) for name, argv in _PROGRAMS.items()}
    versions["Ansible"] = version("ansible-core")
    return Place(
        cores=os.cpu_count() or 1,
        processor=_line_of("/proc/cpuinfo", "model name") or platform.machine(),
        memory_gib=round(int(_line_of("/proc/meminfo", "MemTotal").split()[0]) / 1024**2, 1),
        system=platform.freedesktop_os_release()["PRETTY_NAME"],
        kernel=platform.release(),
        versions=versions,
    )


def busy(seconds: float = 1.0) -> float:
    """Return what share of the processors is in use, 0 to 1, over so many seconds from now."""
    before = _processor_times()
    time.sleep(seconds)
    return busy_share(before, _processor_times())


def busy_share(before: Sequence[int], after: Sequence[int]) -> float:
    """Return the share that was not idle between two readings of /proc/stat.

    Waiting for a disk is idle too; the fourth and fifth number are the two.
    """
    spent = [later - earlier for earlier, later in zip(before, after, strict=True)]
    return 1 - (spent[3] + spent[4]) / sum(spent) if sum(spent) else 0.0


def _processor_times() -> list[int]:
    # What guests take is in the first two already: the last two numbers repeat it.
    return [int(it) for it in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]


def commit() -> str:
    """Return the commit of restoops, with a plus when `src` is not as it was committed."""
    found = _printed("git", "-C", str(_ROOT), "rev-parse", "--short=7", "HEAD").strip()
    changed = _printed("git", "-C", str(_ROOT), "status", "--porcelain", "--", "src").strip()
    return f"{found}+" if changed else found or "unknown"


def version_in(text: str) -> str:
    """Return the version that a program printed."""
    found = re.search(r"\d+\.\d+[\w.+-]*", text)
    return found[0] if found else "not there"


def _printed(*argv: str) -> str:
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    except FileNotFoundError:
        return ""
    return "" if done.returncode else done.stdout + done.stderr


def _line_of(file: str, key: str) -> str:
    lines = (line.partition(":") for line in Path(file).read_text().splitlines())
    return next((value.strip() for name, _, value in lines if name.strip() == key), "")
