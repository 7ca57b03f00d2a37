"""From what hosts and the public address answer to a verdict: healthy, degraded, down."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from restoops.model import Answer, Color, HostState, Release, Visit
from restoops.plan.ages import seconds_between
from restoops.plan.health import another_release, told_sha
from restoops.plan.smoke import Result
from restoops.plan.status import difference, status_of

_GOOD_WORDS = {"ok", "up", "connected", "healthy", "pass", "passing", "ready"}
_DAY_S = 86400


class Verdict(StrEnum):
    """How a host, the public address or an environment does; the order is from good to bad."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    """It answers, but not all is as it should be."""
    DOWN = "down"
    """Clients are not answered, or with errors."""
    UNREACHABLE = "unreachable"
    """It could not be asked."""


@dataclass(frozen=True, slots=True)
class Service:
    """What an application says of a service that it needs."""

    name: str
    status: str
    response_time_ms: float | None = None
    reason: str = ""

    @property
    def is_good(self) -> bool:
        """Whether the application has it."""
        return self.status.lower() in _GOOD_WORDS


@dataclass(frozen=True, slots=True)
class HostLook:
    """What was seen of a host in one look.

    Attributes:
        state: None when it cannot be told.
        answer: to the health question, through HAProxy; None when nobody could be asked.
        slot: which slot gave it.
        fault: why the host or what serves there is not known.
    """

    host: str
    state: HostState | None = None
    answer: Answer | None = None
    slot: Color | None = None
    smoke: tuple[Result, ...] = ()
    fault: str = ""


@dataclass(frozen=True, slots=True)
class PublicLook:
    """What was seen of the public address in one look.

    Attributes:
        plain: what plain HTTP answered; None when that was not asked.
    """

    url: str
    visit: Visit
    plain: Answer | None = None
    smoke: tuple[Result, ...] = ()


@dataclass(frozen=True, slots=True)
class HostHealth:
    """How a host does: what it answers through HAProxy, and what should serve there."""

    host: str
    verdict: Verdict
    reasons: tuple[str, ...]
    """Why it is not healthy."""
    status: int
    """Of the answer on `health.path`; 0 when there was none."""
    seconds: float
    services: tuple[Service, ...]
    release: Release | None
    """What HAProxy routes to."""
    sha: str
    """Git SHA that the answer names; empty when it names none."""
    smoke: tuple[Result, ...]


@dataclass(frozen=True, slots=True)
class PublicHealth:
    """How the public address does: what clients get there, and how long its certificate is good."""

    url: str
    verdict: Verdict
    reasons: tuple[str, ...]
    status: int
    seconds: float
    services: tuple[Service, ...]
    sha: str
    tls_days: float | None
    """Days until the certificate ends; null without TLS or when it is not trusted."""
    redirects: bool | None
    """Whether plain HTTP leads to HTTPS; null when that was not asked."""
    smoke: tuple[Result, ...]


@dataclass(frozen=True, slots=True)
class Health:
    """How an environment does: each host, the public address, and all together."""

    at: str
    verdict: Verdict
    reasons: tuple[str, ...]
    """Why it is not healthy: all of what is said of hosts and address, and how hosts differ."""
    hosts: tuple[HostHealth, ...]
    public: PublicHealth | None


def judge(
    hosts: Sequence[HostLook], public: PublicLook | None, *, at: str, tls_days: float
) -> Health:
    """Return how an environment does at this moment; `tls_days` is how long a certificate has."""
    judged = tuple(map(judge_host, hosts))
    seen = judge_public(public, judged, at=at, tls_days=tls_days) if public else None
    reasons = [f"{it.host}: {reason}" for it in judged for reason in it.reasons]
    statuses = [status_of(look.state) for look in hosts if look.state]
    reasons += filter(None, [difference(statuses)])
    if seen:
        reasons += [f"{seen.url}: {reason}" for reason in seen.reasons]
    return Health(at, _overall(judged, seen, reasons), tuple(reasons), judged, seen)


def _overall(
    hosts: Sequence[HostHealth], public: PublicHealth | None, reasons: Sequence[str]
) -> Verdict:
    every = [it.verdict for it in hosts] + ([public.verdict] if public else [])
    if all(it is Verdict.UNREACHABLE for it in every):
        return Verdict.UNREACHABLE
    if public:
        # It is what clients see: whatever hosts answer to us.
        nobody_is_served = public.verdict in (Verdict.DOWN, Verdict.UNREACHABLE)
    else:
        nobody_is_served = all(it in (Verdict.DOWN, Verdict.UNREACHABLE) for it in every)
    if nobody_is_served:
        return Verdict.DOWN
    return Verdict.DEGRADED if reasons else Verdict.HEALTHY


def judge_host(look: HostLook) -> HostHealth:
    """Return how one host does."""
    answer = look.answer
    serving = look.state.serving if look.state else None
    if answer is None:
        verdict, reasons = Verdict.UNREACHABLE, [look.fault or "could not be asked"]
    elif not answer.is_good:
        verdict, reasons = Verdict.DOWN, [f"answers {answer}"]
        reasons += _own_faults(look)
    else:
        reasons = [*_own_faults(look), *_faults(answer, look.smoke)]
        if serving and (told := another_release(answer, serving.release)):
            reasons.append(f"{serving.release.tag} should serve, but the answer says {told}")
        verdict = Verdict.DEGRADED if reasons else Verdict.HEALTHY
    return HostHealth(
        host=look.host,
        verdict=verdict,
        reasons=tuple(reasons),
        status=answer.status if answer else 0,
        seconds=round(answer.seconds, 4) if answer else 0,
        services=services_in(answer.text if answer else ""),
        release=serving.release if serving else None,
        sha=told_sha(answer.text) if answer else "",
        smoke=look.smoke,
    )


def judge_public(
    look: PublicLook, hosts: Sequence[HostHealth], *, at: str, tls_days: float
) -> PublicHealth:
    """Return how the public address does, held against what hosts should serve."""
    answer, days = look.visit.answer, _days_left(look.visit.valid_until, at)
    redirects = None if look.plain is None else _leads_to_https(look.plain)
    if look.visit.tls_fault:
        verdict, reasons = Verdict.DOWN, [look.visit.tls_fault]
    elif not answer.status:
        verdict, reasons = Verdict.UNREACHABLE, [f"cannot be reached: {answer.text}"]
    elif not answer.is_good:
        verdict, reasons = Verdict.DOWN, [f"answers {answer}"]
    else:
        reasons = [
            *_faults(answer, look.smoke),
            *_certificate(days, tls_days),
            *_plain_http(look.plain),
            *_served_elsewhere(answer, hosts),
        ]
        verdict = Verdict.DEGRADED if reasons else Verdict.HEALTHY
    return PublicHealth(
        url=look.url,
        verdict=verdict,
        reasons=tuple(reasons),
        status=answer.status,
        seconds=round(answer.seconds, 4),
        services=services_in(answer.text),
        sha=told_sha(answer.text),
        tls_days=days,
        redirects=redirects,
        smoke=look.smoke,
    )


def services_in(text: str) -> tuple[Service, ...]:
    """Return the services that a health answer names; none when it is no such JSON."""
    services = _document(text).get("services")
    if not isinstance(services, dict):
        return ()
    return tuple(_service(str(name), about) for name, about in services.items())


def _service(name: str, about: Any) -> Service:
    told: Mapping[str, Any] = about if isinstance(about, dict) else {"status": about}
    took = told.get("response_time_ms")
    return Service(
        name,
        str(told.get("status", "unknown")),
        float(took) if isinstance(took, int | float) else None,
        str(told.get("reason") or ""),
    )


def _faults(answer: Answer, smoke: Sequence[Result]) -> Iterator[str]:
    status = _document(answer.text).get("status")
    if isinstance(status, str) and status.lower() not in _GOOD_WORDS:
        yield f"says of itself that it is {status}"
    for service in services_in(answer.text):
        if not service.is_good:
            why = f" ({service.reason})" if service.reason else ""
            yield f"{service.name} is {service.status}{why}"
    for result in smoke:
        if not result.passed:
            yield f"smoke check {result.check!r}: {result.why}"


def _own_faults(look: HostLook) -> Iterator[str]:
    if look.fault:
        yield look.fault
    if look.state:
        if look.state.live is None:
            yield "no release is live here"
        yield from status_of(look.state).faults


def _document(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _days_left(valid_until: str, at: str) -> float | None:
    if not valid_until:
        return None
    return round(seconds_between(at, valid_until) / _DAY_S, 1)


def _certificate(days: float | None, wanted: float) -> Iterator[str]:
    if days is not None and days < wanted:
        yield f"its certificate ends in {days:g} days"


def _leads_to_https(plain: Answer) -> bool:
    return 300 <= plain.status < 400 and plain.headers.get("location", "").startswith("https://")


def _plain_http(plain: Answer | None) -> Iterator[str]:
    if plain is not None and not _leads_to_https(plain):
        got = f"answers {plain.status}" if plain.status else f"does not answer ({plain.text})"
        yield f"plain HTTP {got} and does not lead to HTTPS"


def _served_elsewhere(answer: Answer, hosts: Sequence[HostHealth]) -> Iterator[str]:
    """Say that the address answers with a release that should serve on none of the hosts."""
    releases = {it.release for it in hosts if it.release}
    strays = [another_release(answer, release) for release in releases]
    if releases and all(strays) and all(it.release for it in hosts):
        yield f"answers with {strays[0]}, which should serve on no host"
