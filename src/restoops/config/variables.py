"""`RESTOOPS_<SECTION>__<KEY>`: settings from environment variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from restoops.config.faults import Fault, key_text, nearest, unknown
from restoops.config.layers import Layered
from restoops.config.schema import sections
from restoops.config.yamltext import parse

PREFIX = "RESTOOPS_"


def variable(section: str, key: str) -> str:
    """Return the name of the variable that sets `key` of `section`."""
    return f"{PREFIX}{section}__{key}".upper()


def lay_variables(settings: Layered, environ: Mapping[str, str]) -> tuple[Layered, list[Fault]]:
    """Lay the settings among `environ` over `settings`; names without `__` are not settings."""
    faults: list[Fault] = []
    for name in sorted(n for n in environ if n.startswith(PREFIX) and "__" in n):
        path = _path(name)
        if path is None:
            faults.append(Fault(key_text(name), unknown("variable", _meant(name))))
            continue
        value, wrong = _read(environ[name], path)
        faults += [Fault(key_text(name), str(fault)) for fault in wrong]
        settings = settings if wrong else settings.under(value, key_text(name), path)
    return settings, faults


def _path(name: str) -> tuple[str, ...] | None:
    """Return the path of the setting, `None` when there is none.

    What follows a section and a key that holds a mapping is a key of that mapping, as written.
    """
    section, _, keys = name.removeprefix(PREFIX).partition("__")
    key, *rest = keys.split("__", 1)
    section, key = section.lower(), key.lower()
    model = sections().get(section)
    if model is None or key not in model.model_fields:
        return None
    if rest and not isinstance(model.default(key), dict):
        return None
    return (section, key, *rest)


def _meant(name: str) -> str | None:
    known = {
        variable(section, key).removeprefix(PREFIX)
        for section, model in sections().items()
        for key in model.model_fields
    }
    meant = nearest(name.removeprefix(PREFIX), sorted(known))
    return f"{PREFIX}{meant}" if meant else None


def _read(text: str, path: tuple[str, ...]) -> tuple[object, tuple[Fault, ...]]:
    """Read lists and mappings as YAML, of which JSON is a part; anything else is the text.

    `null` is nothing, where a setting may be nothing.
    """
    section, key, *rest = path
    if text == "null" and type(None) in get_args(sections()[section].model_fields[key].annotation):
        return None, ()
    if rest or not isinstance(sections()[section].default(key), dict | tuple):
        return text, ()
    parsed = parse(text)
    return parsed.value, parsed.faults
