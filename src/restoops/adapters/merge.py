"""Three-way merges, by git."""

from __future__ import annotations

from restoops.adapters import process
from restoops.adapters.private import private_directory

_MOST_CONFLICTS = 127
"""Above that, the exit status of `git merge-file` is an error."""


def merged(ours: bytes, base: bytes, theirs: bytes) -> bytes | None:
    """Return a text with the changes of both sides, or None where they contradict each other.

    Raises:
        StepFailed: git is not installed, or cannot merge these.
    """
    with private_directory() as folder:
        paths = []
        for name, content in (("ours", ours), ("base", base), ("theirs", theirs)):
            (folder / name).write_bytes(content)
            paths.append(str(folder / name))
        argv = ["git", "merge-file", "-p", *paths]
        done = process.finish(argv)
    if not done.exit_code:
        return done.stdout
    if done.exit_code > _MOST_CONFLICTS:
        raise process.failure(argv[:2], done.exit_code, done.stderr)
    return None
