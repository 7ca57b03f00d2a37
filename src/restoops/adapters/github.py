"""GitHub's REST API: one client, which everything that talks to GitHub goes through.

https://docs.github.com/en/rest
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from restoops.adapters.nearby import is_this_machine
from restoops.adapters.patience import Patience
from restoops.errors import StepFailed, Unreachable, UsageError
from restoops.model import Secret

VERSION = "2022-11-28"
_DEFAULT_API = "https://api.github.com"
_PAGE = 100


@dataclass(frozen=True, slots=True)
class Purpose:
    """What requests are about, for errors.

    Attributes:
        what: the thing that is asked for, such as `package menu/menu-api`.
        needs: what the token has to be allowed, a whole sentence.
        again: what a second run does, a clause that follows "it", or nothing.
    """

    what: str
    needs: str
    again: str = ""


class Github:
    """The API at one address, with one token, which is shown to no other address."""

    def __init__(self, api: str, token: Secret | None, patience: Patience) -> None:
        self._patience = patience
        self._has_token = token is not None
        headers = {
            "accept": "application/vnd.github+json",
            "x-github-api-version": VERSION,
            **({"authorization": f"Bearer {token.reveal()}"} if token else {}),
        }
        # No redirect is followed: the token is for this address alone.
        self._client = httpx.Client(
            base_url=api,
            headers=headers,
            timeout=30,
            # No proxy leads to this machine itself.
            trust_env=not is_this_machine(httpx.URL(api).host),
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def send(
        self, method: str, url: str, purpose: Purpose, body: Mapping[str, Any] | None = None
    ) -> httpx.Response:
        """Return the answer, whatever it says; limits and cut connections are sat out.

        A request whose answer was lost is sent again: what it asks for may then be done twice.

        Raises:
            Unreachable: no answer, however often it was asked.
        """
        try:
            return self._patience.send(lambda: self._client.request(method, url, json=body))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unreachable(
                f"GitHub's API ({self._host}) does not answer: {error or type(error).__name__}",
                hint=f"Run it again when it does{_what_then(purpose)}.",
            ) from error

    def ask(
        self, method: str, url: str, purpose: Purpose, body: Mapping[str, Any] | None = None
    ) -> httpx.Response:
        """Return the answer when it is a good one.

        Raises:
            StepFailed: GitHub does not take what we send; it says why.
            Unreachable: no answer, no such thing, or our token was refused.
        """
        return self.check(self.send(method, url, purpose, body), purpose)

    def object(
        self, method: str, url: str, purpose: Purpose, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return a good answer that is an object; see `ask`."""
        return self._object(self.ask(method, url, purpose, body), purpose)

    def find(self, url: str, purpose: Purpose) -> dict[str, Any] | None:
        """Return the object that is there, or None when there is none; see `ask`."""
        response = self.send("GET", url, purpose)
        if response.status_code == httpx.codes.NOT_FOUND:
            return None
        return self._object(self.check(response, purpose), purpose)

    def entries(self, url: str, purpose: Purpose, key: str = "") -> Iterator[dict[str, Any]]:
        """Yield all entries of a list, page by page; `key` is where an answer has them, if not all.

        Raises:
            Unreachable: no answer, no such list, or our token was refused.
        """
        mark = "&" if "?" in url else "?"
        response = self.send("GET", f"{url}{mark}per_page={_PAGE}&page=1", purpose)
        yield from self.entries_of(response, purpose, key)

    def entries_of(
        self, response: httpx.Response, purpose: Purpose, key: str = ""
    ) -> Iterator[dict[str, Any]]:
        """Yield the entries of a page and of those after it; see `entries`."""
        while True:
            value = self._json(self.check(response, purpose), purpose)
            found = value.get(key) if key and isinstance(value, dict) else value
            if not isinstance(found, list) or not all(isinstance(it, dict) for it in found):
                raise self.not_understood(purpose)
            yield from found
            link = response.links.get("next", {}).get("url")
            if not link or not found:
                return
            response = self.send("GET", self._own(link, purpose), purpose)

    def check(self, response: httpx.Response, purpose: Purpose) -> httpx.Response:
        """Return an answer that is a good one; see `ask`."""
        if response.is_success:
            return response
        if response.status_code == httpx.codes.UNAUTHORIZED:
            raise self._refused(purpose)
        if response.status_code in (httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND):
            raise self._not_allowed(response, purpose)
        if response.status_code in (httpx.codes.CONFLICT, httpx.codes.UNPROCESSABLE_ENTITY):
            raise StepFailed(
                f"GitHub does not take what was sent for {purpose.what}: {message(response)}",
                hint="What was done before stays done.",
            )
        raise Unreachable(
            f"GitHub's API ({self._host}) answered {response.status_code} for {purpose.what}",
            hint=f"Try again later{_what_then(purpose)}.",
        )

    def not_understood(self, purpose: Purpose) -> Unreachable:
        """Return the error for an answer that GitHub does not give."""
        return Unreachable(
            f"the answer of {self._host} for {purpose.what} is not that of GitHub's API",
            hint="Is `registry.api` right, or GITHUB_API_URL, and no login page in between?",
        )

    @property
    def _host(self) -> str:
        return self._client.base_url.host

    def _refused(self, purpose: Purpose) -> Unreachable:
        what = "the token: it is wrong or has expired" if self._has_token else "us without a token"
        return Unreachable(
            f"GitHub's API ({self._host}) refuses {what}",
            hint=f"Set GITHUB_TOKEN anew and run it again{_what_then(purpose)}.",
        )

    def _not_allowed(self, response: httpx.Response, purpose: Purpose) -> Unreachable:
        # GitHub says 404 as well for what a token may not see.
        what = "may not do this" if self._has_token else "is missing"
        wanted = _printable(response.headers.get("x-accepted-github-permissions", ""))
        wants = f" (GitHub wants {wanted})" if wanted else ""
        return Unreachable(
            f"GitHub's API ({self._host}) has no {purpose.what} for us, or the token {what}: "
            f"{message(response)}{wants}",
            hint=purpose.needs,
        )

    def _object(self, response: httpx.Response, purpose: Purpose) -> dict[str, Any]:
        value = self._json(response, purpose)
        if not isinstance(value, dict):
            raise self.not_understood(purpose)
        return value

    def _json(self, response: httpx.Response, purpose: Purpose) -> Any:
        try:
            return response.json()
        except ValueError as error:
            raise self.not_understood(purpose) from error

    def _own(self, link: str, purpose: Purpose) -> str:
        url = self._client.base_url.join(link)
        if (url.scheme, url.netloc) != (self._client.base_url.scheme, self._client.base_url.netloc):
            raise self.not_understood(purpose)  # the token is for this address alone
        return str(url)


