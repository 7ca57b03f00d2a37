"""What an operator wants to know about a host, from its state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from restoops.model import Color, Container, Digest, HostState, OpenRun, Record, Release


@dataclass(frozen=True, slots=True)
class Slot:
    """A release that runs on the host."""

    color: Color
    release: Release
    since: str
    """When it became live, ISO 8601 in UTC; empty when the history does not know."""
    who: str


@dataclass(frozen=True, slots=True)
class Status:
    """Who serves on a host, what is warm, and whether all is as it should be."""

    host: str
    serving: Slot | None
    warm: Slot | None
    covers: bool
    """Whether the warm release stands in if the serving one dies."""
    proxy: str
    faults: tuple[str, ...]
    """What a person must look at; empty when all is well."""
    open_run: OpenRun | None


def status_of(state: HostState) -> Status:
    """Return the status of a host."""
    is_live = state.answering is state.live
    return Status(
        host=state.host,
        serving=_slot(state, state.serving),
        warm=_slot(state, warm_of(state)),
        covers=bool(state.proxy and state.proxy.covering and is_live),
        proxy=_proxy(state),
        faults=(*_faults(state), *filter(None, [state.history_altered])),
        open_run=state.open_run,
    )


def warm_of(state: HostState) -> Container | None:
    """Return what could take over at once: not what a run has started and not shown to be well."""
    found = state.containers.get(state.answering.other) if state.answering else None
    is_warm = found and found.is_running and not _is_unproven(found, state)
    return found if is_warm else None


def _is_unproven(found: Container, state: HostState) -> bool:
    """Whether an open run has started what is in the slot that does not answer."""
    run = state.open_run
    if run is None or (state.proxy and state.proxy.covering):  # what is in reserve is as it was
        return False
    return run.started_new and (found.color, found.release) == (run.new, run.release)


def look_at(statuses: Sequence[Status]) -> tuple[str, ...]:
    """Return what a person must look at: a sentence for each host, then how the hosts differ."""
    faults = (f"{it.host}: {'; '.join(it.faults)}" for it in statuses if it.faults)
    return (*faults, *filter(None, [difference(statuses)]))


def difference(statuses: Sequence[Status]) -> str:
    """Say which hosts serve what, unless they all serve the same image."""
    hosts: dict[Digest | None, list[str]] = {}
    names: dict[Digest | None, str] = {None: "nothing"}
    for status in statuses:
        release = status.serving.release if status.serving else None
        digest = release.digest if release else None
        hosts.setdefault(digest, []).append(status.host)
        if release:
            names.setdefault(release.digest, f"{release.tag} ({release.digest.short})")
    if len(hosts) <= 1:
        return ""
    parts = (f"{names[digest]} on {', '.join(found)}" for digest, found in hosts.items())
    return f"the hosts differ: {'; '.join(parts)}"


def _slot(state: HostState, container: Container | None) -> Slot | None:
    if container is None or not container.is_running:
        return None
    record = _made_live(state, container.release)
    since, who = (record.ended_at, record.run.who) if record else ("", "")
    return Slot(container.color, container.release, since, who)


def _made_live(state: HostState, release: Release) -> Record | None:
    found = (r for r in reversed(state.history) if r.made_live and r.run.release == release)
    return next(found, None)


def _proxy(state: HostState) -> str:
    if state.proxy is None or not state.proxy.running:
        return "not running"
    return "running" if state.proxy.current else "running, with settings of before"


def _faults(state: HostState) -> list[str]:
    proxy, live = state.proxy, state.live
    if live is None or proxy is None:
        return []
    faults = []
    if not proxy.running:
        faults.append("the proxy does not run: nobody is served")
    elif proxy.on_file is not live:
        faults.append(
            f"HAProxy routes to {live}, but would route to {proxy.on_file or 'nobody'} after a "
            "restart: the next deploy or rollback puts it right"
        )
    if proxy.running and live not in proxy.up:
        if state.answering is live:
            faults.append(f"{live} is live but not healthy, and nothing stands in for it")
        else:
            faults.append(f"{live} is live but down; {live.other} stands in for it")
    return faults
