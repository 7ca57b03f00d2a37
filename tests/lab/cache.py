"""What the lab keeps from one run to the next: keys, and locks between runs on one machine."""

import fcntl
import hashlib
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LABEL = "restoops-lab"
"""Label of everything the lab makes in the engine; `python -m tests.lab.clean` goes by it."""


def directory() -> Path:
    """Return the cache directory, which `RESTOOPS_LAB_CACHE` can move, and make it."""
    path = Path(os.environ.get("RESTOOPS_LAB_CACHE") or Path.home() / ".cache" / "restoops-lab")
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold the lock `name` of this machine, so that two runs never build the same thing."""
    with (directory() / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def private_key() -> Path:
    """Return the key that logs in to every droplet as `deploy`; the first call makes it."""
    path = directory() / "id_ed25519"
    with locked("key"):
        if not path.exists():
            argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", LABEL, "-f", str(path)]
            subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)
    return path


def public_key() -> str:
    """Return the public half of `private_key`, one line without its end."""
    return private_key().with_suffix(".pub").read_text().strip()


def digest_of(*parts: bytes | str) -> str:
    """Return a short hash that changes with any of `parts`."""
    total = hashlib.sha256()
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        total.update(len(raw).to_bytes(8, "big") + raw)
    return total.hexdigest()[:16]
