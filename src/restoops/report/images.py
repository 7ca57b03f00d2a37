"""What `restoops images` found, would do and did: tables and lines, or JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import assert_never

from restoops.model import Disk
from restoops.plan.ages import seconds_between
from restoops.plan.fate import Fate
from restoops.plan.listing import Inspected, Listed
from restoops.report.image_events import (
    Deleted,
    HostPruned,
    ImageEvent,
    Note,
    Planned,
    PruneEnded,
    Survived,
    Verified,
)
from restoops.report.jsonl import plain, snake, write
from restoops.report.lines import print_lines, say
from restoops.report.tables import show_table
from restoops.report.wording import counted, duration, moment, size

_NOWHERE = "-"


def teller(*, as_json: bool, now: str) -> Callable[[ImageEvent], None]:
    """Return what prints events as they come."""
    return _tell_json if as_json else lambda event: _tell_plain(event, now)


def show_listing(images: Sequence[Listed], now: str, *, as_json: bool) -> None:
    """Print the images that there are, the newest first."""
    if as_json:
        for image in images:
            write(plain(image))
        return
    for repository in dict.fromkeys(image.repository for image in images):
        here = [image for image in images if image.repository == repository]
        heads = ("TAGS", "DIGEST", "AGE", "SIZE", "PLATFORMS", "RUNS ON", "RESTORABLE ON", "KEPT")
        show_table(heads, [_listed_row(image, now) for image in here], title=repository)


def show_inspected(image: Inspected, now: str, *, as_json: bool) -> None:
    """Print what one image is."""
    if as_json:
        write(plain(image))
        return
    rows = [
        ("image", image.repository),
        ("tags", " ".join(image.tags) or _NOWHERE),
        ("digest", str(image.digest)),
        ("kind", image.media_type),
        ("created", f"{moment(image.created)}, {age(image.created, now)} ago"
         if image.created else "it does not say"),
        *(("platform", f"{it.platform or '?'}  {size(it.size_bytes)}  {it.digest}")
          for it in image.platforms),
        ("built by", image.built_by or "it does not say"),
        *(("label", f"{name}: {value}") for name, value in image.labels.items()),
        *(("about it", kind) for kind in image.attestations),
        ("runs on", " ".join(image.running) or "no host"),
        ("restorable on", " ".join(image.restorable) or "no host"),
    ]  # fmt: skip
    show_table((), rows)


def age(created: str, now: str) -> str:
    """Return how old something is, in words."""
    if not created:
        return "?"
    return duration(max(0.0, seconds_between(created, now)))


def _listed_row(image: Listed, now: str) -> tuple[str, ...]:
    kept = image.protected or ("" if image.in_registry else "only on hosts")
    return (
        " ".join(image.tags) or _NOWHERE,
        image.digest.short,
        age(image.created, now),
        size(image.size_bytes),
        " ".join(image.platforms) or _NOWHERE,
        " ".join(image.running) or _NOWHERE,
        " ".join(image.restorable) or _NOWHERE,
        kept or "no: `images prune` would delete it",
    )


def _tell_json(event: ImageEvent) -> None:
    if isinstance(event, Planned):
        for fate in event.fates:
            write({"event": "fate", **plain(fate)})
    else:
        write({"event": snake(type(event).__name__), **plain(event)})


def _tell_plain(event: ImageEvent, now: str) -> None:
    match event:
        case Planned():
            _show_plan(event, now)
        case Deleted(_, where, digest, tags, _, reason):
            say(f"{where}  deleted {digest.short}  {' '.join(tags) or _NOWHERE}  {reason}")
        case Survived(where, digest, tags, reason):
            say(f"{where}  kept after all {digest.short}  {' '.join(tags)}: {reason}")
        case Note(text):
            say(text)
        case HostPruned(where, deleted, before, after):
            print_lines([f"{where}: {counted(deleted, 'image')} removed{_disk(before, after)}"])
        case Verified(where, tags, faults):
            bad = f", {len(faults)} are NOT" if faults else ""
            print_lines([f"{where}: {tags - len(faults)} of {tags} tags are complete{bad}"])
        case PruneEnded():
            print_lines([_ending(event)])
        case _:
            assert_never(event)


def _show_plan(event: Planned, now: str) -> None:
    if not event.fates:
        print_lines([f"{event.where}: no images"])
        return
    rows = [_fate_row(fate, now) for fate in event.fates]
    show_table(("PLAN", "TAGS", "DIGEST", "AGE", "SIZE", "WHY"), rows, title=event.where)
    counts = Counter(fate.action for fate in event.fates)
    parts = f" and {event.parts} parts of them" if event.parts else ""
    told = f"{counts['keep']} kept, {counts['delete']} to delete{parts}, {size(event.size_bytes)}"
    print_lines([f"{event.where}: {told}"])


def _fate_row(fate: Fate, now: str) -> tuple[str, ...]:
    tags = " ".join(fate.tags) or _NOWHERE
    return (
        fate.action, tags, fate.digest.short, age(fate.created, now), size(fate.size_bytes),
        fate.reason,
    )  # fmt: skip


def _ending(event: PruneEnded) -> str:
    if event.dry_run:
        return "dry run: nothing was deleted"
    if not event.deleted:
        return "nothing was deleted"
    kept = f"; {event.survived} kept after all" if event.survived else ""
    return f"{event.deleted} deleted, {size(event.size_bytes)}{kept}; log: {event.log}"


def _disk(before: Disk | None, after: Disk | None) -> str:
    if not before or not after:
        return ""
    return f"; free on its disk: {size(before.free_bytes)} before, {size(after.free_bytes)} after"


def question(going: Sequence[tuple[str, int, int]]) -> str:
    """Return what to ask: `going` says for each place how many images go, and their size."""
    return f"Delete {' and '.join(_going(going))}?"


def _going(going: Sequence[tuple[str, int, int]]) -> Iterator[str]:
    for where, count, size_bytes in going:
        if count:
            yield f"{counted(count, 'image')} ({size(size_bytes)}) {where}"
