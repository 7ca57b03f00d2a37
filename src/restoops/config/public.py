"""Sections of `restoops.yaml` about what clients see: the public address, and smoke checks.

The rest of the shape, and its rules, are in `schema`.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from restoops.config.forms import (
    Argument,
    CheckName,
    FileName,
    HeaderName,
    HeaderText,
    JsonPath,
    NoControl,
    PublicUrl,
    UrlPath,
)
from restoops.config.section import Section


class Public(Section):
    """Where clients reach an environment from outside: past DNS, TLS and load balancer."""

    url: PublicUrl | None = None
    """Address that clients use; none when left out. Or give `terraform.url` of an environment."""
    ca: FileName | None = None
    """File of certificate authorities (PEM) to trust there, instead of those that this machine
    trusts."""
    http_port: Annotated[int, Field(ge=1, le=65535)] | None = 80
    """Port of plain HTTP beside an address with `https://`: it has to lead to HTTPS. `null` does
    not ask."""
    tls_days: Annotated[int, Field(ge=0, le=365)] = 14
    """Days that a certificate has to be good for yet; with fewer the environment is degraded."""
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 10
    """Seconds that an answer of the public address may take."""


class SmokeCheck(Section):
    """One request, and what its answer has to be.

    In what is expected of JSON and of headers `*` stands for any text.
    """

    name: CheckName
    """What reports call it."""
    path: UrlPath
    """Path that is asked for, on a host as well as at the public address."""
    method: Literal["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    """Method. What is no `GET`, `HEAD` or `OPTIONS` is never sent a second time."""
    send_headers: dict[HeaderName, HeaderText] = Field(default_factory=dict)
    """Headers of the request. Not for secrets: this file is in the repository."""
    body: Argument | None = None
    """Body of the request; its `content-type` goes into `send_headers`."""
    status: Annotated[int, Field(ge=100, le=599)] = 200
    """Status of the answer. Redirects are not followed: expect `301` where there is one."""
    json_values: dict[JsonPath, NoControl] = Field(default_factory=dict)
    """Values in the answer read as JSON, by their path: `services.database.status: connected`."""
    headers: dict[HeaderName, NoControl] = Field(default_factory=dict)
    """Headers of the answer: `content-type: application/json*`."""
    latency_ms: Annotated[int, Field(ge=1, le=60_000)] | None = None
    """Milliseconds that the answer may take; no limit but `timeout_s` when left out."""
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 5
    """Seconds after which a request without an answer has failed."""

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        if self.method == "HEAD" and self.json_values:
            raise ValueError("an answer to `HEAD` has no JSON: take out `json_values`")
        if self.latency_ms and self.latency_ms > self.timeout_s * 1000:
            raise ValueError("`latency_ms` is longer than `timeout_s`")
        return self


class Smoke(Section):
    """Requests that a release has to answer well before it gets traffic, and after that too."""

    checks: Annotated[tuple[SmokeCheck, ...], Field(max_length=50)] = ()
    """What to ask, one after the other: of the new release before a switch, at the public address
    after it, and by `restoops health`."""
    attempts: Annotated[int, Field(ge=1, le=10)] = 2
    """How often a check is tried before it has failed: one lost packet must not undo a deploy."""

    @field_validator("checks")
    @classmethod
    def _has_different_names(cls, checks: tuple[SmokeCheck, ...]) -> tuple[SmokeCheck, ...]:
        names = [check.name for check in checks]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"a name is given more than once: {', '.join(twice)}")
        return checks
