"""Messages to a URL that is a secret: it is shown nowhere, also not when something is wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from restoops.adapters.clock import Clock
from restoops.adapters.nearby import is_this_machine
from restoops.errors import Refused
from restoops.masking import learn
from restoops.model import Secret

_FIRST_WAIT_S = 0.5
_MOST_OF_A_FILE = 4096


def find_url(place: str, environ: Mapping[str, str], directory: Path) -> Secret:
    """Return the URL in an environment variable, or in a file if `place` has a `/` in it.

    Raises:
        Refused: there is none, or it is no `https://` URL.
    """
    if "/" in place:
        text, where = _read(directory / Path(place).expanduser()), place
    else:
        text, where = environ.get(place, ""), f"${place}"
    url = text.strip()
    if not url:
        raise Refused(f"{where} is not set" if where[0] == "$" else f"{where} is empty")
    if not _is_safe(url):
        raise Refused(f"{where} holds no https:// URL")
    found = Secret(url)
    learn(found)
    return found


def post(url: Secret, body: Mapping[str, Any], *, until: float, clock: Clock) -> None:
    """Deliver a message; send it again until `until`, by the clock, when that may help.

    A redirect is not followed: whoever it leads to was not meant.

    Raises:
        Refused: it was not delivered; the URL is not named.
    """
    wait_s, data = _FIRST_WAIT_S, json.dumps(body).encode()
    with httpx.Client(follow_redirects=False) as client:
        while True:
            left_s = until - clock.monotonic()
            if left_s <= 0:
                raise Refused("no answer in time")
            why, pause_s = _try(client, url, data, left_s)
            if not why:
                return
            if pause_s is None:
                raise Refused(why)
            pause_s = max(pause_s, wait_s)
            if clock.monotonic() + pause_s >= until:
                raise Refused(f"{why}, and there is no time to try again")
            clock.sleep(pause_s)
            wait_s *= 2


def _try(
    client: httpx.Client, url: Secret, data: bytes, timeout_s: float
) -> tuple[str, float | None]:
    """Return what is wrong, if anything, and after how long to try again; None is never."""
    headers = {"content-type": "application/json"}
    try:
        answer = client.post(url.reveal(), content=data, headers=headers, timeout=timeout_s)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        # Not its text: that may name the URL.
        is_passing = isinstance(error, httpx.TransportError)
        return f"no answer ({type(error).__name__})", 0.0 if is_passing else None
    status = answer.status_code
    if answer.is_success:
        return "", None
    if answer.is_redirect:
        return f"answered {status}, a redirect, which is not followed", None
    if status == httpx.codes.TOO_MANY_REQUESTS:
        after = answer.headers.get("retry-after", "")
        return f"answered {status}", float(after) if after.isdecimal() else 0.0
    return f"answered {status}", 0.0 if answer.is_server_error else None


def _read(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(_MOST_OF_A_FILE)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise Refused(f"{path} cannot be read: {reason}") from error


def _is_safe(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if any(it.isspace() or not it.isprintable() for it in url):
        return False
    return bool(host) and (
        parts.scheme == "https" or (parts.scheme == "http" and is_this_machine(host))
    )
