"""`images prune`: plan for hosts and registries, then do what was shown and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from restoops.adapters.connection import Holder
from restoops.contents import Contents
from restoops.errors import Locked, RestoopsError
from restoops.flows.background import side_by_side
from restoops.flows.estate import AT_ONCE, Estate
from restoops.flows.prune_hosts import HostWork, prune_host
from restoops.flows.prune_record import Recorder
from restoops.flows.prune_registry import RegistryPruner
from restoops.flows.rollout import gravest
from restoops.flows.stores import Store, plan_store
from restoops.model import Digest, HostState
from restoops.plan.fate import Fate, Retention
from restoops.plan.images import RegistryPlan
from restoops.plan.retention import plan_host
from restoops.plan.usage import Place, usage_of
from restoops.report.image_events import Note, Planned


@dataclass(frozen=True, slots=True)
class Target:
    """The hosts of some environments, and the repository of their images."""

    store: Store | None
    """Nothing when the registry is not to be touched."""
    places: tuple[Place, ...]
    """None when hosts are not to be touched."""
    wish: Retention
    in_registry: Callable[[Digest], bool | None]
    """Whether the repository has a digest, for what hosts have; None when it cannot tell."""


@dataclass(frozen=True, slots=True)
class PrunePlan:
    """What is to be done, as it was shown."""

    registries: tuple[tuple[Store, Contents, RegistryPlan], ...] = ()
    hosts: Mapping[Place, HostWork] = field(default_factory=dict)

    @property
    def in_registries(self) -> int:
        """How many images are deleted in registries."""
        return sum(len(plan.going) for _, _, plan in self.registries)

    @property
    def on_hosts(self) -> int:
        """How many images are removed from hosts; one that is on two of them counts twice."""
        return sum(fate.goes for work in self.hosts.values() for fate in work.shown)

    @property
    def is_something(self) -> bool:
        """Whether there is anything to do."""
        loose = any(plan.parts for _, _, plan in self.registries)
        return bool(self.in_registries or self.on_hosts or loose)

    @property
    def size_bytes(self) -> tuple[int, int]:
        """The size of what goes, in registries and on hosts."""
        gone = (fate for work in self.hosts.values() for fate in work.shown if fate.goes)
        in_registries = sum(plan.size_bytes for _, _, plan in self.registries)
        return in_registries, sum(fate.size_bytes for fate in gone)


@dataclass(slots=True)
class Prune:
    """One run."""

    estate: Estate
    targets: Sequence[Target]
    recorder: Recorder
    failed: dict[str, RestoopsError] = field(default_factory=dict)
    """What went wrong, by place; the rest went on."""
    _touched: bool = False
    """Whether anything was deleted in a registry."""

    def plan(self) -> PrunePlan:
        """Look at everything, and tell what would become of each image."""
        states = self.estate.observe()
        usage = usage_of(states)
        hosts = self._plan_hosts(states)
        registries = []
        for target in self.targets:
            if target.store and not self.estate.unknown:
                self.recorder.tell(Note(f"{target.store.name}: reading tags and manifests"))
                contents, plan = plan_store(target.store, usage, target.wish)
                registries.append((target.store, contents, plan))
                told = Planned(target.store.name, plan.fates, plan.size_bytes, len(plan.parts))
                self.recorder.tell(told)
        return PrunePlan(tuple(registries), hosts)

    def carry_out(self, plan: PrunePlan, holder: Holder, wait_s: int) -> None:
        """Remove images from hosts, then delete in registries if every host could be asked."""
        interrupt = self.estate.interrupt
        _, failed = side_by_side(
            lambda place: prune_host(plan.hosts[place], holder, self.recorder, interrupt, wait_s),
            plan.hosts,
            at_once=AT_ONCE,
        )
        self.failed |= {str(place): error for place, error in failed.items()}
        self._note()
        interrupt.check()
        if any(isinstance(it, Locked) for it in failed.values()):
            return
        for store, contents, found in plan.registries:
            if self.recorder.is_log_lost:
                return
            ask = self.estate.usage_of_all
            pruner = RegistryPruner(store, contents, found, ask, self.recorder, interrupt)
            try:
                pruner.prune()
            except RestoopsError as error:
                self.failed[store.name] = error
            self._touched |= pruner.has_deleted
            self._note()
            interrupt.check()

    def raise_if_failed(self) -> None:
        """Raise the gravest of what went wrong, with what was not done for it."""
        registries = [target.store.name for target in self.targets if target.store]
        failed = {**self.failed, **self.estate.unknown}
        if not failed:
            return
        error = gravest(failed)
        is_barred = self.estate.unknown or any(isinstance(it, Locked) for it in failed.values())
        if registries and is_barred and not self._touched:
            error.message += f"; nothing was deleted from {', '.join(registries)}"
            error.hint += (
                " What every host of every environment runs has to be known before anything is "
                "deleted from a registry."
            )
        raise error

    def _note(self) -> None:
        count = self.recorder.images
        self.estate.interrupt.note(
            f"{count} deleted; the log names them" if count else "nothing was deleted"
        )

    def _plan_hosts(self, states: Mapping[Place, HostState]) -> dict[Place, HostWork]:
        work = {}
        for target in self.targets:
            here = [place for place in target.places if place in states]
            for place, sizes in self.estate.sizes(here).items():
                decide = partial(_decide, str(place), target, sizes)
                shown = decide(states[place])
                work[place] = HostWork(str(place), self.estate.hosts[place], shown, decide)
                size_bytes = sum(it.size_bytes for it in shown if it.goes)
                self.recorder.tell(Planned(str(place), shown, size_bytes))
        return work


def _decide(
    where: str, target: Target, sizes: Mapping[Digest, int], state: HostState
) -> tuple[Fate, ...]:
    return plan_host(where, state, sizes, target.wish, target.in_registry)
