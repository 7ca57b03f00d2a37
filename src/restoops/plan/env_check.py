"""An environment against its template. Names come out of here, and never a value."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from restoops.model import Secret
from restoops.plan.env_template import Variable
from restoops.plan.fingerprints import KEY_LENGTH, KEY_NAME
from restoops.plan.redaction import is_weak

_WITHIN = re.compile(r"<[a-z][a-z _-]{2,}>|\b(change|replace)[-_ ]?(me|this)\b", re.IGNORECASE)
_WHOLE = re.compile(
    r"<.*>|x{3,}|\.{3}|todo|tbd|example|placeholder|dummy|secret|password|(your|insert)[-_ ].+",
    re.IGNORECASE,
)


class Problem(Enum):
    """What is wrong with a variable."""

    MISSING = "missing"
    EXTRA = "extra"
    EMPTY = "empty"
    PLACEHOLDER = "placeholder"
    SHAPE = "wrong shape"


@dataclass(frozen=True, slots=True)
class Finding:
    """A variable that is not as the template wants it; `meaning` says what to do."""

    name: str
    problem: Problem
    meaning: str


@dataclass(frozen=True, slots=True)
class EnvCheck:
    """An environment held against its template."""

    environment: str
    template: str
    source: str
    findings: tuple[Finding, ...]
    weak: tuple[str, ...] = ()
    """Names whose values are too short or too common to be masked in what is printed."""


def weak_names(variables: Sequence[Variable], values: Mapping[str, Secret]) -> tuple[str, ...]:
    """Return the names of secrets that are there and cannot be masked, in the template's order."""
    given = {it.name: values[it.name].reveal() for it in variables
             if it.is_secret and it.name in values}  # fmt: skip
    return tuple(name for name, value in given.items() if value.strip() and is_weak(value))


def compare(
    variables: Sequence[Variable], values: Mapping[str, Secret], *, is_exclusive: bool
) -> tuple[Finding, ...]:
    """Return what is wrong, in the order of the template.

    Variables that the template does not name count only where `is_exclusive`: where nothing is
    meant for somebody else.
    """
    found = [it for variable in variables for it in _findings(variable, values)]
    if is_exclusive:
        extra = sorted(values.keys() - {it.name for it in variables})
        meaning = "remove it, or add it to the template"
        found += [Finding(name, Problem.EXTRA, meaning) for name in extra]
    return tuple(found)


def compare_key(values: Mapping[str, Secret]) -> tuple[Finding, ...]:
    """Return what is wrong with the key for fingerprints, which no template names."""
    key = values.get(KEY_NAME, Secret("")).reveal()
    if len(key) >= KEY_LENGTH:
        return ()
    make = "make one once and keep it there: openssl rand -hex 32"
    if not key:
        return (Finding(KEY_NAME, Problem.MISSING, make),)
    return (Finding(KEY_NAME, Problem.SHAPE, f"shorter than {KEY_LENGTH} characters; {make}"),)


def _findings(variable: Variable, values: Mapping[str, Secret]) -> Iterator[Finding]:
    secret = values.get(variable.name)
    value = secret.reveal() if secret is not None else ""
    if not value.strip():
        if not variable.is_optional:
            problem = Problem.MISSING if secret is None else Problem.EMPTY
            yield Finding(variable.name, problem, "give it a value")
    elif is_placeholder(value):
        yield Finding(variable.name, Problem.PLACEHOLDER, "replace it by the real value")
    elif fault := variable.fault(value):
        yield Finding(variable.name, Problem.SHAPE, fault)


def is_placeholder(value: str) -> bool:
    """Say whether a value was left as templates have it: `<password>`, `change-me`."""
    return bool(_WITHIN.search(value) or _WHOLE.fullmatch(value.strip()))
