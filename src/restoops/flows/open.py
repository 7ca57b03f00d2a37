"""From the settings of an environment to what hosts and plans are made with."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Callable
from pathlib import Path

from restoops.adapters.container import Blueprint
from restoops.adapters.haproxy import ProxySettings, ProxyWish
from restoops.adapters.host_settings import HostSettings
from restoops.config.load import Loaded
from restoops.config.schema import Settings
from restoops.flows.hooks import HOOKS, Hooks
from restoops.flows.rollout import Rollout
from restoops.flows.steps import HealthSettings
from restoops.model import Color, Handed, ImageName
from restoops.plan.bake import Limits
from restoops.plan.bluegreen import Wishes
from restoops.plan.fleet import Policy

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
    settings: Settings, timeout_s: float | None = None, secrets: Handed | None = None
) -> Wishes:
    """Return what the settings say about a swap; `timeout_s` overrides `health.timeout_s`.

    With `secrets`, a release that was given others does not serve as asked.
    """
    return Wishes(
        spec=fingerprint(settings) + (f"+{secrets.spec}" if secrets else ""),
        healthy_s=timeout_s or settings.health.timeout_s,
        successes=settings.health.successes,
        drain_s=settings.swap.drain_s,
        warm_s=settings.swap.warm_s,
        keep=settings.image.keep,
        bake=_bake(settings),
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
    return Hooks(commands, loaded.file.parent if loaded.file else Path(), settings.timeout_s)


def health_settings(settings: Settings) -> HealthSettings:
    """Return how a new release is asked whether it is healthy."""
    health = settings.health
    return HealthSettings(health.path, health.interval_s, health.start_wait_s)


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
