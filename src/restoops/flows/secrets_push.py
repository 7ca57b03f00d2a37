"""Hand the current secrets of an environment to the places that need them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from restoops.errors import RestoopsError
from restoops.flows.interrupt import Interrupt
from restoops.flows.rollout import gravest
from restoops.flows.secrets_current import Current
from restoops.flows.secrets_sinks import Sink
from restoops.model import Placed
from restoops.plan.secret_push import SecretsPushed, SinkPush, plan_push
from restoops.plan.secret_status import SecretsStatus, states_of


def push(
    current: Current, sinks: Sequence[Sink], *, dry_run: bool, interrupt: Interrupt | None = None
) -> tuple[SecretsPushed, RestoopsError | None]:
    """Put what is not current into each of `sinks`; return what was done, and why not all was.

    One that fails keeps nothing from the others, but nothing is begun when somebody asked for an
    end. A value that is current already is not put again.
    """
    asked = interrupt or Interrupt()
    done: list[SinkPush] = []
    failed: dict[str, RestoopsError] = {}
    for sink in sinks:
        planned = SinkPush(sink.name, ())
        try:
            asked.check()
            planned = plan_push(sink.name, current.values, sink.placed(), takes_new=sink.takes_new)
            if planned.changes and not dry_run:
                asked.note("what was put before stays, and the same command puts the rest")
                sink.put({name: current.values[name] for name in planned.changes})
            done.append(replace(planned, note=sink.note if planned.changes else ""))
        except RestoopsError as error:
            failed[sink.name] = error
            done.append(replace(planned, error=error.message))
    result = SecretsPushed(current.environment, current.source, dry_run, tuple(done))
    return result, gravest(failed) if failed else None


def status(
    current: Current, sinks: Sequence[Sink], now: str
) -> tuple[SecretsStatus, RestoopsError | None]:
    """Return where each secret is, and the error of a place that cannot tell; changes nothing."""
    places: dict[str, Mapping[str, Placed]] = {}
    failed: dict[str, RestoopsError] = {}
    for sink in sinks:
        try:
            places[sink.name] = sink.placed()
        except RestoopsError as error:
            failed[sink.name] = error
    states = states_of(current.variables, current.values, places, now)
    messages = {name: error.message for name, error in failed.items()}
    found = SecretsStatus(current.environment, current.source, states, messages)
    return found, gravest(failed) if failed else None
