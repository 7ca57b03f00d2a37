"""Hosts, releases and runs as values, short enough to be read in a table."""

from __future__ import annotations

import hashlib
from typing import Literal

from restoops.model import (
    Color,
    Container,
    Digest,
    HostState,
    OpenRun,
    Proxy,
    Record,
    Release,
    RunKind,
    Timing,
)
from restoops.plan.bluegreen import Wishes

BLUE, GREEN = Color.BLUE, Color.GREEN
SPEC = "spec"
WISHES = Wishes(spec=SPEC, healthy_s=60, successes=2, drain_s=30, warm_s=600, keep=3)


def digest(name: str) -> Digest:
    return Digest("sha256:" + hashlib.sha256(name.encode()).hexdigest())


def release(name: str) -> Release:
    return Release(name, digest(name))


V1, V2, V3, V4 = (release(name) for name in ("v1", "v2", "v3", "v4"))


def runs(color: Color, what: Release, *, spec: str = SPEC, status: str = "running") -> Container:
    return Container(f"id-{color}-{what.tag}", color, what, spec, status)


def proxy(live: Color | None, *up: Color, covering: bool = False) -> Proxy:
    return Proxy(True, True, live, live, frozenset(up), covering)


NO_PROXY = Proxy(running=False, current=False, live=None, on_file=None)


def host(
    proxy: Proxy | None,
    *containers: Container,
    images: tuple[Release, ...] = (),
    history: tuple[Record, ...] = (),
    open_run: OpenRun | None = None,
) -> HostState:
    """A host that is set up, with the images of its containers and with `images`."""
    here = {c.release.digest for c in containers} | {image.digest for image in images}
    return HostState(
        host="web-1",
        ready=True,
        proxy=proxy,
        containers={c.color: c for c in containers},
        images=frozenset(here),
        open_run=open_run,
        history=history,
    )


def run(
    what: Release,
    kind: RunKind = "deploy",
    *,
    old: Color | None = BLUE,
    new: Color = GREEN,
    started_new: bool = True,
    going_back: bool = False,
    previous: Release | None = None,
) -> OpenRun:
    at = "2026-01-02T03:04:05.000Z"
    return OpenRun(
        f"run-{what.tag}", kind, what, "olga", "laptop", at, old, new,
        started_new, going_back, previous,
    )  # fmt: skip


Outcome = Literal["done", "failed", "interrupted", "finished", "undone"]


def record(
    what: Release,
    outcome: Outcome = "done",
    *,
    back_from: Release | None = None,
    at: str = "2026-01-02T03:05:00.000Z",
    took: dict[str, float] | None = None,
) -> Record:
    """A run that ended; with `back_from` a rollback away from that release, else a deploy."""
    kind: RunKind = "rollback" if back_from else "deploy"
    log = tuple(Timing(step, at, seconds) for step, seconds in (took or {}).items())
    return Record(run(what, kind, previous=back_from), outcome, at, log=log)
