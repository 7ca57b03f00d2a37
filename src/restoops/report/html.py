"""A report as one page of HTML that loads nothing.

All that is shown comes from elsewhere: tags, messages, lines of logs. The template engine escapes
all of it, and the page's own policy forbids scripts, requests and styles other than its own.
"""

from __future__ import annotations

import base64
import hashlib
import re
from importlib import resources
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup, escape

from restoops.report.page import Page
from restoops.report.plots import plot, spans, ticks
from restoops.report.wording import duration, moment

_OPEN_UP_TO = 3
"""Hosts up to which all timelines are open; of more, those with a step that broke."""
_MOST_FAILURES = 50
_CODE = re.compile(r"`([^`]+)`")


def render(page: Page) -> str:
    """Return the report."""
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=DictLoader({"page": _file("page.html.j2")}),
    )
    environment.filters |= {"duration": duration, "code": _code, "clean": _clean, "time": moment}
    style = _file("page.css")
    return environment.get_template("page").render(
        page=page,
        plot=plot(page),
        spans=spans,
        ticks=ticks,
        style=Markup(style),  # noqa: S704  our own file
        style_hash=_hash(style),
        open_up_to=_OPEN_UP_TO,
        most_failures=_MOST_FAILURES,
    )


def _file(name: str) -> str:
    return resources.files("restoops.report").joinpath(name).read_text(encoding="utf-8")


def _hash(style: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()


def _code(text: str) -> Markup:
    """Return text with what stands in backticks shown as code."""
    parts = _CODE.split(text)
    shown = (
        Markup("<code>{}</code>").format(part) if number % 2 else escape(part)
        for number, part in enumerate(parts)
    )
    return Markup("").join(shown)


def _clean(text: Any) -> str:
    """Return text without what cannot be shown, such as the colours of a terminal."""
    plain = re.sub(r"\x1b\[[0-9;?]*[ -/]*[@-~]", "", str(text))
    return "".join(it for it in plain if it.isprintable() or it in "\n\t")
