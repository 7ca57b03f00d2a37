"""Give a secret a new value, and have it everywhere.

The order is that of the damage: a value that is not stored is lost, so the source comes first; a
release that does not start with it must not serve, so hosts keep what they have until it did.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import assert_never

from restoops.errors import Interrupted, Refused, RestoopsError, StepFailed
from restoops.flows.interrupt import Interrupt
from restoops.flows.secrets_check import refuse_unfit_values
from restoops.flows.secrets_current import Kept
from restoops.flows.secrets_github import refuse_github_names
from restoops.flows.secrets_roll import Hosts
from restoops.flows.secrets_sinks import Sink
from restoops.flows.secrets_sources import Source, Writable
from restoops.masking import learn
from restoops.model import Secret, Value
from restoops.plan.env_template import Variable
from restoops.plan.secret_rotation import (
    Asked,
    Begin,
    Rotation,
    SecretRotated,
    Spot,
    Step,
    generated,
    on_host,
    plan_rotation,
    refuse_unfit_value,
    spot_of,
    wanted,
    what_serves,
)


@dataclass(frozen=True, slots=True)
class Places:
    """Where the value goes."""

    github: Sink | None
    hosts: Hosts | None


@dataclass(frozen=True, slots=True)
class Talk:
    """What the operator is told and asked."""

    tell: Callable[[str], None]
    confirm: Callable[[Rotation], None]
    """Raises Refused when the answer is no; from then on signals are noted in `interrupt`."""
    value: Callable[[Variable], Secret | None]
    """The new value, or None to have one generated."""
    piped: Callable[[], Secret | None]
    """What came on standard input, if anything did."""
    interrupt: Interrupt = field(default_factory=Interrupt)


@dataclass(frozen=True, slots=True)
class Rotator:
    """One run of `secrets rotate`."""

    name: str
    asked: Asked
    places: Places
    talk: Talk
    dry_run: bool = False

    def run(self, kept: Kept) -> tuple[SecretRotated, RestoopsError | None]:
        """Rotate, or finish what an earlier run left; return what is where, and why not all is.

        Raises:
            RestoopsError: it has not begun; nothing was changed.
        """
        variable = wanted(self.name, kept.template.variables)
        spots = self._look(kept, is_first=True)
        self.talk.interrupt.check()
        has_value = self.name in kept.current.values
        rotation = plan_rotation(spots, self.asked, has_value=has_value)
        if rotation.begin is Begin.NEW:
            refuse_unwritable(kept.source, self.name)
        elif rotation.begin is Begin.FINISH:
            refuse_unfit_values(kept, "nothing was changed")
        if self.dry_run or rotation.begin is Begin.NOTHING:
            return self._result(kept, rotation, rotation.steps, spots), None
        new = kept
        if rotation.begin is Begin.NEW:
            new = kept.having(self.name, self._new_value(variable, kept))
            refuse_unfit_values(new, "nothing was changed")
            if self.places.github:
                refuse_github_names({self.name: new.current.values[self.name]})
        else:
            self._refuse_another_value(kept)
        self.talk.confirm(rotation)
        return self._carry_out(new, rotation)

    def _carry_out(
        self, kept: Kept, rotation: Rotation
    ) -> tuple[SecretRotated, RestoopsError | None]:
        done: list[Step] = []
        values = {self.name: kept.current.values[self.name]}
        failed: RestoopsError | None = None
        try:
            for step in rotation.steps:
                self.talk.interrupt.check()
                self.talk.tell(f"{self.name}: {step.value}")
                self._do(step, kept, values)
                done.append(step)
                so_far = ", ".join(it.value for it in done)
                self.talk.interrupt.note(f"done so far: {so_far}")
        except RestoopsError as error:
            failed = error
        if isinstance(failed, Interrupted):
            self.talk.tell(f"{self.name}: interrupted; looking at what is where now")
        try:
            spots = self._look(kept)
        except RestoopsError as error:
            failed = failed or error
            spots = ()
        result = self._result(kept, rotation, tuple(done), spots, failed)
        if failed is None and result.behind:
            failed = StepFailed(f"{self.name} is not everywhere: {', '.join(result.behind)}")
        return result, failed and self._explained(failed, result)

    def _do(self, step: Step, kept: Kept, values: Mapping[str, Value]) -> None:
        github, hosts = self.places.github, self.places.hosts
        match step:
            case Step.SOURCE:
                store(kept.source, self.name, values[self.name].secret)
            case Step.GITHUB:
                if github:
                    github.put(values)
            case Step.ROLL:
                if hosts and what_serves(hosts.states()):
                    hosts.roll()
            case Step.KEPT:
                if hosts:
                    hosts.hand(values)
            case Step.VERIFY:
                pass  # what is looked at in the end, whatever happened
            case _:
                assert_never(step)

    def _look(self, kept: Kept, *, is_first: bool = False) -> tuple[Spot, ...]:
        """Return what each place has; before anything is done, hosts have to agree."""
        value = kept.current.values.get(self.name)
        fingerprint = value.fingerprint if value else ""
        spots: list[Spot] = []
        if self.places.github:
            sink = self.places.github
            there = sink.placed().get(self.name)
            spots.append(spot_of(sink.name, fingerprint, there, is_host=False))
        if self.places.hosts:
            states = self.places.hosts.states()
            if is_first:
                what_serves(states)
            spots += [on_host(self.name, fingerprint, it) for it in states.values()]
        return tuple(spots)

    def _new_value(self, variable: Variable, kept: Kept) -> Secret:
        value = self.talk.value(variable)
        new = value or Secret(generated(variable, _draw))
        learn(new)
        refuse_unfit_value(variable, new.reveal(), kept.found.get(self.name, Secret("")).reveal())
        return new

    def _refuse_another_value(self, kept: Kept) -> None:
        """Go on unless a value was piped in that is not the one to be finished with."""
        piped = None if self.asked.resume else self.talk.piped()
        if piped is None:
            return
        learn(piped)
        if piped.reveal() != kept.found[self.name].reveal():
            raise Refused(
                f"{self.name} has a new value in {kept.source.shown} that is not everywhere yet, "
                "and the one on standard input is another; nothing was changed",
                hint="`--resume` finishes with the one in the source; `--instead` takes yours.",
            )

    def _result(
        self,
        kept: Kept,
        rotation: Rotation,
        steps: tuple[Step, ...],
        spots: tuple[Spot, ...],
        error: RestoopsError | None = None,
    ) -> SecretRotated:
        return SecretRotated(
            kept.keeping.environment, kept.source.shown, self.name, self.dry_run,
            rotation.begin, steps, spots, error.message if error else "",
        )  # fmt: skip

    def _explained(self, error: RestoopsError, result: SecretRotated) -> RestoopsError:
        """Return the error with the ways on, as far as the new value is stored by now."""
        is_stored = result.begin is Begin.FINISH or Step.SOURCE in result.steps
        if is_stored:
            words = f"restoops secrets rotate {self.name} {result.environment}"
            error.hint = (
                f"{error.hint} {result.source} has the new value. `{words} --resume` finishes, "
                f"once the cause is gone; `{words} --instead` takes another one, or the old."
            ).strip()
        return error


def refuse_unwritable(source: Source, name: str) -> None:
    """Go on when a new value can be stored in `source`.

    Raises:
        Refused: only by hand.
    """
    if not isinstance(source, Writable):
        raise Refused(
            f"{source.shown} can only be read, and {name} is everywhere as it is there; nothing "
            "was changed",
            hint="Store the new value there yourself, then run this again: it hands it to all "
            "places.",
        )


def store(source: Source, name: str, value: Secret) -> None:
    """Store a value, and make sure that it is read back.

    Raises:
        Refused: it cannot be written.
        StepFailed: something else is read back.
    """
    refuse_unwritable(source, name)
    if isinstance(source, Writable):
        source.write({name: value})
    if source.read().get(name, Secret("")).reveal() != value.reveal():
        raise StepFailed(
            f"{source.shown} does not have the value of {name} that was stored there",
            hint="No place was handed anything. See why it keeps another value, then do it again.",
        )


def _draw(letters: str, length: int) -> str:
    return "".join(secrets.choice(letters) for _ in range(length))
