"""What git says of a directory: which commit its code is of, which repository it is in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from restoops.adapters import process
from restoops.errors import StepFailed

_ANSWER_S = 2
_CODE = (".tf", ".tf.json", ".tftpl", ".tfvars", ".tfvars.json", ".yaml", ".yml", ".sh")
"""What counts of files that git does not know: a plan that was saved there does not."""


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit, and whether the files are as in it; `sha` is empty outside of a repository."""

    sha: str
    is_clean: bool


def commit_of(directory: Path, *scope: Path) -> Commit:
    """Return the commit that is checked out; only files below `scope` are looked at."""
    try:
        sha = process.run(["git", "-C", str(directory), "rev-parse", "HEAD"]).strip()
        words = ["status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames", "--"]
        argv = ["git", "-C", str(directory), *words, *map(str, scope)]
        entries = process.run(argv).split("\0")
    except StepFailed:  # no repository, no commit yet, or no git
        return Commit("", is_clean=True)
    changed = (it for it in entries if it and (it[:2] != "??" or it.endswith(_CODE)))
    return Commit(sha, is_clean=not any(changed))


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository, by the directory at its top; a shallow one lacks a part of its history."""

    top: Path
    is_shallow: bool


def repository_of(directory: Path) -> Repository:
    """Return the repository that `directory` is in.

    Raises:
        StepFailed: there is none, git does not trust it, or there is no git.
    """
    words = ["rev-parse", "--show-toplevel", "--is-shallow-repository"]
    found = process.run(["git", "-C", str(directory), *words])
    top, _, is_shallow = found.strip().rpartition("\n")
    return Repository(Path(top), is_shallow == "true")


def authored(directory: Path, sha: str) -> tuple[str, str, str] | None:
    """Return whole SHA, author and subject of a commit; None when it is not known here."""
    words = ["log", "-1", "--format=%H%x00%an%x00%s", f"{sha}^{{commit}}", "--"]
    try:
        found = process.run(["git", "-C", str(directory), *words], timeout_s=_ANSWER_S)
    except StepFailed:
        return None
    # Names and subjects are bytes to git, and not always text.
    parts = found.encode(errors="replace").decode().rstrip("\n").split("\0")
    return (parts[0], parts[1], parts[2]) if len(parts) == 3 else None


def origin_of(directory: Path) -> str:
    """Return the URL of `origin`; it may hold credentials. Nothing when there is none."""
    try:
        return process.run(
            ["git", "-C", str(directory), "remote", "get-url", "origin"], timeout_s=_ANSWER_S
        ).strip()
    except StepFailed:
        return ""


def tracked_files(top: Path, *scope: str) -> tuple[str, ...]:
    """Return the files of a repository below some of its directories, as git lists them.

    Raises:
        StepFailed: it is no repository, or there is no git.
    """
    argv = ["git", "-C", str(top), "ls-files", "-z", "--cached", "--", *scope]
    return tuple(name for name in process.run(argv).split("\0") if name)
