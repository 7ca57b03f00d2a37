"""Sections of `restoops.yaml` about how a run goes from one release to the next.

The rest of the shape, and its rules, are in `schema`.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from restoops.config.forms import Command
from restoops.config.section import Section


class Swap(Section):
    """How traffic moves from one release to the next."""

    drain_s: Annotated[float, Field(ge=0, le=3600)] = 30
    """Seconds that requests already running may take to end on the old release."""
    stop_grace_s: Annotated[int, Field(ge=0, le=600)] = 10
    """Seconds from SIGTERM to SIGKILL when a container is stopped."""
    warm_s: Annotated[int, Field(ge=0, le=86400)] = 600
    """Seconds that the release before stays running, so that a rollback is only a switch;
    0 stops it at once."""
    bake_s: Annotated[float, Field(ge=0, le=86400)] = 0
    """Seconds that a deploy watches the new release through HAProxy's own counters after the
    switch. If it errs or dies, every host goes back to the release before; 0 does not watch."""


class Bake(Section):
    """What is held against a new release while it is watched (`swap.bake_s`)."""

    max_error_rate: Annotated[float, Field(ge=0, le=1)] = 0.02
    """How much larger the share of failed requests (5xx, refused or broken connections) may be
    than with the release before: `0.02` is two in a hundred more."""
    min_requests: Annotated[int, Field(ge=1, le=1_000_000)] = 50
    """With fewer requests there is no verdict; the deploy says so and goes on."""


class Fleet(Section):
    """How a run goes about several hosts."""

    policy: Literal["all-or-nothing", "stop", "quorum"] = "all-or-nothing"
    """What a host that fails means to the others: `all-or-nothing` takes all of them back,
    `stop` leaves those that are done and touches no further one, `quorum` goes on while
    `quorum` hosts can still succeed."""
    quorum: Annotated[int, Field(ge=1, le=500)] | None = None
    """Hosts that have to succeed; needed with `policy: quorum`, and only with it."""
    parallel: Annotated[int, Field(ge=1, le=500)] = 100
    """Hosts worked on at once."""
    second_process_from: Annotated[int, Field(ge=2, le=1000)] = 50
    """With so many hosts or more, a second process leads half of them: 200 take a sixth less time
    on two processors. On Linux, where there are two; a larger number does without it."""
    deadline_s: Annotated[float, Field(ge=1, le=86400)] = 1800
    """Seconds a run may take until its last hosts switch, before it is given up and undone. Pauses
    between batches do not count."""

    @model_validator(mode="after")
    def _has_quorum_if_it_needs_one(self) -> Self:
        if self.policy == "quorum" and self.quorum is None:
            raise ValueError("`policy: quorum` needs `quorum`, the hosts that have to succeed")
        if self.policy != "quorum" and self.quorum is not None:
            raise ValueError(
                f"`quorum` goes with `policy: quorum`, not with `policy: {self.policy}`: "
                "remove it, or set `quorum: null` here"
            )
        return self


class Probe(Section):
    """A probe that asks every host for `health.path` during a run, as a client would."""

    rate: Annotated[float, Field(ge=0, le=50)] = 10
    """Requests a second to each host, and 50 to all of them together, while traffic moves; what
    failed is told with the result. 0 asks none; nor does a deploy that is watched
    (`swap.bake_s`), which counts the requests of clients themselves."""


class Release(Section):
    """What a deploy runs once, on one host, before any traffic goes to the new release."""

    command: Command = ()
    """Program and arguments, such as `["npm", "run", "migrate"]`: run in the new image with the
    application's environment, volumes and network, in place of its entrypoint, and without a
    shell. When it fails, nothing was switched. A rollback never runs it."""
    timeout_s: Annotated[float, Field(gt=0, le=86400)] = 600
    """Seconds after which the command is killed and the deploy is given up."""


class Hooks(Section):
    """Programs that run on the operator's machine, with the facts of the run in `RESTOOPS_*`."""

    pre_deploy: Command = ()
    """Program and arguments run before anything changes; when it fails, nothing does. No shell
    runs it, and `./notify` is beside `restoops.yaml`, where every hook runs."""
    post_deploy: Command = ()
    """The same, after a deploy that succeeded."""
    on_failure: Command = ()
    """The same, after a deploy that failed or was interrupted, when its hosts are put right; also
    when `pre_deploy` failed. Not when nothing had begun: a lock that is held, a missing tag."""
    timeout_s: Annotated[float, Field(gt=0, le=3600)] = 300
    """Seconds after which a hook is killed and counts as failed. A signal ends it at once."""
