"""Put what comes with restoops into a repository, and bring later versions of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from restoops import __version__
from restoops.adapters import tree
from restoops.adapters.manifest import PATH, Entry, Manifest, parse, render, sha256_of
from restoops.adapters.merge import merged
from restoops.config.load import FILE_NAME
from restoops.errors import Interrupted, Refused
from restoops.flows.init_source import brought
from restoops.plan.placing import (
    CHANGING,
    Found,
    Known,
    Part,
    Placing,
    Shipped,
    Verdict,
    decide,
    difference,
    known_after,
)

Write = Callable[[Path, bytes], None]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for; no parts: all, or with an upgrade those that were brought before."""

    root: Path
    parts: frozenset[Part] = frozenset()
    is_upgrade: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """What there is to do with one file; `content` is what it will be, None if it is removed."""

    placing: Placing
    place: Path
    content: bytes | None
    after: Entry | None
    rejects: bytes = b""


@dataclass(frozen=True, slots=True)
class Plan:
    """All that there is to do, decided before the first file is touched."""

    root: Path
    jobs: Mapping[str, Job]
    manifest: Manifest = field(default_factory=Manifest)

    @property
    def placings(self) -> dict[str, Placing]:
        """What becomes of each file, by path."""
        return {path: job.placing for path, job in self.jobs.items()}

    @property
    def seeds(self) -> dict[str, str]:
        """Files that are written once, with their text, by path."""
        jobs = {str(self.root / path): job for path, job in self.jobs.items()}
        return {
            path: (job.content or b"").decode()
            for path, job in jobs.items()
            if job.placing.part is Part.CONFIG and job.placing.verdict is Verdict.WRITTEN
        }

    @property
    def rejected(self) -> tuple[str, ...]:
        """Files that need a person."""
        held = {Verdict.CONFLICT, Verdict.UNSETTLED}
        return tuple(path for path, it in self.jobs.items() if it.placing.verdict in held)


def prepare(
    wish: Wish,
    bring: Callable[[frozenset[Part]], Mapping[str, Shipped]] = brought,
    version: str = __version__,
) -> Plan:
    """Decide what becomes of each file that `bring` has; nothing is changed.

    Raises:
        Refused: a link leads out of the repository, something is in the way, or what is there came
            with a later `version`.
        UsageError: the manifest is damaged.
        StepFailed: an upgrade has to merge, and there is no git.
    """
    _check_root(wish.root)
    file = tree.place_of(wish.root, PATH)
    manifest = _settled(parse(tree.read(file), str(wish.root / PATH)), wish.root)
    _check_version(manifest.restoops, version, wish.root)
    parts = _parts(wish, manifest)
    shipped = bring(parts)
    known = {path: it for path, it in manifest.files.items() if it.part in parts}
    paths = sorted({*shipped, *known})
    jobs = {path: _job(wish, path, shipped.get(path), known.get(path)) for path in paths}
    brings = version if wish.is_upgrade else manifest.restoops or version
    return Plan(wish.root, jobs, replace(manifest, restoops=brings))


def _check_version(brought_by: str, version: str, root: Path) -> None:
    """Raise when an older restoops would take back what a later one has brought."""
    if _numbers(brought_by) > _numbers(version):
        raise Refused(
            f"what is in {root} came with restoops {brought_by}, and this is {version}",
            hint="Upgrade restoops: `pipx upgrade restoops`.",
        )


def _numbers(version: str) -> tuple[int, ...]:
    released = version.partition("+")[0].partition("dev")[0]
    return tuple(map(int, re.findall(r"\d+", released)))


def _check_root(root: Path) -> None:
    if not root.is_dir():
        reason = "Not a directory" if root.exists() else "No such file or directory"
        raise Refused(f"{root / FILE_NAME} cannot be written: {reason}")


def _parts(wish: Wish, manifest: Manifest) -> frozenset[Part]:
    if wish.parts or not wish.is_upgrade:
        return wish.parts or frozenset(Part)
    names = {entry.part for entry in (*manifest.files.values(), *manifest.pending.values())}
    if not names:
        raise Refused(
            f"nothing in {wish.root} was brought by `restoops init`",
            hint="`restoops init` does, and leaves alone what is there already.",
        )
    return frozenset(part for part in Part if part in names)


