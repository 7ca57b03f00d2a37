"""Check a whole configuration: every environment of the file, and the variables over one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from restoops.config.faults import Fault, dotted, nearest, unknown
from restoops.config.forms import NAME
from restoops.config.layers import Layered
from restoops.config.schema import Environment, Settings, sections
from restoops.config.section import Section
from restoops.config.variables import lay_variables

LOCAL = "local"
"""The environment that always exists: this machine's own engine."""

_MAPPING = "Input should be a mapping"
_Part = TypeVar("_Part", bound=Section)


@dataclass(frozen=True, slots=True)
class Checked:
    """What a configuration says of one environment, and all that is wrong in any.

    Attributes:
        settings: `None` when they are faulty.
        environment: `None` when it does not exist or is faulty.
        names: the environments, in the order of the file.
        faults: each with the path or the variable it comes from.
    """

    settings: Settings | None
    environment: Environment | None
    names: tuple[str, ...]
    faults: tuple[Fault, ...]


def check(raw: object, environ: Mapping[str, str], chosen: str) -> Checked:
    """Check what a file says (`None` for an empty one) for the environment `chosen`.

    The variables in `environ` are laid over the chosen environment only.
    """
    document, faults = _mapping(raw, "")
    known, wrong = _mapping(document.get("environments"), "environments")
    base = Layered({key: value for key, value in document.items() if key != "environments"})
    faults += wrong + _validated(Settings, base)[1]
    environments = {LOCAL: {"connection": "local"}} | known if LOCAL not in known else known
    found: Environment | None = None
    over = base
    for name, value in environments.items():
        environment, laid, wrong = _environment(name, value, base)
        faults += wrong
        if name == chosen:
            found, over = environment, laid
    over, wrong = lay_variables(over, environ)
    settings, more = _validated(Settings, over)
    more += _quorum_faults(settings, found, over, chosen)
    return Checked(settings, found, tuple(environments), tuple(faults + wrong + more))


def _mapping(value: object, where: str) -> tuple[dict[str, object], list[Fault]]:
    if value is None:
        return {}, []
    return (value, []) if isinstance(value, dict) else ({}, [Fault(where, _MAPPING)])


def _environment(
    name: str, value: object, base: Layered
) -> tuple[Environment | None, Layered, list[Fault]]:
    place = dotted("environments", (name,))
    keys, faults = _mapping(value, place)
    if faults:
        return None, base, faults
    if not NAME.is_met_by(name):
        faults.append(Fault(place, f"The name should be {NAME.meaning}"))
    own = {key: value for key, value in keys.items() if key not in Settings.model_fields}
    differing = {key: value for key, value in keys.items() if key in Settings.model_fields}
    environment, wrong = _validated(Environment, Layered(own, {(): place}))
    laid = base.under(differing, place)
    settings, more = _validated(Settings, laid)
    more += _quorum_faults(settings, environment, laid, name)
    return environment, laid, faults + wrong + more


def _quorum_faults(
    settings: Settings | None, environment: Environment | None, layered: Layered, name: str
) -> list[Fault]:
    """Say that more hosts have to succeed than there are; those of Terraform are not known yet."""
    quorum = settings.fleet.quorum if settings else None
    hosts = len(environment.hosts) if environment else 0
    if not quorum or not hosts or quorum <= hosts:
        return []
    what = f"more than the hosts of environment {name}, which has {hosts}"
    return [Fault(layered.name(("fleet", "quorum")), what)]


def _validated(model: type[_Part], layered: Layered) -> tuple[_Part | None, list[Fault]]:
    try:
        return model.model_validate(layered.values), []
    except ValidationError as error:
        details = error.errors(include_url=False)
        return None, [_fault(detail, model, layered) for detail in details]


def _fault(detail: ErrorDetails, model: type[Section], layered: Layered) -> Fault:
    path = detail["loc"]
    if detail["type"] == "extra_forbidden":
        return Fault(layered.name(path), unknown("key", _meant(model, path)))
    is_about_key = path[-1:] == ("[key]",)
    return Fault(layered.name(path[:-1] if is_about_key else path), _what(detail))


def _what(detail: ErrorDetails) -> str:
    if detail["type"] == "value_error":
        return str(detail["ctx"]["error"])
    if detail["input"] is None:
        return "has no value: give one, or remove the key"
    if detail["type"] in ("dict_type", "model_type"):
        return _MAPPING
    return detail["msg"].replace("Tuple", "List").replace("a valid tuple", "a list")


def _meant(model: type[Section], path: Sequence[int | str]) -> str | None:
    """Return what an unknown key was probably meant to be: a neighbour, or one elsewhere."""
    key = str(path[-1])
    near = nearest(key, _neighbours(model, path[:-1]))
    elsewhere = [f"{name}.{key}" for name, part in sections().items() if key in part.model_fields]
    return near or (elsewhere[0] if len(elsewhere) == 1 else None)


def _neighbours(model: type[Section], path: Sequence[int | str]) -> Iterator[str]:
    """Return the keys that are known where `path` leads."""
    if not path and model is Environment:
        yield from Settings.model_fields
    if not path and model is Settings:
        yield "environments"
    for key in path:
        if isinstance(key, int):
            continue  # which one of a list
        annotation = model.model_fields[str(key)].annotation
        parts = (annotation, *get_args(annotation))
        model = next(p for p in parts if isinstance(p, type) and issubclass(p, Section))
    yield from model.model_fields
