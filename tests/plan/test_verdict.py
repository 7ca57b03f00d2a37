"""From answers to a verdict: what is healthy, degraded, down, and what could not be asked."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from restoops.model import Answer, Color, Container, Digest, HostState, Proxy, Release, Visit
from restoops.plan.smoke import Result
from restoops.plan.verdict import (
    HostLook,
    PublicLook,
    Service,
    Verdict,
    judge,
    judge_host,
    judge_public,
    services_in,
)

AT = "2026-01-01T00:00:00.000Z"
NOW = Release("sha-abc1234", Digest(f"sha256:{'1' * 64}"))
OLD = Release("sha-5e1d0c9", Digest(f"sha256:{'2' * 64}"))
GREAT = {
    "status": "ok",
    "services": {
        "database": {"status": "connected", "response_time_ms": 1.5},
        "redis": {"status": "connected", "response_time_ms": 0.3},
    },
    "release": {"sha": "abc1234"},
}


def body(**changes: object) -> str:
    return json.dumps(GREAT | changes)


def state(release: Release = NOW, **proxy: Any) -> HostState:
    container = Container("id", Color.BLUE, release, "spec", "running")
    up = {"up": frozenset({Color.BLUE}), **proxy}
    found = Proxy(running=True, current=True, live=Color.BLUE, on_file=Color.BLUE)
    return HostState("web-1", True, replace(found, **up), {Color.BLUE: container})


def look(answer: Answer | None, **more: Any) -> HostLook:
    return HostLook("web-1", more.pop("state", state()), answer, Color.BLUE, **more)


GOOD = look(Answer(200, body(), seconds=0.012))
CUT = {"database": {"status": "disconnected", "reason": "timeout", "response_time_ms": 2000}}


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(GOOD, id="all is well"),
        pytest.param(look(Answer(204)), id="an answer without a body"),
        pytest.param(look(Answer(200, "fine")), id="an answer that is no JSON"),
        pytest.param(look(Answer(200, "[" * 100_000)), id="an answer that is hostile JSON"),
        pytest.param(look(Answer(200, body(), {}, 1), smoke=(Result("a", True, 200, 0.1),)),
                     id="checks that pass"),
    ],
)  # fmt: skip
def test_healthy(seen: HostLook) -> None:
    found = judge_host(seen)
    assert (found.verdict, found.reasons) == (Verdict.HEALTHY, ())


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        (look(Answer(200, body(services=CUT))), "database is disconnected (timeout)"),
        (look(Answer(200, body(services={"queue": "down"}))), "queue is down"),
        (look(Answer(200, body(status="degraded"))), "says of itself that it is degraded"),
        (
            look(Answer(200, body(release={"sha": "5e1d0c9"}))),
            "sha-abc1234 should serve, but the answer says 5e1d0c9",
        ),
        (
            look(Answer(200, body()), smoke=(Result("menu", False, 500, 0.1, "GET /: got 500"),)),
            "smoke check 'menu': GET /: got 500",
        ),
        (look(Answer(200, body()), state=None, fault="no answer from Docker"), ("no answer from "
         "Docker")),
        (
            look(Answer(200, body()), state=state(on_file=None)),
            ("HAProxy routes to blue, but would route to nobody after a restart: the next deploy "
            "or rollback puts it right"),
        ),
    ],
)  # fmt: skip
def test_degraded(seen: HostLook, why: str) -> None:
    found = judge_host(seen)
    assert (found.verdict, found.reasons) == (Verdict.DEGRADED, (why,))


@pytest.mark.parametrize(
    ("seen", "verdict", "why"),
    [
        (look(Answer(503, "no")), Verdict.DOWN, "answers 503: no"),
        (look(Answer(0, "timed out")), Verdict.DOWN, "answers no answer: timed out"),
        (look(Answer(503), state=HostState("web-1")), Verdict.DOWN, "no release is live here"),
        (HostLook("web-1", fault="cannot connect"), Verdict.UNREACHABLE, "cannot connect"),
    ],
)
def test_down_and_unreachable(seen: HostLook, verdict: Verdict, why: str) -> None:
    found = judge_host(seen)
    assert found.verdict is verdict
    assert why in found.reasons


def public(answer: Answer, **more: Any) -> PublicLook:
    visit = Visit(answer, more.pop("valid_until", "2026-03-01T00:00:00Z"), more.pop("tls", ""))
    return PublicLook("https://api.example.com", visit, **more)


TO_HTTPS = Answer(301, "", {"location": "https://api.example.com/health"})


@pytest.mark.parametrize(
    ("seen", "verdict", "why"),
    [
        (public(Answer(200, body()), plain=TO_HTTPS), Verdict.HEALTHY, ()),
        (public(Answer(200, body())), Verdict.HEALTHY, ()),
        (
            public(Answer(200, body()), valid_until="2026-01-05T12:00:00Z"),
            Verdict.DEGRADED,
            ("its certificate ends in 4.5 days",),
        ),
        (
            public(Answer(200, body()), plain=Answer(200)),
            Verdict.DEGRADED,
            ("plain HTTP answers 200 and does not lead to HTTPS",),
        ),
        (
            public(Answer(200, body()), plain=Answer(301, "", {"location": "http://a.example/"})),
            Verdict.DEGRADED,
            ("plain HTTP answers 301 and does not lead to HTTPS",),
        ),
        (
            public(Answer(200, body()), plain=Answer(0, "Connection refused")),
            Verdict.DEGRADED,
            ("plain HTTP does not answer (Connection refused) and does not lead to HTTPS",),
        ),
        (
            public(Answer(200, body(release={"sha": "5e1d0c9"}))),
            Verdict.DEGRADED,
            ("answers with 5e1d0c9, which should serve on no host",),
        ),
        (
            public(Answer(0), valid_until="", tls="its certificate is not trusted: expired"),
            Verdict.DOWN,
            ("its certificate is not trusted: expired",),
        ),
        (public(Answer(502, "bad")), Verdict.DOWN, ("answers 502: bad",)),
        (
            public(Answer(0, "Connection refused"), valid_until=""),
            Verdict.UNREACHABLE,
            ("cannot be reached: Connection refused",),
        ),
    ],
)
def test_the_public_address(seen: PublicLook, verdict: Verdict, why: tuple[str, ...]) -> None:
    found = judge_public(seen, [judge_host(GOOD)], at=AT, tls_days=14)
    assert (found.verdict, found.reasons) == (verdict, why)


DOWN = look(Answer(503))
AWAY = HostLook("web-2", fault="cannot connect")
FINE, BROKEN = public(Answer(200, body())), public(Answer(502))
REFUSED = public(Answer(0, "refused"))


@pytest.mark.parametrize(
    ("hosts", "outside", "verdict"),
    [
        pytest.param([GOOD, GOOD], FINE, Verdict.HEALTHY, id="all of it"),
        pytest.param([GOOD, AWAY], None, Verdict.DEGRADED, id="one host is not reached"),
        pytest.param([GOOD, DOWN], FINE, Verdict.DEGRADED, id="one host is down"),
        pytest.param([DOWN, DOWN], None, Verdict.DOWN, id="all hosts are down"),
        pytest.param([DOWN, AWAY], None, Verdict.DOWN, id="none is known to serve"),
        pytest.param([AWAY, AWAY], None, Verdict.UNREACHABLE, id="nothing is reached"),
        pytest.param([AWAY], REFUSED, Verdict.UNREACHABLE, id="nothing, nor from outside"),
        pytest.param([AWAY], FINE, Verdict.DEGRADED, id="clients are served all the same"),
        pytest.param([GOOD], BROKEN, Verdict.DOWN, id="clients are not served"),
        pytest.param([GOOD], REFUSED, Verdict.DOWN, id="clients do not get there"),
    ],
)
def test_all_together(hosts: list[HostLook], outside: PublicLook | None, verdict: Verdict) -> None:
    assert judge(hosts, outside, at=AT, tls_days=14).verdict is verdict


def test_hosts_that_serve_different_releases_are_degraded() -> None:
    other = look(Answer(200, body(release={"sha": "5e1d0c9"})), state=state(OLD))
    found = judge([GOOD, replace(other, host="web-2")], None, at=AT, tls_days=14)

    assert found.verdict is Verdict.DEGRADED
    assert [it.verdict for it in found.hosts] == [Verdict.HEALTHY, Verdict.HEALTHY]
    assert found.reasons[0].startswith("the hosts differ: sha-abc1234")


def test_services_are_told_with_their_times() -> None:
    assert services_in(body()) == (
        Service("database", "connected", 1.5),
        Service("redis", "connected", 0.3),
    )
    assert services_in('{"services": [1]}') == ()
    assert services_in('{"services": {"a": {}}}') == (Service("a", "unknown"),)
