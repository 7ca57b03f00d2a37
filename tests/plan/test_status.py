"""What `restoops status` says of a host."""

from __future__ import annotations

from dataclasses import replace

import pytest

from restoops.model import HostState, Proxy, Release
from restoops.plan.status import Slot, difference, look_at, status_of
from tests.plan.states import BLUE, GREEN, NO_PROXY, V1, V2, V3, host, proxy, record, run, runs

BOTH = host(
    proxy(GREEN, BLUE, GREEN, covering=True), runs(BLUE, V1), runs(GREEN, V2),
    history=(record(V1, at="2026-01-01T00:00:00.000Z"), record(V2, at="2026-01-02T00:00:00.000Z")),
)  # fmt: skip

UNLIKE_FILE = (
    "HAProxy routes to green, but would route to {} after a restart: the next deploy or rollback "
    "puts it right"
)


def _with(**facts: object) -> HostState:
    assert BOTH.proxy
    return replace(BOTH, proxy=replace(BOTH.proxy, **facts))  # type: ignore[arg-type]  # by name


@pytest.mark.parametrize(
    ("state", "faults"),
    [
        pytest.param(BOTH, [], id="all is well"),
        pytest.param(HostState("web-1"), [], id="nothing was deployed yet"),
        pytest.param(host(NO_PROXY), [], id="a first deploy that failed"),
        pytest.param(_with(on_file=BLUE),
                     [UNLIKE_FILE.format("blue")],
                     id="the file says otherwise"),
        pytest.param(_with(on_file=None),
                     [UNLIKE_FILE.format("nobody")],
                     id="the file says nothing"),
        pytest.param(_with(up=frozenset({BLUE})),
                     ["green is live but down; blue stands in for it"],
                     id="the warm release stands in"),
        pytest.param(_with(up=frozenset()),
                     ["green is live but not healthy, and nothing stands in for it"],
                     id="both are down"),
        pytest.param(_with(up=frozenset({BLUE}), covering=False),
                     ["green is live but not healthy, and nothing stands in for it"],
                     id="the warm release is not in reserve"),
        pytest.param(replace(BOTH, proxy=Proxy(False, False, GREEN, GREEN)),
                     ["the proxy does not run: nobody is served"], id="no proxy runs"),
        pytest.param(replace(BOTH, history_altered="history.jsonl was altered: entry 7"),
                     ["history.jsonl was altered: entry 7"], id="the history was altered"),
        pytest.param(HostState("web-1", history_altered="history.jsonl was altered: entry 7"),
                     ["history.jsonl was altered: entry 7"],
                     id="the history of a host that serves nothing was altered"),
    ],
)  # fmt: skip
def test_what_a_person_must_look_at(state: HostState, faults: list[str]) -> None:
    assert list(status_of(state).faults) == faults


def test_who_serves_and_who_is_warm_since_when() -> None:
    status = status_of(BOTH)

    assert status.serving == Slot(GREEN, V2, "2026-01-02T00:00:00.000Z", "olga")
    assert status.warm == Slot(BLUE, V1, "2026-01-01T00:00:00.000Z", "olga")
    assert (status.covers, status.proxy) == (True, "running")


def test_the_release_that_stands_in_is_the_one_that_serves() -> None:
    status = status_of(_with(up=frozenset({BLUE})))

    assert status.serving
    assert status.serving.release == V1
    assert not status.covers


def test_a_stopped_release_is_not_warm() -> None:
    stopped = runs(BLUE, V1, status="exited")
    state = replace(BOTH, containers={BLUE: stopped, GREEN: runs(GREEN, V2)})

    assert status_of(state).warm is None


V3_INTO_BLUE = run(V3, old=GREEN, new=BLUE)
PREPARING = host(
    proxy(GREEN, BLUE, GREEN), runs(BLUE, V3), runs(GREEN, V2), open_run=V3_INTO_BLUE
)  # fmt: skip


