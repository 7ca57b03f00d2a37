"""What is left to do until every place has the new value of a secret.

There is no journal. A source that is ahead of its places is a rotation that is not finished:
fingerprints tell, to whoever asks, from wherever.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from restoops.errors import Refused, UsageError
from restoops.model import HostState, Placed
from restoops.plan.env_check import is_placeholder
from restoops.plan.env_template import Variable
from restoops.plan.fingerprints import KEY_NAME
from restoops.plan.redaction import is_weak

_LENGTH = 43
"""Letters and digits that come to 256 bits."""
_HEX_LENGTH = 64


class Has(Enum):
    """What a place has of a secret."""

    CURRENT = "current"
    BEHIND = "behind"
    """Another value than the source, or one that nobody knows."""
    MISSING = "missing"
    KEPT_BEHIND = "serves current, kept behind"
    """What serves has the value of the source, and a release that is kept has another one."""
    UNUSED = "serves nothing"
    """There is nothing to roll: the first deploy brings it."""


@dataclass(frozen=True, slots=True)
class Spot:
    """One place, and what it has."""

    place: str
    has: Has
    since: str = ""
    """When what it has was put there; empty when nobody knows."""
    is_host: bool = True

    @property
    def is_behind(self) -> bool:
        """Whether anything is left to do there."""
        return self.has not in (Has.CURRENT, Has.UNUSED)


class Step(Enum):
    """A part of a rotation. Each can be done twice with the same end; they come in this order."""

    SOURCE = "store the new value in the source"
    GITHUB = "send it to GitHub"
    ROLL = "deploy what serves again, with it"
    KEPT = "give it to the releases that are kept"
    VERIFY = "compare all places with the source"


class Begin(Enum):
    """How a run begins."""

    NEW = "new value"
    FINISH = "finishing"
    """The source is ahead of a place already: no new value is made."""
    NOTHING = "nothing to finish"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the operator said about a run."""

    resume: bool = False
    """Finish, and take no new value."""
    instead: bool = False
    """Take another value, although an earlier one is not everywhere."""

    def __post_init__(self) -> None:
        """Refuse what contradicts itself."""
        if self.resume and self.instead:
            raise UsageError("`--resume` and `--instead` do not go together", hint="Choose one.")


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a run does, from what it found."""

    begin: Begin
    steps: tuple[Step, ...]
    spots: tuple[Spot, ...]
    """What each place had before."""


@dataclass(frozen=True, slots=True)
class SecretRotated:
    """The result of `secrets rotate`."""

    environment: str
    source: str
    name: str
    dry_run: bool
    begin: Begin
    steps: tuple[Step, ...]
    """What was done, or in a dry run would be."""
    spots: tuple[Spot, ...]
    """What each place has now."""
    error: str = ""
    """Why it is not finished."""

    @property
    def behind(self) -> tuple[str, ...]:
        """The places that do not have the value of the source."""
        return tuple(it.place for it in self.spots if it.is_behind)


def on_host(name: str, fingerprint: str, state: HostState) -> Spot:
    """Return what a host has of a secret of which the source has the value with `fingerprint`.

    A release whose image is gone can neither be started nor be given another value.
    """
    sets = [it for it in state.secrets if it.is_complete]
    serving = state.serving
    kept = [
        it.placed[name]
        for it in sets
        if name in it.placed
        and it.digest in state.images
        and not (serving and it.id == serving.secrets)
    ]
    old = [it.since for it in kept if it.fingerprint != fingerprint]
    if serving is None:
        return Spot(state.host, Has.KEPT_BEHIND if old else Has.UNUSED, max(old, default=""))
    own = next((it.placed.get(name) for it in sets if it.id == serving.secrets), None)
    spot = spot_of(state.host, fingerprint, own)
    if spot.has is Has.CURRENT and old:
        return Spot(state.host, Has.KEPT_BEHIND, max(old))
    return spot


def spot_of(place: str, fingerprint: str, there: Placed | None, *, is_host: bool = True) -> Spot:
    """Return what a place has, from what is noted there."""
    if there is None:
        return Spot(place, Has.MISSING, is_host=is_host)
    has = Has.CURRENT if there.fingerprint == fingerprint else Has.BEHIND
    return Spot(place, has, there.since, is_host)


def plan_rotation(spots: Sequence[Spot], asked: Asked, *, has_value: bool) -> Rotation:
    """Return what is to be done; without a value in the source there is nothing to finish."""
    behind = [it for it in spots if it.is_behind and has_value]
    if asked.resume and not behind:
        return Rotation(Begin.NOTHING, (), tuple(spots))
    if behind and not asked.instead:
        return Rotation(Begin.FINISH, _steps(behind), tuple(spots))
    used = [it for it in spots if it.has is not Has.UNUSED]
    return Rotation(Begin.NEW, (Step.SOURCE, *_steps(used)), tuple(spots))


def _steps(spots: Sequence[Spot]) -> tuple[Step, ...]:
    has_hosts = any(it.is_host for it in spots)
    github = () if all(it.is_host for it in spots) else (Step.GITHUB,)
    return (*github, *((Step.ROLL, Step.KEPT) if has_hosts else ()), Step.VERIFY)


def what_serves(states: Mapping[str, HostState]) -> str:
    """Go on when all hosts that serve anything serve the same release; return its tag, or nothing.

    Raises:
        Refused: they differ: which one is to be rolled?
    """
    serving = {host: it.serving for host, it in states.items()}
    found = {it.release.digest if it else None for it in serving.values()}
    if len(found) > 1:
        where = "; ".join(
            f"{host}: {it.release.tag if it else 'nothing'}" for host, it in serving.items()
        )
        raise Refused(
            f"hosts serve different releases: {where}; nothing was changed",
            hint="A deploy brings them together; then rotate.",
        )
    return next((it.release.tag for it in serving.values() if it), "")


def wanted(name: str, variables: Sequence[Variable]) -> Variable:
    """Return what the template says of a secret that can be rotated.

    Raises:
        UsageError: there is no such secret, or it cannot be rotated.
    """
    if name == KEY_NAME:
        raise UsageError(
            f"{KEY_NAME} cannot be rotated like the others: with another key all values look "
            "changed",
            hint="Put a new one into the source by hand, then deploy and "
            "`restoops secrets push`: all places are given all values again.",
        )
    found = next((it for it in variables if it.name == name), None)
    if found is None:
        raise UsageError(
            f"the template knows no {name}",
            hint="There are " + ", ".join(it.name for it in variables) + ".",
        )
    return found


def generated(variable: Variable, choose: Callable[[str, int], str]) -> str:
    """Return a value of letters and digits alone, of 256 bits or more; `choose` draws characters.

    Raises:
        Refused: the template wants another shape.
    """
    for letters, length in (
        (string.ascii_letters + string.digits, _LENGTH),
        ("0123456789abcdef", _HEX_LENGTH),
    ):
        value = choose(letters, max(length, variable.min_length))
        if variable.type == "text" and not variable.fault(value):
            return value
    raise Refused(
        f"no value for {variable.name} can be generated: the template wants a shape that letters "
        "and digits at random do not have",
        hint="Have it made where it is issued, and pipe it in: `… | restoops secrets rotate`.",
    )


def refuse_unfit_value(variable: Variable, value: str, old: str) -> None:
    """Go on when `value` may take the place of `old`; no word of either is told.

    Raises:
        Refused: it may not.
    """
    if not value.strip():
        fault = "is empty"
    elif value == old:
        fault = "is the one that the source has already"
    elif is_placeholder(value):
        fault = "is a placeholder"
    elif shape := variable.fault(value):
        fault = f"does not fit the template: it {shape}"
    elif variable.is_secret and is_weak(value):
        fault = "is too short or too common: it could be guessed, and could not be masked"
    else:
        return
    raise Refused(
        f"the new value of {variable.name} {fault}; nothing was changed",
        hint="Type or pipe another one in, or have one made with `--generate`.",
    )
