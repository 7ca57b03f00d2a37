"""From the settings of an environment to hosts that can be worked with."""

from __future__ import annotations

import hashlib
import ipaddress
from pathlib import Path

from restoops.adapters.clock import Clock
from restoops.adapters.connection import Connection, LocalConnection
from restoops.adapters.docker import Blueprint
from restoops.adapters.haproxy import ProxySettings
from restoops.adapters.host import Host, HostSettings
from restoops.adapters.proxy import ProxyWish
from restoops.adapters.terraform import read_output
from restoops.config.hosts import Target
from restoops.config.load import Loaded
from restoops.config.schema import Settings, TerraformOutputs
from restoops.flows.steps import HealthSettings
from restoops.model import Color, ImageName
from restoops.plan.bluegreen import Wishes

_SLOTS = {Color.BLUE: 11, Color.GREEN: 12}
"""Last number of each slot's address on the bridge."""


def open_host(loaded: Loaded, target: Target, clock: Clock) -> Host:
    """Connect to a host of the environment.

    Raises:
        Unreachable: it does not answer, or it refused our login or its key ours.
    """
    return Host(_connect(loaded, target), host_settings(loaded.settings), clock)


def host_settings(settings: Settings) -> HostSettings:
    """Return what an application looks like on a host."""
    directory = f"{settings.host.state_dir}/{settings.app.name}"
    subnet = ipaddress.IPv4Network(settings.network.subnet)
    proxy = ProxySettings(
        directory=f"{directory}/proxy",
        port=settings.proxy.port,
        app_port=settings.container.port,
        addresses={color: str(subnet[number]) for color, number in _SLOTS.items()},
        health_path=settings.health.path,
        timeout_s=settings.proxy.timeout_s,
    )
    return HostSettings(
        app=settings.app.name,
        image=image_name(settings),
        directory=directory,
        subnet=settings.network.subnet,
        proxy=ProxyWish(settings.app.name, settings.proxy.image, proxy),
        blueprint=_blueprint(settings),
        stop_grace_s=settings.swap.stop_grace_s,
        answer_timeout_s=settings.health.answer_timeout_s,
    )


def image_name(settings: Settings) -> ImageName:
    """Return where the application's image lives."""
    return ImageName(settings.registry.host, settings.image.repository)


def wishes(settings: Settings, timeout_s: float | None = None) -> Wishes:
    """Return what the settings say about a swap; `timeout_s` overrides `health.timeout_s`."""
    return Wishes(
        spec=fingerprint(settings),
        healthy_s=timeout_s or settings.health.timeout_s,
        successes=settings.health.successes,
        drain_s=settings.swap.drain_s,
        warm_s=settings.swap.warm_s,
        keep=settings.image.keep,
    )


def health_settings(settings: Settings) -> HealthSettings:
    """Return how a new release is asked whether it is healthy."""
    health = settings.health
    return HealthSettings(health.path, health.interval_s, health.start_wait_s)


def fingerprint(settings: Settings) -> str:
    """Return a short hash of all settings that a container is made with."""
    parts = f"{settings.container.model_dump_json()}\n{settings.network.model_dump_json()}"
    return hashlib.sha256(parts.encode()).hexdigest()[:12]


def terraform_outputs(outputs: TerraformOutputs, root: Path) -> object:
    """Read the hosts of an environment from Terraform's state."""
    return read_output(root, outputs.output)


def _connect(loaded: Loaded, target: Target) -> Connection:
    if loaded.connection == "local":
        return LocalConnection()
    from restoops.adapters.ssh import SshConnection, SshOptions

    ssh = loaded.settings.ssh
    options = SshOptions(
        user=ssh.user,
        port=ssh.port,
        key=ssh.key,
        known_hosts=ssh.known_hosts,
        connect_timeout_s=ssh.connect_timeout_s,
        answer_timeout_s=ssh.answer_timeout_s,
    )
    return SshConnection(target.address, options)


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
