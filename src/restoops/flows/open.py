"""From the settings of an environment to what hosts and plans are made with."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Callable

from restoops.adapters.container import Blueprint
from restoops.adapters.haproxy import ProxySettings, ProxyWish
from restoops.adapters.host_settings import HostSettings
from restoops.config.forms import json_path
from restoops.config.load import Loaded, folder_of
from restoops.config.public import SmokeCheck
from restoops.config.schema import Settings
from restoops.flows.hooks import HOOKS, Hooks
from restoops.flows.rollout import Rollout
from restoops.flows.smoke import SmokeSettings
from restoops.flows.steps import HealthSettings
from restoops.handover import Handed
from restoops.model import Color, ImageName, Question
from restoops.plan.bake import Limits
from restoops.plan.bluegreen import Wishes
from restoops.plan.fleet import Policy
from restoops.plan.smoke import Check

_SLOTS = {Color.BLUE: 11, Color.GREEN: 12}
"""Last number of each slot's address on the bridge."""


def host_settings(settings: Settings, secrets: Callable[[], Handed] | None = None) -> HostSettings:
    """Return what an application looks like on a host; `secrets` reads what releases are given."""
    directory = f"{settings.host.state_dir}/{settings.app.name}"
    subnet = ipaddress.IPv4Network(settings.network.subnet)
    proxy = ProxySettings(
        directory=f"{directory}/proxy",
        port=settings.proxy.port,
        health_path=settings.health.path,
        timeout_s=settings.proxy.timeout_s,
    )
    return HostSettings(
        app=settings.app.name,
        image=image_name(settings),
        directory=directory,
        subnet=settings.network.subnet,
        endpoints={
            c: f"{subnet[number]}:{settings.container.port}" for c, number in _SLOTS.items()
        },
        proxy=ProxyWish(settings.app.name, settings.proxy.image, proxy),
        blueprint=_blueprint(settings),
        stop_grace_s=settings.swap.stop_grace_s,
        answer_timeout_s=settings.health.answer_timeout_s,
        secrets=secrets,
    )


def image_name(settings: Settings) -> ImageName:
    """Return where the application's image lives."""
    return ImageName(settings.registry.host, settings.image.repository)


def wishes(
    settings: Settings,
    timeout_s: float | None = None,
    *,
    asks_outside: bool = False,
    batches: int = 1,
) -> Wishes:
    """Return what the settings say about a swap; `timeout_s` overrides `health.timeout_s`.

    With `asks_outside` the public address is asked after the switch, and not each host: but of
    several `batches` each has to prove itself before the next, and that is after the last one.
    """
    smoke = tuple(check.name for check in settings.smoke.checks)
    return Wishes(
        spec=spec(settings),
        healthy_s=timeout_s or settings.health.timeout_s,
        successes=settings.health.successes,
        drain_s=settings.swap.drain_s,
        warm_s=settings.swap.warm_s,
        keep=settings.image.keep,
        bake=_bake(settings),
        smoke=smoke,
        smoke_live=() if asks_outside and batches == 1 else smoke,
    )


def _bake(settings: Settings) -> Limits | None:
    if not settings.swap.bake_s:
        return None
    limits = settings.bake
    return Limits(settings.swap.bake_s, limits.max_error_rate, limits.min_requests)


def rollout(settings: Settings, batch: str, pause_s: float) -> Rollout:
    """Return how a fleet moves; `batch` and `pause_s` come from the command line."""
    fleet = settings.fleet
    return Rollout(
        policy=Policy(fleet.policy, fleet.quorum or 0),
        parallel=fleet.parallel,
        batch=batch,
        pause_s=pause_s,
        deadline_s=fleet.deadline_s,
        command=settings.release.command,
        command_timeout_s=settings.release.timeout_s,
    )


def hooks(loaded: Loaded) -> Hooks:
    """Return the operator's programs, which run beside `restoops.yaml`."""
    settings = loaded.settings.hooks
    commands = {name: getattr(settings, name) for name in HOOKS}
    return Hooks(commands, folder_of(loaded.file), settings.timeout_s)


def health_settings(settings: Settings) -> HealthSettings:
    """Return how a new release is asked whether it is healthy."""
    health = settings.health
    return HealthSettings(health.path, health.interval_s, health.start_wait_s)


def smoke_settings(settings: Settings) -> SmokeSettings:
    """Return the smoke checks."""
    smoke = settings.smoke
    return SmokeSettings(tuple(map(_check, smoke.checks)), smoke.attempts)


def _check(told: SmokeCheck) -> Check:
    return Check(
        name=told.name,
        question=Question(told.path, told.method, told.send_headers, told.body, told.timeout_s),
        status=told.status,
        json_values={json_path(path): value for path, value in told.json_values.items()},
        headers=told.headers,
        latency_ms=told.latency_ms,
    )


def spec(settings: Settings, secrets: Handed | None = None) -> str:
    """Return the fingerprint of settings and secrets that a container is made with."""
    return fingerprint(settings) + (f"+{secrets.spec}" if secrets else "")


def fingerprint(settings: Settings) -> str:
    """Return a short hash of all settings that a container is made with."""
    parts = f"{settings.container.model_dump_json()}\n{settings.network.model_dump_json()}"
    return hashlib.sha256(parts.encode()).hexdigest()[:12]


def _blueprint(settings: Settings) -> Blueprint:
    container = settings.container
    return Blueprint(
        name="",
        address="",
        labels={"restoops.spec": fingerprint(settings)},
        environment=container.environment,
        volumes=container.volumes,
        memory_mb=container.memory_mb,
        cpus=container.cpus,
        init=container.init,
        network=settings.app.name,
    )
