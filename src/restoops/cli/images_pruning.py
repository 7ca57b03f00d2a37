"""Behind `restoops images prune`."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from restoops.cli.arguments import age_argument
from restoops.cli.caller import holder, origin, user
from restoops.cli.failures import told_to_slack
from restoops.cli.images_context import (
    Environments,
    load_all,
    open_estate,
    repository_of,
    retention,
)
from restoops.cli.questions import confirm, demand_somebody_to_ask
from restoops.cli.registry import has_or_unknown, open_repository, patience
from restoops.cli.signals import interruptible
from restoops.errors import CheckRefused, UsageError

if TYPE_CHECKING:
    from restoops.adapters.journal import Journal
    from restoops.config.load import Loaded
    from restoops.flows.estate import Estate
    from restoops.flows.interrupt import Interrupt
    from restoops.flows.prune import PrunePlan, Target
    from restoops.flows.prune_record import Recorder
    from restoops.report.image_events import ImageEvent


@dataclass(frozen=True, slots=True)
class PruneWish:
    """What the operator said on the command line."""

    environment: str | None
    keep: int | None
    older_than: str
    local_only: bool
    registry_only: bool
    max_delete: int | None
    log: Path | None
    dry_run: bool
    yes: bool
    wait_s: int

    @property
    def older_than_s(self) -> float:
        """The age below which nothing is deleted."""
        return age_argument(self.older_than)

    def check(self) -> None:
        """Refuse what cannot be meant, before anything is contacted.

        Raises:
            UsageError: options that exclude each other.
            Refused: nobody to ask.
        """
        if self.local_only and self.registry_only:
            raise UsageError(
                "`--local-only` and `--registry-only` do not go together",
                hint="Leave out both to prune hosts and registry.",
            )
        age_argument(self.older_than)
        demand_somebody_to_ask(yes=self.yes or self.dry_run)


def prune_images(wish: PruneWish, *, as_json: bool) -> None:
    """Plan, show, ask, delete, verify; a failure in GitHub Actions, where nobody looks, is told."""
    wish.check()
    found = load_all(wish.environment)
    told = [it for it in found.loaded.values() if it.settings.notify.slack]
    with told_to_slack("The clean-up of images", next(iter(told), None)):
        _prune(wish, found, as_json=as_json)


def _prune(wish: PruneWish, found: Environments, *, as_json: bool) -> None:
    from restoops.flows.prune import Prune

    with (
        interruptible() as interrupt,
        _journal(wish) as journal,
        open_estate(found, interrupt) as estate,
        _targets(wish, found, estate, interrupt) as targets,
    ):
        recorder = _recorder(journal, as_json=as_json)
        prune = Prune(estate, targets, recorder)
        plan = prune.plan()
        _refuse_too_many(wish, plan)
        if not wish.dry_run and plan.is_something:
            _confirm(wish, plan)
            prune.carry_out(plan, holder(), wish.wait_s)
        recorder.end(dry_run=wish.dry_run, log=str(journal.path) if journal else "")
        prune.raise_if_failed()


@contextlib.contextmanager
def _journal(wish: PruneWish) -> Iterator[Journal | None]:
    from restoops.adapters.journal import Journal, usual_place

    if wish.dry_run:
        yield None
        return
    with contextlib.closing(Journal(wish.log or usual_place(os.environ))) as journal:
        yield journal


def _recorder(journal: Journal | None, *, as_json: bool) -> Recorder:
    from restoops.adapters.clock import SystemClock
    from restoops.flows.prune_record import Recorder
    from restoops.report.images import teller

    clock = SystemClock()
    tell = teller(as_json=as_json, now=clock.now())

    def try_to_tell(event: ImageEvent) -> None:
        with contextlib.suppress(OSError):  # a closed pipe must not stop a run half-way
            tell(event)

    write = journal.write if journal else lambda _: None
    return Recorder(try_to_tell, write, clock, f"{user()} from {origin()}")


@contextlib.contextmanager
def _targets(
    wish: PruneWish, found: Environments, estate: Estate, interrupt: Interrupt
) -> Iterator[tuple[Target, ...]]:
    """Open each repository of what was asked for, with the hosts that have its images."""
    from restoops.adapters.clock import SystemClock
    from restoops.flows.prune import Target

    now = SystemClock().now()
    patient = patience(interrupt)
    with contextlib.ExitStack() as stack:
        targets = []
        for repository, loaded in found.repositories().items():
            store = None
            if not wish.local_only:
                store = stack.enter_context(contextlib.closing(open_repository(loaded, patient)))
            names = {it for it in found.asked if _has(found.loaded.get(it), repository)}
            places = () if wish.registry_only else estate.hosts
            targets.append(
                Target(
                    store,
                    tuple(place for place in places if place.environment in names),
                    retention(found, repository, now, keep=wish.keep, older_s=wish.older_than_s),
                    cache(has_or_unknown(loaded)),
                )
            )
        yield tuple(targets)


def _has(loaded: Loaded | None, repository: str) -> bool:
    return loaded is not None and repository_of(loaded) == repository


def _refuse_too_many(wish: PruneWish, plan: PrunePlan) -> None:
    from restoops.report.wording import counted

    count = plan.in_registries + plan.on_hosts
    if wish.max_delete is not None and count > wish.max_delete:
        raise CheckRefused(
            f"{counted(count, 'image')} would be deleted, more than --max-delete "
            f"{wish.max_delete}; nothing was deleted",
            hint="If the plan above is right, give a larger number.",
        )


def _confirm(wish: PruneWish, plan: PrunePlan) -> None:
    from restoops.report.images import question
    from restoops.report.wording import counted

    in_registries, on_hosts = plan.size_bytes
    names = ", ".join(store.name for store, _, _ in plan.registries)
    hosts = sum(any(fate.goes for fate in work.shown) for work in plan.hosts.values())
    going = (
        (f"from {names}", plan.in_registries, in_registries),
        (f"from {counted(hosts, 'host')}", plan.on_hosts, on_hosts),
    )
    confirm(question(going), yes=wish.yes)
