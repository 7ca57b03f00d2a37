"""What a deploy runs once in the new image, such as a migration, in a container of its own."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from restoops.adapters.container import Blueprint
from restoops.errors import StepFailed, Unreachable
from restoops.model import ImageName, Release

if TYPE_CHECKING:
    from restoops.adapters.docker import Engine


@dataclass(frozen=True, slots=True)
class OneRun:
    """What to run, and for how long at most."""

    argv: Sequence[str]
    timeout_s: float
    blueprint: Blueprint
    """What a release is made with."""


class ReleaseCommand:
    """The release command of one application on one host.

    It may be run in a thread that is walked away from: `clear` ends it from another one, over
    a second connection to the engine, because the first is busy with its output.
    """

    def __init__(self, engine: Engine, app: str, stop_grace_s: int) -> None:
        self._engine = engine
        self._labels = {"restoops.app": app, "restoops.role": "release-command"}
        self._name = f"{app}-release-command"
        self._stop_grace_s = stop_grace_s
        # So that `clear` never looks just before a container is created, and no two remove it.
        self._changing = threading.RLock()

    def run(
        self, image: ImageName, release: Release, one: OneRun, on_line: Callable[[str], None]
    ) -> int:
        """Run it in the image of `release` to its end; return its exit status.

        What a run that was cut off left behind is removed first, and the container at the end,
        however that comes.

        Raises:
            StepFailed: its program is not in the image, or it took too long and was stopped.
        """
        with self._changing:
            self.clear()
            labels = {
                **one.blueprint.labels,
                **self._labels,
                "restoops.tag": release.tag,
                "restoops.digest": str(release.digest),
            }
            container = self._engine.create_once(
                image.at(release.digest),
                replace(one.blueprint, name=self._name, address="", labels=labels),
                one.argv,
            )
        try:
            with self._stopped_after(one.timeout_s, container) as is_late:
                status = self._engine.run_once(container, on_line)
        finally:
            with self._changing, contextlib.suppress(Unreachable):  # then the next run removes it
                self._engine.remove(container)
        if is_late.is_set():
            raise StepFailed(
                f"{self._engine.host}: the release command did not end within {one.timeout_s:g} s "
                "and was stopped",
                hint="What it has done until then stays done. `release.timeout_s` is how long it "
                "may take.",
            )
        return status

    def clear(self) -> None:
        """Stop it and remove its container, wherever it is run from; nothing there is no error."""
        with self._changing:
            for found in self._engine.services(self._labels):
                self._engine.stop(found.id, self._stop_grace_s)
                self._engine.remove(found.id)

    @contextlib.contextmanager
    def _stopped_after(self, timeout_s: float, container: str) -> Iterator[threading.Event]:
        """Stop the container when the time is over, and set the event."""
        is_late = threading.Event()

        def stop() -> None:
            is_late.set()
            with contextlib.suppress(Unreachable):  # whoever reads the output is told as well
                self._engine.stop(container, self._stop_grace_s)

        timer = threading.Timer(timeout_s, stop)
        timer.daemon = True
        timer.start()
        try:
            yield is_late
        finally:
            timer.cancel()
