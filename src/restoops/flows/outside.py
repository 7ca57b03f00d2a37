"""The public address around a switch: what clients meet there, whichever host answers them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from restoops.adapters.clock import Clock
from restoops.errors import StepFailed
from restoops.flows.background import in_background
from restoops.flows.interrupt import Interrupt
from restoops.flows.pause import pause
from restoops.flows.smoke import SmokeSettings, put
from restoops.model import Answer, Question, Visit
from restoops.plan.smoke import Result, is_excused
from restoops.report.events import PublicChecked, PublicChecks, Tell

_EXCUSE = "it answered as badly before the switch, so this is not held against the new release"


class Site(Protocol):
    """A public address; see `adapters.public.PublicSite`."""

    url: str

    def visit(self, question: Question) -> Visit:
        """Ask a question as a client does."""


class Outside:
    """Asks a public address before and after a switch; without a site it asks nobody."""

    def __init__(
        self,
        site: Site | None = None,
        smoke: SmokeSettings | None = None,
        first: Question | None = None,
        tell: Tell = lambda _: None,
    ) -> None:
        self._site = site
        self._smoke = smoke or SmokeSettings()
        self._first = first or Question("/")
        self._tell = tell
        self._before: Callable[..., Answer] | None = None

    @property
    def is_asked(self) -> bool:
        """Whether there is anything to ask, and where."""
        return self._site is not None and bool(self._smoke.checks)

    def announce(self, *, dry_run: bool) -> None:
        """Tell what will be asked after the switch, and begin to ask how it answers before."""
        if self._site and self.is_asked:
            names = tuple(check.name for check in self._smoke.checks)
            self._tell(PublicChecks(self._site.url, names, dry_run))
            if not dry_run:
                self._before = in_background(lambda: self._ask(self._first))

    def check(self, interrupt: Interrupt, clock: Clock, *, served: bool) -> None:
        """Put the smoke checks to it; `served` says whether a release served before.

        Raises:
            StepFailed: one failed, and the address did not answer as badly before.
        """
        if not self._site or not self.is_asked:
            return
        before = self._before(interrupt) if self._before else Answer(200)

        def ask(question: Question) -> Answer:
            return in_background(lambda: self._ask(question))(interrupt)

        for check in self._smoke.checks:
            attempts = self._smoke.attempts
            result = put(check, ask, attempts, lambda s: pause(s, clock, interrupt))
            excuse = "" if result.passed else self._excuse(before, result, served=served)
            self._tell(PublicChecked(self._site.url, result, excuse))
            if not result.passed and not excuse:
                raise StepFailed(
                    f"{self._site.url}: smoke check {check.name!r} failed after the switch: "
                    f"{result.why}",
                    hint="Traffic goes back to the release before. `smoke.checks` says what is "
                    "expected.",
                )

    def _ask(self, question: Question) -> Answer:
        assert self._site  # noqa: S101  callers ask `is_asked` first
        visit = self._site.visit(question)
        return Answer(0, visit.tls_fault) if visit.tls_fault else visit.answer

    def _excuse(self, before: Answer, result: Result, *, served: bool) -> str:
        return _EXCUSE if is_excused(before, result, served=served) else ""
