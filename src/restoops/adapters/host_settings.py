"""What the settings say about an application on a host, in the words of the adapters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from restoops.adapters.container import Blueprint
from restoops.adapters.haproxy import ProxyWish
from restoops.handover import Handed
from restoops.model import Color, ImageName


@dataclass(frozen=True, slots=True)
class HostSettings:
    """What the settings say about one application on one host."""

    app: str
    image: ImageName
    directory: str
    """Directory of the application on the host."""
    subnet: str
    endpoints: Mapping[Color, str]
    """`address:port` of each slot, for what is started from now on."""
    proxy: ProxyWish
    blueprint: Blueprint
    """For a container in either slot; name, labels and address are filled in here."""
    stop_grace_s: int
    answer_timeout_s: float
    secrets: Callable[[], Handed] | None = None
    """Reads those of today, when they are needed; None: releases are given none."""
