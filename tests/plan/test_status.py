"""What `restoops status` says of a host."""

from __future__ import annotations

from dataclasses import replace

import pytest

from restoops.model import HostState, Proxy
from restoops.plan.status import Slot, status_of
from tests.plan.states import BLUE, GREEN, NO_PROXY, V1, V2, host, proxy, record, run, runs

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
