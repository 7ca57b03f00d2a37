"""A registry with builds, hosts, and one run of `images prune` after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import Any

from restoops.adapters.connection import Holder
from restoops.adapters.ghcr import GithubRepository, Packages
from restoops.adapters.patience import Patience
from restoops.adapters.registry import RegistryClient
from restoops.adapters.repository import Repository
from restoops.errors import RestoopsError
from restoops.flows.estate import Estate
from restoops.flows.interrupt import Interrupt
from restoops.flows.prune import Prune, Target
from restoops.flows.prune_record import Recorder
from restoops.model import Digest, ImageName, Login, Release, Secret
from restoops.plan.fate import Retention
from restoops.plan.usage import Place
from restoops.report.image_events import ImageEvent
from tests.flows.clock import FakeClock
from tests.flows.estates import Shelf
from tests.lab import oci
from tests.lab.ghcr import REPOSITORY, Ghcr
from tests.plan.registries import NOW, RULES

OLGA = Holder("olga", "laptop", "restoops images prune", NOW)
KEEP = Retention(2, RULES, NOW)


@dataclass
class Stage:
    """A registry with ten builds, and hosts."""

    server: Ghcr
    hosts: dict[Place, Shelf] = field(default_factory=dict)
    unknown: dict[str, RestoopsError] = field(default_factory=dict)
    told: list[ImageEvent] = field(default_factory=list)
    log: list[Mapping[str, Any]] = field(default_factory=list)
    interrupt: Interrupt = field(default_factory=Interrupt)
    stack: ExitStack = field(default_factory=ExitStack)

    def build(self, number: int, *more: str) -> Release:
        """Push a build for two platforms, with provenance, under its tags."""
        name = f"sha-{number:07x}"
        bundle = oci.index(name, created=f"2026-01-{number + 1:02}T00:00:00Z", built_by="ci")
        return Release(name, Digest(self.server.push(bundle, name, f"main-{number:07x}", *more)))

    def store(self) -> Repository:
        clock = FakeClock()
        image = ImageName(self.server.host, REPOSITORY)
        login = Login("octocat", Secret(self.server.token))
        patience = Patience(clock.sleep, lambda _: None)
        client = RegistryClient(image, login, patience=patience)
        if not self.server.is_github:
            return self.stack.enter_context(closing(Repository(client)))
        packages = Packages(self.server.api, image, login, patience)
        return self.stack.enter_context(closing(GithubRepository(client, packages)))

    def prune(self, wish: Retention = KEEP, *, has: bool | None = True) -> Prune:
        estate = Estate(self.hosts, self.interrupt, dict(self.unknown))
        target = Target(self.store(), tuple(self.hosts), wish, lambda _: has)
        recorder = Recorder(self.told.append, self.log.append, FakeClock(), "olga")
        return Prune(estate, (target,), recorder)

    def done(self, wish: Retention = KEEP, meanwhile: Callable[[], object] = lambda: 0) -> Prune:
        """Plan, let something happen, and carry out."""
        prune = self.prune(wish)
        plan = prune.plan()
        meanwhile()
        prune.carry_out(plan, OLGA, 0)
        return prune

    @property
    def builds(self) -> set[str]:
        """The builds that are left, by number."""
        return {tag[-1] for tag in self.server.tags if tag.startswith("sha-0")}

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.told if isinstance(event, kind)]
