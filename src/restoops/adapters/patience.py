"""Requests that are sent again: the connection was cut, or the service asks to be left alone."""

from __future__ import annotations

import email.utils
import time
from collections.abc import Callable
from http import HTTPStatus

import httpx

_SERVER_FAULTS = (
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
)
_ATTEMPTS = 5
"""Of a request whose connection is cut or that the service fails at."""
_REFUSALS = 12
"""Of one that comes too often for the service."""
_UNTOLD_WAIT_S = 60.0
"""GitHub asks for a minute where it does not say for how long."""
_LONGEST_WAIT_S = 3700.0
"""A limit of requests an hour is over by then."""


class Patience:
    """Sends requests until they are answered, and says what it waits for.

    `pause` is called before each one, if only for 0 s: what it raises ends the waiting. A limit
    that one request meets holds back all others that are sent through the same object.
    """

    def __init__(
        self,
        pause: Callable[[float], None],
        say: Callable[[str], None],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._pause = pause
        self._say = say
        self._now = now
        self._not_before = 0.0

    def send(self, request: Callable[[], httpx.Response]) -> httpx.Response:
        """Send a request that may be sent twice; return the last answer, whatever it says.

        Raises:
            httpx.TransportError: no answer, however often it was sent.
        """
        failures = refusals = 0
        while True:
            self._pause(max(0.0, self._not_before - self._now()))
            try:
                response = request()
            except httpx.TransportError:
                failures += 1
                if failures >= _ATTEMPTS:
                    raise
                self._pause(_backoff(failures))
                continue
            if response.status_code in _SERVER_FAULTS and failures + 1 < _ATTEMPTS:
                failures += 1
                self._pause(_told(response, self._now()) or _backoff(failures))
            elif is_limit(response) and refusals + 1 < _REFUSALS:
                refusals += 1
                self._hold_back(response, refusals)
            else:
                return response

    def _hold_back(self, response: httpx.Response, times: int) -> None:
        told = _told(response, self._now())
        wait_s = min(_UNTOLD_WAIT_S * 2 ** (times - 1) if told is None else told, _LONGEST_WAIT_S)
        until = self._now() + wait_s
        if until > self._not_before + 1:
            self._say(f"{response.url.host} asks for a pause of {max(1, round(wait_s))} s")
        self._not_before = max(self._not_before, until)


def is_limit(response: httpx.Response) -> bool:
    """Return whether an answer says that we ask too often, and not that we may not ask."""
    if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        return True
    return response.status_code == HTTPStatus.FORBIDDEN and (
        "retry-after" in response.headers
        or response.headers.get("x-ratelimit-remaining") == "0"
        or "rate limit" in response.text.lower()
    )


def _told(response: httpx.Response, now: float) -> float | None:
    """Return the seconds that the service asks to wait, if it says."""
    after = response.headers.get("retry-after", "")
    if after.isdigit():
        return float(after)
    if date := email.utils.parsedate_tz(after):
        return max(0.0, email.utils.mktime_tz(date) - now)
    reset = response.headers.get("x-ratelimit-reset", "")
    if response.headers.get("x-ratelimit-remaining") == "0" and reset.isdigit():
        return max(0.0, float(reset) - now) + 1
    return None


def _backoff(times: int) -> float:
    return 0.5 * 2.0 ** (times - 1)
