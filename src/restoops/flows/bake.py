"""Watch a release that has just gone live, with the counters that HAProxy keeps of clients."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from restoops.adapters.clock import Clock
from restoops.errors import StepFailed
from restoops.flows.host import Host, log_tail
from restoops.model import Color, Counts
from restoops.plan.bake import Figures, Limits, Verdict, baseline, judge, total
from restoops.plan.steps import Bake

_INTERVAL_S = 0.5
_BAD_CHECKS = 3
"""Checks by HAProxy in a row with a bad status: one alone may be a hiccup."""


@dataclass
class Watch:
    """What HAProxy has counted on one host: when the run began, before the switch, and now."""

    host: Host
    at_start: Mapping[Color, Counts] = field(default_factory=dict)
    at_switch: Mapping[Color, Counts] = field(default_factory=dict)
    old_was_doubted: bool = False
    figures: Figures | None = None
    """What came of it; None when nothing was watched."""

    def begin(self) -> None:
        """Note what was counted when the run began."""
        self.at_start = self.host.traffic().counts

    def before_switch(self, new: Color) -> None:
        """Note what was counted so far: what comes now is the new release's."""
        seen = self.host.traffic()
        self.at_switch, self.old_was_doubted = seen.counts, new.other in seen.doubted

    def watch(self, step: Bake, clock: Clock, pause: Callable[[float], None]) -> str:
        """Watch until the time is over; return what clients met with.

        Raises:
            StepFailed: the release died, or errs beyond the limits; says with which figures.
        """
        end = clock.monotonic() + step.limits.for_s
        bad_checks = 0
        while True:
            is_last = clock.monotonic() >= end
            bad_checks = bad_checks + 1 if self._look(step) else 0
            if bad_checks >= _BAD_CHECKS:
                raise self._failed("answers HAProxy's health checks badly")
            if is_last:
                assert self.figures  # noqa: S101  _look() has set it
                return told(self.figures, step.limits)
            pause(min(_INTERVAL_S, max(0.0, end - clock.monotonic())))

    def _look(self, step: Bake) -> bool:
        """Look once; return whether HAProxy's own last check was answered badly.

        Raises:
            StepFailed: the release died, or errs.
        """
        seen = self.host.traffic()
        new = step.color
        empty = Counts()
        before = baseline(
            self.at_start.get(new.other, empty), self.at_switch.get(new.other, empty), step.limits
        )
        since = seen.counts.get(new, empty).since(self.at_switch.get(new, empty))
        self.figures = Figures(since, before)
        container = self.host.inspect(new)
        if new not in seen.up or not container.is_running or container.restarts:
            raise self._failed("died after the switch", log_tail(self.host, new))
        if judge(self.figures, step.limits) is Verdict.ERRS:
            raise self._failed(
                f"errs beyond `bake.max_error_rate` ({step.limits.max_error_rate:.1%})"
            )
        return new in seen.doubted and not self.old_was_doubted

    def _failed(self, what: str, details: str = "") -> StepFailed:
        return StepFailed(
            f"{self.host.name}: the new release {what}: {self.figures}",
            hint="Traffic goes back to the release before, which is still warm.",
            details=details,
        )


def erring_together(figures: Iterable[Figures | None], limits: Limits) -> StepFailed | None:
    """Return what is wrong with the release on all hosts together, if anything is."""
    found = total(it for it in figures if it)
    if judge(found, limits) is not Verdict.ERRS:
        return None
    return StepFailed(
        f"the new release errs on all hosts together: {found}",
        hint="Traffic goes back to the release before, which is still warm.",
    )


def told(figures: Figures, limits: Limits) -> str:
    """Return the figures in words, and that there is no verdict when there is none."""
    if judge(figures, limits) is Verdict.TOO_FEW:
        return f"{Verdict.TOO_FEW} ({figures.new.requests} of {limits.min_requests}): {figures}"
    return str(figures)