def message(response: httpx.Response) -> str:
    """Return what GitHub says was wrong, in its words, one line of them."""
    try:
        text = str(response.json().get("message", ""))
    except (ValueError, AttributeError):
        text = ""
    return _printable(text) or f"status {response.status_code}"


def find_token() -> Secret | None:
    """Return GITHUB_TOKEN of our environment, if it is there."""
    token = os.environ.get("GITHUB_TOKEN", "").strip()
    return Secret(token) if token else None


def find_api(configured: str) -> str:
    """Return the address of the API: what is configured, else GITHUB_API_URL, else GitHub's own.

    Raises:
        UsageError: GITHUB_API_URL is no address that a token may be sent to.
    """
    found = os.environ.get("GITHUB_API_URL", "").rstrip("/")
    if configured != _DEFAULT_API or not found:
        return configured
    try:
        url = httpx.URL(found)
    except httpx.InvalidURL:
        url = httpx.URL("")
    is_safe = url.scheme == "https" or (url.scheme == "http" and is_this_machine(url.host))
    if not is_safe or not url.host or url.userinfo:
        raise UsageError(
            "GITHUB_API_URL is no address of an API: `https://`, a host, perhaps a path",
            hint="In GitHub Actions it is set; elsewhere leave it out or set `registry.api`.",
        )
    return found


def _what_then(purpose: Purpose) -> str:
    return f": it {purpose.again}" if purpose.again else ""


def _printable(text: str) -> str:
    return "".join(c for c in text[:200] if c.isprintable())
