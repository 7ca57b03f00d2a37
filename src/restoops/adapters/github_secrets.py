"""Secrets and variables of a repository on GitHub, or of one of its environments.

https://docs.github.com/en/rest/actions/secrets
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from urllib.parse import quote

import httpx
from nacl.exceptions import CryptoError
from nacl.public import PublicKey, SealedBox

from restoops.adapters.github import Github, Purpose
from restoops.errors import StepFailed
from restoops.model import Secret

_TOKEN = "The token that a workflow is given cannot do this."  # noqa: S105  a sentence


class SecretPlace:
    """The repository itself (`environment` is empty), or one environment of it."""

    def __init__(self, github: Github, repository: str, environment: str = "") -> None:
        self._github = github
        where = f"/repos/{repository}"
        if environment:
            self._base = f"{where}/environments/{quote(environment, safe='')}"
            self._purpose = Purpose(
                f"environment {environment} of {repository}",
                f"Make the environment first, in the settings of the repository, with the rules "
                f"that are to protect it. GITHUB_TOKEN needs `Environments: write`. {_TOKEN}",
                "sends only what is missing",
            )
        else:
            self._base = f"{where}/actions"
            self._purpose = Purpose(
                f"secrets of {repository}",
                f"GITHUB_TOKEN needs `Secrets: write` and `Variables: write`. {_TOKEN}",
                "sends only what is missing",
            )

    def updates(self) -> Mapping[str, str]:
        """Return the secrets that are there by name, each with when it was changed last.

        Raises:
            Unreachable: no answer, no such place, or our token was refused.
        """
        url = f"{self._base}/secrets"
        entries = self._github.entries(url, self._purpose, "secrets")
        return {str(it.get("name")): str(it.get("updated_at")) for it in entries}

    def put(self, values: Mapping[str, Secret]) -> None:
        """Send these values, sealed so that only GitHub can open them.

        Raises:
            StepFailed: GitHub does not take one.
            Unreachable: no answer, no such place, or our token was refused.
        """
        key = self._github.object("GET", f"{self._base}/secrets/public-key", self._purpose)
        for name, value in values.items():
            body = {
                "encrypted_value": seal(str(key.get("key")), value),
                "key_id": str(key.get("key_id")),
            }
            url = f"{self._base}/secrets/{quote(name, safe='')}"
            self._github.ask("PUT", url, self._purpose, body)

    def variable(self, name: str) -> str:
        """Return the value of a variable; nothing when there is none."""
        found = self._github.find(f"{self._base}/variables/{name}", self._purpose)
        return "" if found is None else str(found.get("value", ""))

    def set_variable(self, name: str, value: str) -> None:
        """Set a variable, whether it was there or not."""
        url = f"{self._base}/variables"
        body = {"name": name, "value": value}
        response = self._github.send("PATCH", f"{url}/{name}", self._purpose, body)
        if response.status_code == httpx.codes.NOT_FOUND:
            response = self._github.send("POST", url, self._purpose, body)
        self._github.check(response, self._purpose)


def seal(public_key: str, value: Secret) -> str:
    """Return `value` in base64 as only the owner of `public_key` can read it.

    Raises:
        StepFailed: it is no key.
    """
    try:
        box = SealedBox(PublicKey(base64.b64decode(public_key, validate=True)))
    except (ValueError, TypeError, CryptoError) as error:
        raise StepFailed(
            "GitHub's public key is none that can be used; nothing was sent",
            hint="Run it again. Does GITHUB_API_URL or `registry.api` lead to GitHub itself?",
        ) from error
    return base64.b64encode(box.encrypt(value.reveal().encode())).decode()
