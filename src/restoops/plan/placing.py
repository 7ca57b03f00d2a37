"""Decide what becomes of each file that `restoops init` brings. Pure: texts in, verdicts out."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

_NO_NEWLINE = "\n\\ No newline at end of file\n"


class Part(StrEnum):
    """What can be chosen with `--only`."""

    CONFIG = "config"
    """`restoops.yaml`."""
    TERRAFORM = "terraform"
    ANSIBLE = "ansible"
    DOCKER = "docker"
    ENV = "env"
    """Templates of environments, and the rules by which secrets are found."""
    GITHUB = "github"


class Verdict(StrEnum):
    """What becomes of a file."""

    WRITTEN = "written"
    """It was not there."""
    SAME = "same"
    """It is as it comes with this version."""
    YOURS = "yours"
    """It is written once and never looked at again."""
    KEPT = "kept"
    """It was edited, or was there before; it stays as it is."""
    OUTDATED = "outdated"
    """This version has another one, which `--upgrade` brings."""
    REPLACED = "replaced"
    """Nobody had edited it: it is as in this version now."""
    MERGED = "merged"
    """It has the edits that were made here and what is new in this version."""
    CONFLICT = "conflict"
    """Both changed the same lines: it stays, and what is new is beside it, in FILE.rej."""
    UNSETTLED = "unsettled"
    """There is a FILE.rej from an upgrade before: it stays until that is settled and deleted."""
    REMOVED = "removed"
    """This version has it no more, and nobody had edited it."""
    LEFT = "left"
    """This version has it no more; it was edited and stays, as yours."""
    DELETED = "deleted"
    """It was deleted here and is not written again."""


CHANGING = frozenset({Verdict.WRITTEN, Verdict.REPLACED, Verdict.MERGED, Verdict.REMOVED})


@dataclass(frozen=True, slots=True)
class Shipped:
    """A file that this version brings; a seed is written once and belongs to its owner then."""

    path: str
    part: Part
    content: bytes
    is_seed: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What was brought before: the base from which edits are told."""

    part: Part
    content: bytes


@dataclass(frozen=True, slots=True)
class Found:
    """What is in the repository under a name; None where nothing is."""

    content: bytes | None
    has_rejects: bool = False


@dataclass(frozen=True, slots=True)
class Placing:
    """What becomes of one file, and in which lines it differs from what this version brings."""

    path: str
    part: Part
    verdict: Verdict
    diff: str = ""


def decide(
    shipped: Shipped | None, known: Known | None, found: Found, *, is_upgrade: bool
) -> Verdict:
    """Return what becomes of a file; MERGED stands for an attempt that may end in CONFLICT."""
    if shipped is None:
        return _decide_gone(known, found, is_upgrade=is_upgrade)
    if found.content is None:
        return Verdict.DELETED if known else Verdict.WRITTEN
    if shipped.is_seed:
        return Verdict.YOURS
    if found.content == shipped.content:
        return Verdict.SAME
    if known is None or known.content == shipped.content:
        return Verdict.KEPT
    if not is_upgrade:
        return Verdict.OUTDATED
    if found.content == known.content:
        return Verdict.REPLACED
    return Verdict.UNSETTLED if found.has_rejects else Verdict.MERGED


def _decide_gone(known: Known | None, found: Found, *, is_upgrade: bool) -> Verdict:
    if known is None or found.content is None:
        return Verdict.DELETED
    if not is_upgrade:
        return Verdict.OUTDATED
    return Verdict.REMOVED if found.content == known.content else Verdict.LEFT


def known_after(verdict: Verdict, shipped: Shipped | None, known: Known | None) -> Known | None:
    """Return what is known of a file when all is done; None when nothing is."""
    if verdict in {Verdict.REMOVED, Verdict.LEFT} or (
        shipped is None and verdict is Verdict.DELETED
    ):
        return None
    if shipped is None or shipped.is_seed or verdict is Verdict.YOURS:
        return known
    if verdict in {Verdict.KEPT, Verdict.OUTDATED, Verdict.UNSETTLED, Verdict.DELETED}:
        return known
    return Known(shipped.part, shipped.content)


def difference(path: str, before: bytes, after: bytes, names: tuple[str, str]) -> str:
    """Return how two texts differ, as a patch of `path`; `names` say what each of them is."""
    old, new = (it.decode(errors="replace").splitlines(keepends=True) for it in (before, after))
    patch = difflib.unified_diff(old, new, f"a/{path}\t{names[0]}", f"b/{path}\t{names[1]}")
    return "".join(line if line.endswith("\n") else line + _NO_NEWLINE for line in patch)


def counts(placings: Mapping[str, Placing]) -> dict[Part, dict[Verdict, int]]:
    """Return how often each verdict was given in each part."""
    counted: dict[Part, dict[Verdict, int]] = {}
    for placing in placings.values():
        verdicts = counted.setdefault(placing.part, {})
        verdicts[placing.verdict] = verdicts.get(placing.verdict, 0) + 1
    return counted
