"""Behind the commands of `restoops images` that change nothing."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from restoops.cli.arguments import image_argument
from restoops.cli.images_context import (
    Environments,
    load_all,
    open_estate,
    repository_of,
    retention,
)
from restoops.cli.registry import PATIENT_S, open_registry, open_repository, patience
from restoops.cli.signals import interruptible
from restoops.errors import Unreachable, UsageError

if TYPE_CHECKING:
    from restoops.adapters.registry import RegistryClient
    from restoops.config.load import Loaded
    from restoops.contents import Contents
    from restoops.flows.estate import Estate
    from restoops.flows.interrupt import Interrupt
    from restoops.plan.usage import Usage


def show_images(environment: str | None, *, as_json: bool) -> None:
    """Print all images of hosts and registries, and then what could not be asked."""
    from restoops.adapters.clock import SystemClock
    from restoops.plan.listing import listing
    from restoops.report.images import show_listing

    found = load_all(environment)
    now = SystemClock().now()
    with interruptible() as interrupt, open_estate(found, interrupt) as estate:
        usage = estate.usage()
        for repository, loaded in found.repositories().items():
            contents = _look(loaded, usage, estate, interrupt)
            places = [
                place for place in estate.hosts
                if repository_of(found.loaded[place.environment]) == repository
            ]  # fmt: skip
            sizes = estate.sizes(places)
            images = listing(repository, contents, usage, sizes, retention(found, repository, now))
            show_listing(images, now, as_json=as_json)
        raise_if_unknown(estate)


def raise_if_unknown(estate: Estate) -> None:
    """Raise the gravest of what could not be asked."""
    from restoops.flows.rollout import gravest

    if estate.unknown:
        error = gravest(estate.unknown)
        error.message += "; so what is shown is not all"
        raise error


def _look(loaded: Loaded, usage: Usage, estate: Estate, interrupt: Interrupt) -> Contents | None:
    with contextlib.closing(open_repository(loaded, patience(interrupt))) as repository:
        try:
            return repository.look(usage.digests)
        except Unreachable as error:
            estate.unknown[repository.name] = error
            return None


def show_image(tag: str, environment: str | None, *, as_json: bool) -> None:
    """Print what one image is, who built it, and where it runs."""
    from restoops.adapters.clock import SystemClock
    from restoops.adapters.inspection import Inspector
    from restoops.plan.listing import inspected
    from restoops.report.images import show_inspected

    asked = image_argument(tag)
    found = load_all(environment)
    repository, loaded = _only_repository(found)
    with (
        interruptible() as interrupt,
        contextlib.closing(_patient_client(loaded, interrupt)) as client,
        open_estate(found, interrupt) as estate,
    ):
        described = Inspector(client).describe(client.resolve(asked))
        image = inspected(repository, asked, described, estate.usage())
        show_inspected(image, SystemClock().now(), as_json=as_json)
        raise_if_unknown(estate)


def _patient_client(loaded: Loaded, interrupt: Interrupt) -> RegistryClient:
    return open_registry(loaded, timeout_s=PATIENT_S, patience=patience(interrupt))


def _only_repository(found: Environments) -> tuple[str, Loaded]:
    """Return the repository of what was asked for.

    Raises:
        UsageError: there are several.
    """
    repositories = found.repositories()
    if len(repositories) > 1:
        raise UsageError(
            f"environments have images in {len(repositories)} repositories: in which one?",
            hint=f"Name an environment, one of: {', '.join(found.loaded)}.",
        )
    return next(iter(repositories.items()))
