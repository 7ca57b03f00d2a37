"""Releases of the test app in the lab's registry."""

from dataclasses import dataclass

from docker import DockerClient

from tests.lab import images
from tests.lab.images import App
from tests.lab.registry import Registry

REPOSITORY = "restoops/testapp"


@dataclass(frozen=True, slots=True)
class PushedRelease:
    """A release that droplets can pull."""

    app: App
    repository: str
    """Name without the registry's address."""
    tag: str
    digest: str
    reference: str
    """Name for a pull from a droplet, pinned to the digest."""


class Releases:
    """Pushes variants of the test app, each once in a run."""

    def __init__(self, engine: DockerClient, registry: Registry) -> None:
        self._engine = engine
        self._registry = registry
        self._pushed: dict[tuple[App, str], PushedRelease] = {}

    def push(self, app: App, repository: str = REPOSITORY) -> PushedRelease:
        """Push `app` as `repository:sha-RELEASE` and return where it is.

        A second variant of the same release name takes the tag from the first.
        """
        if found := self._pushed.get((app, repository)):
            return found
        tag = f"sha-{app.release}"
        image = images.testapp(self._engine, app)
        digest = self._registry.push(self._engine, image, repository, tag)
        reference = f"{self._registry.host}/{repository}@{digest}"
        pushed = PushedRelease(app, repository, tag, digest, reference)
        self._pushed[app, repository] = pushed
        return pushed
