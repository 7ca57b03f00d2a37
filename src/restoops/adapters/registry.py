"""A registry that speaks the OCI distribution protocol.

https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md
"""

from __future__ import annotations

import difflib
import hashlib
import os
import re
import warnings
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import httpx

from restoops.adapters.nearby import is_this_machine
from restoops.adapters.patience import Patience
from restoops.errors import Refused, RestoopsError, Unreachable
from restoops.masking import learn
from restoops.model import Digest, ImageName, Login, Secret

_MANIFESTS = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')
_MOST_TAGS = 1000
_SILENT = (
    "Is `registry.host` right, and can this machine reach it? A rollback to a release that is warm "
    "or on the hosts works without it."
)


class RegistryClient:
    """One repository of a registry; answers are waited for `timeout_s` seconds."""

    def __init__(
        self,
        image: ImageName,
        login: Login | None,
        *,
        plain_http: bool = False,
        timeout_s: float = 10,
        patience: Patience | None = None,
    ) -> None:
        self.image = image
        self._login = login
        self._patience = patience
        is_ours = is_this_machine(_host(image.registry))
        scheme = "http" if plain_http or is_ours else "https"
        self._base = f"{scheme}://{image.registry}"
        self._client = httpx.Client(
            timeout=timeout_s,
            follow_redirects=True,
            # No proxy leads to this machine itself.
            trust_env=not is_ours,
        )
        self._authorizations: dict[bool, str] = {}
        """What the registry asked for, apart for what deletes: a token is for some actions only."""

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def resolve(self, tag: str) -> Digest:
        """Return the digest that `tag` means at this moment.

        Raises:
            Refused: there is no such tag.
            Unreachable: no answer, or our credentials were refused.
        """
        response = self.find("HEAD", f"manifests/{tag}")
        if response is None:
            raise Refused(
                f"{self.image}:{tag} is not in the registry",
                hint=self._what_is_there(tag),
            )
        digest = response.headers.get("docker-content-digest")
        if digest is None:
            body = self.check(self.ask("GET", f"manifests/{tag}")).content
            digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        try:
            return Digest(digest)
        except ValueError as error:
            raise self._not_understood() from error

    def has(self, digest: Digest) -> bool:
        """Return whether the image can still be pulled."""
        return self.find("HEAD", f"manifests/{digest}") is not None

    def tags(self) -> tuple[str, ...]:
        """Return up to 1,000 tags of the repository, in the registry's order."""
        response = self.find("GET", f"tags/list?n={_MOST_TAGS}")
        return tuple(self.object(response).get("tags") or ()) if response else ()

    def _what_is_there(self, tag: str) -> str:
        try:
            tags = self.tags()
        except RestoopsError:
            tags = ()
        if near := difflib.get_close_matches(tag, tags):
            return f"Did you mean {' or '.join(near)}?"
        if tags:
            return "Was it built and pushed? The registry has: " + ", ".join(tags[-5:])
        return "Was it built and pushed, and is `image.repository` right?"

    def ask(self, method: str, path: str) -> httpx.Response:
        """Send a request about the repository, logged in as the registry asks for it.

        A token that has expired is replaced by a new one.

        Raises:
            Unreachable: no answer.
        """
        return self._ask_url(method, f"{self._base}/v2/{self.image.repository}/{path}")

    def find(self, method: str, path: str) -> httpx.Response | None:
        """Return a good answer, or None when there is no such thing; see `ask`.

        Raises:
            Unreachable: no answer, or our credentials were refused.
        """
        return self._found(self.ask(method, path))

    def find_next(self, response: httpx.Response) -> httpx.Response | None:
        """Return the next page of a list; None when there is none."""
        link = response.links.get("next", {}).get("url")
        if not link:
            return None
        url = response.url.join(link)
        if (url.scheme, url.netloc) != (response.url.scheme, response.url.netloc):
            raise self._not_understood()  # our credentials are for this registry alone
        return self._found(self._ask_url("GET", str(url)))

    def _found(self, response: httpx.Response) -> httpx.Response | None:
        return None if response.status_code == httpx.codes.NOT_FOUND else self.check(response)

    def _ask_url(self, method: str, url: str) -> httpx.Response:
        response = self._send(method, url)
        if response.status_code == httpx.codes.UNAUTHORIZED:
            challenge = response.headers.get("www-authenticate", "")
            self._authorizations[method == "DELETE"] = self._answer_challenge(challenge)
            response = self._send(method, url)
        return response

    def _send(self, method: str, url: str) -> httpx.Response:
        headers = {"accept": _MANIFESTS}
        if authorization := self._authorizations.get(method == "DELETE"):
            headers["authorization"] = authorization
        try:
            return self._patiently(lambda: self._client.request(method, url, headers=headers))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unreachable(
                f"registry {self.image.registry} does not answer: {error or type(error).__name__}",
                hint=_SILENT,
            ) from error

    def _patiently(self, request: Callable[[], httpx.Response]) -> httpx.Response:
        return self._patience.send(request) if self._patience else request()

    def _answer_challenge(self, challenge: str) -> str:
        """Return the Authorization header that the registry asks for.

        https://distribution.github.io/distribution/spec/auth/token/
        """
        pair = (self._login.username, self._login.password.reveal()) if self._login else None
        if not challenge.lower().startswith("bearer"):
            return f"Basic {b64encode(':'.join(pair).encode()).decode()}" if pair else ""
        asked = dict(_CHALLENGE.findall(challenge))
        try:
            response = self._patiently(
                lambda: self._client.get(
                    asked.get("realm", ""),
                    params={key: asked[key] for key in ("service", "scope") if key in asked},
                    auth=pair,
                )
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unreachable(
                f"registry {self.image.registry}: its token service does not answer: {error}",
                hint=_SILENT,
            ) from error
        if response.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise self._refused()
        token = self.object(response)
        return f"Bearer {token.get('token') or token.get('access_token')}"

    def check(self, response: httpx.Response) -> httpx.Response:
        """Return an answer that is none of an error.

        Raises:
            Unreachable: it is one.
        """
        if response.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise self._refused()
        if response.is_error:
            raise Unreachable(
                f"registry {self.image.registry} answered {response.status_code} "
                f"for {self.image.repository}",
                hint="Try again in a minute; a rollback on the hosts works without it.",
            )
        return response

    def object(self, response: httpx.Response) -> dict[str, Any]:
        """Return what an answer says; `check` is part of it."""
        try:
            value = self.check(response).json()
        except ValueError as error:
            raise self._not_understood() from error
        if not isinstance(value, dict):
            raise self._not_understood()
        return value

    def _not_understood(self) -> Unreachable:
        return Unreachable(
            f"registry {self.image.registry}: its answer for {self.image.repository} is not "
            "that of a registry",
            hint="Is `registry.host` right, and no proxy or login page in between?",
        )

    def _refused(self) -> Unreachable:
        user = f"user {self._login.username}" if self._login else "us without credentials"
        return Unreachable(
            f"registry {self.image.registry} refused {user} for {self.image.repository}",
            hint="Set REGISTRY_USERNAME and GITHUB_TOKEN (scope read:packages), or log in with "
            f"`docker login {self.image.registry}`.",
        )


def find_login(registry: str, *, ours: str) -> Login | None:
    """Return the credentials for `registry`.

    Those in REGISTRY_USERNAME and GITHUB_TOKEN are for `ours`, the application's registry, and
    are shown to no other. The rest comes from Docker's own configuration with its credential
    helpers.

    Raises:
        Unreachable: a credential helper failed.
    """
    user, token = os.environ.get("REGISTRY_USERNAME"), os.environ.get("GITHUB_TOKEN")
    if user and token and _same(registry, ours):
        return Login(user, Secret(token))
    # The package, then what it holds: `import docker.auth` would lock that module first, and a
    # thread that loads the package just then would go on with an empty `docker.auth`.
    from docker import auth, errors

    try:
        with warnings.catch_warnings(action="ignore"):  # a missing helper is an error as well
            entry = auth.load_config().resolve_authconfig(registry) or {}
    except (errors.DockerException, ValueError, AttributeError, KeyError) as error:
        raise Unreachable(
            f"Docker's credentials for {registry} cannot be read: {error}",
            hint="Is `~/.docker/config.json` right, and does `docker-credential-<helper> list` "
            "work? Or set REGISTRY_USERNAME and GITHUB_TOKEN.",
        ) from error
    # A helper answers with `Username`, the file says `username`.
    found = {key.lower(): value for key, value in entry.items()}
    if not found.get("username"):
        return None
    password = Secret(str(found.get("password", "")))
    learn(password)
    return Login(str(found["username"]), password)


def _same(one: str, other: str) -> bool:
    hub = {"index.docker.io": "docker.io", "registry-1.docker.io": "docker.io"}
    names = [name.lower().removesuffix(":443") for name in (one, other)]
    return hub.get(names[0], names[0]) == hub.get(names[1], names[1])


def _host(registry: str) -> str:
    """Return the host of `host` or `host:port`."""
    name, _, port = registry.rpartition(":")
    return name if port.isdecimal() else registry