@pytest.mark.parametrize(
    ("state", "warm"),
    [
        pytest.param(PREPARING, None, id="not a release that is not known to be well"),
        pytest.param(replace(BOTH, open_run=V3_INTO_BLUE), V1, id="what it is not replaced yet"),
        pytest.param(replace(BOTH, open_run=run(V1, old=GREEN, new=BLUE)), V1,
                     id="the same release, which still is in reserve"),
        pytest.param(replace(PREPARING, open_run=run(V3, "rollback", old=GREEN, new=BLUE,
                                                     started_new=False)), V3,
                     id="what a rollback goes back to without a start"),
        pytest.param(replace(PREPARING, proxy=proxy(BLUE, BLUE, GREEN)), V2,
                     id="the one before, after the switch"),
        pytest.param(replace(PREPARING, open_run=replace(V3_INTO_BLUE, going_back=True)), None,
                     id="not what failed after its switch"),
    ],
)  # fmt: skip
def test_what_is_warm_while_a_run_is_open(state: HostState, warm: Release | None) -> None:
    found = status_of(state).warm

    assert (found.release if found else None) == warm


@pytest.mark.parametrize(
    ("state", "text"),
    [
        pytest.param(HostState("web-1"), "not running", id="never started"),
        pytest.param(host(NO_PROXY), "not running", id="stopped"),
        pytest.param(_with(current=False), "running, with settings of before", id="stale"),
    ],
)
def test_how_the_proxy_is(state: HostState, text: str) -> None:
    assert status_of(state).proxy == text


def test_a_run_that_is_open_is_told() -> None:
    assert status_of(replace(BOTH, open_run=run(V1))).open_run == run(V1)


def _on(name: str, state: HostState = BOTH) -> HostState:
    return replace(state, host=name)


OTHER = host(proxy(BLUE, BLUE), runs(BLUE, V1))
RETAGGED = host(proxy(GREEN, GREEN), runs(GREEN, Release("x", V2.digest)))
V1_SHORT, V2_SHORT = V1.digest.short, V2.digest.short


@pytest.mark.parametrize(
    ("states", "text"),
    [
        pytest.param([], "", id="no hosts"),
        pytest.param([_on("web-1")], "", id="one host"),
        pytest.param([_on("web-1"), _on("web-2")], "", id="all serve the same"),
        pytest.param([HostState("web-1"), HostState("web-2")], "", id="all serve nothing"),
        pytest.param([_on("web-1"), _on("web-2", OTHER), _on("web-3")],
                     f"the hosts differ: v2 ({V2_SHORT}) on web-1, web-3; v1 ({V1_SHORT}) on web-2",
                     id="one serves another release"),
        pytest.param([_on("web-1"), HostState("web-2")],
                     f"the hosts differ: v2 ({V2_SHORT}) on web-1; nothing on web-2",
                     id="one serves nothing"),
        pytest.param([_on("web-1"), _on("web-2", RETAGGED)],
                     "", id="the same image under another tag is the same release"),
    ],
)  # fmt: skip
def test_hosts_that_serve_different_releases_are_told(states: list[HostState], text: str) -> None:
    assert difference([status_of(state) for state in states]) == text


def test_what_a_person_must_look_at_on_several_hosts_is_a_sentence_a_host() -> None:
    down = replace(_with(on_file=BLUE, up=frozenset({BLUE})), host="web-2")

    found = look_at([status_of(state) for state in (_on("web-1"), down)])

    assert found == (
        f"web-2: {UNLIKE_FILE.format('blue')}; green is live but down; blue stands in for it",
        f"the hosts differ: v2 ({V2_SHORT}) on web-1; v1 ({V1_SHORT}) on web-2",
    )


def test_hosts_that_are_well_and_agree_need_nobody() -> None:
    assert look_at([status_of(_on("web-1")), status_of(_on("web-2"))]) == ()