def _settled(manifest: Manifest, root: Path) -> Manifest:
    """Return a manifest without what is pending: each file tells whether it was reached."""
    files = dict(manifest.files)
    for path, entry in manifest.pending.items():
        content = tree.read(tree.place_of(root, path))
        if content is not None and sha256_of(content) == entry.result:
            files[path] = replace(entry, result="")
    return replace(manifest, files=files, pending={})


def _job(wish: Wish, path: str, shipped: Shipped | None, entry: Entry | None) -> Job:
    place = tree.place_of(wish.root, path)
    known = Known(Part(entry.part), entry.content) if entry else None
    rejects = _rejects(path, shipped, known)
    there = tree.read(tree.place_of(wish.root, f"{path}.rej"))
    # The same ones are of a run that was cut off.
    found = Found(tree.read(place), there not in {None, rejects})
    verdict = decide(shipped, known, found, is_upgrade=wish.is_upgrade)
    content = found.content
    match verdict:
        case Verdict.WRITTEN | Verdict.REPLACED if shipped:
            content = shipped.content
        case Verdict.REMOVED:
            content = None
        case Verdict.MERGED if shipped and known and found.content is not None:
            both = merged(found.content, known.content, shipped.content)
            verdict, content = (verdict, both) if both is not None else (Verdict.CONFLICT, content)
    after = known_after(verdict, shipped, known)
    part = shipped.part if shipped else known.part if known else Part.CONFIG
    placing = Placing(path, part, verdict, _shown(path, verdict, shipped, found, content))
    brought_to = Entry(after.part, after.content) if after else None
    return Job(placing, place, content, brought_to, rejects if verdict is Verdict.CONFLICT else b"")


def _rejects(path: str, shipped: Shipped | None, known: Known | None) -> bytes:
    """Return what is new in this version, as a patch for those that cannot be merged."""
    if not shipped or not known:
        return b""
    names = ("as it came before", "as it comes now")
    return difference(path, known.content, shipped.content, names).encode()


def _shown(
    path: str, verdict: Verdict, shipped: Shipped | None, found: Found, content: bytes | None
) -> str:
    """Return the lines to show about a file: its edits, or what an upgrade does to it."""
    new = shipped.content if shipped else b""
    was = found.content or b""
    match verdict:
        case Verdict.KEPT | Verdict.CONFLICT | Verdict.UNSETTLED:
            return difference(path, new, was, ("as it comes", "as it is here"))
        case Verdict.OUTDATED | Verdict.REPLACED | Verdict.MERGED:
            after = new if verdict is Verdict.OUTDATED else content or b""
            return difference(path, was, after, ("as it is here", "as it comes"))
        case _:
            return ""


def carry_out(plan: Plan, write: Write = tree.replace) -> None:
    """Do it. Each file is replaced whole, and a run that is cut off is gone on with by the next.

    Raises:
        Refused: a file cannot be written.
        Interrupted: by Ctrl-C, between two files.
    """
    changing = {path: it for path, it in plan.jobs.items() if it.placing.verdict in CHANGING}
    file = tree.place_of(plan.root, PATH)
    before = tree.read(file)
    pending = {
        path: replace(job.after, result=sha256_of(job.content))
        for path, job in changing.items()
        if job.after and job.content is not None
    }
    done = 0
    try:
        if pending:
            write(file, render(replace(plan.manifest, pending=pending)))
            before = None
        for job in plan.jobs.values():
            _do(plan.root, job, write)
            done += job.placing.verdict in CHANGING
        after = render(replace(plan.manifest, files=_files_after(plan)))
        if after != before and (before is not None or pending or _files_after(plan)):
            write(file, after)
    except KeyboardInterrupt as error:
        raise Interrupted(
            f"interrupted after {done} of {len(changing)} files",
            hint="Run it again: it goes on from there.",
        ) from error


def _do(root: Path, job: Job, write: Write) -> None:
    if job.rejects:
        write(job.place.with_name(f"{job.place.name}.rej"), job.rejects)
    if job.placing.verdict is Verdict.REMOVED:
        tree.remove(job.place, root)
    elif job.placing.verdict in CHANGING and job.content is not None:
        write(job.place, job.content)


def _files_after(plan: Plan) -> dict[str, Entry]:
    files = {path: it for path, it in plan.manifest.files.items() if path not in plan.jobs}
    return files | {path: job.after for path, job in plan.jobs.items() if job.after}
