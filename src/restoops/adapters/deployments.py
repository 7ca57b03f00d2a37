"""Deployments of a repository on GitHub, and what has become of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from restoops.adapters.github import Github, Purpose
from restoops.errors import RestoopsError
from restoops.masking import masked

_LONGEST = 140
"""Characters that GitHub takes in a description."""
_EARLIER = 5
"""Deployments before this one that are looked at: one of them was the active one."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """What is deployed where, as GitHub is told."""

    ref: str
    """A commit, as long or short as it is known."""
    environment: str
    description: str
    payload: dict[str, str]


@dataclass(frozen=True, slots=True)
class Links:
    """Where a deployment leads to."""

    environment_url: str
    log_url: str


class Deployments:
    """Writes deployments of one repository.

    Every method raises StepFailed or Unreachable when GitHub does not take what it is told.
    """

    def __init__(self, github: Github, repository: str, links: Links) -> None:
        self._github = github
        self._base = f"/repos/{repository}/deployments"
        self._commits = f"/repos/{repository}/commits"
        self._links = links
        self._purpose = Purpose(
            f"deployments of {repository}", "The job needs `permissions: deployments: write`."
        )

    def create(self, wish: Deployment) -> int:
        """Write a deployment and return its number; its commit is merged and checked by nobody."""
        made = self._github.object(
            "POST",
            self._base,
            self._purpose,
            {
                "ref": self._whole(wish.ref),
                "environment": wish.environment,
                "description": masked(wish.description)[:_LONGEST],
                "payload": wish.payload,
                "auto_merge": False,
                "required_contexts": [],
            },
        )
        number = made.get("id")
        if not isinstance(number, int):
            raise self._github.not_understood(self._purpose)
        return number

    def set_state(self, number: int, state: str, description: str = "") -> None:
        """Write what has become of one: `in_progress`, `success`, `failure`, `inactive`."""
        body = {
            "state": state,
            "description": masked(description)[:_LONGEST],
            "auto_inactive": True,
        }
        links = {"environment_url": self._links.environment_url, "log_url": self._links.log_url}
        body |= {name: url for name, url in links.items() if url}
        self._github.ask("POST", f"{self._base}/{number}/statuses", self._purpose, body)

    def retire_earlier(self, number: int, environment: str) -> None:
        """Write of those before that they are not active any more.

        By itself GitHub does so for environments that are not production only.
        """
        for other in self._newest({"environment": environment, "per_page": _EARLIER}):
            states = self._newest({"per_page": 1}, f"/{other.get('id')}/statuses")
            if other.get("id") != number and states and states[0].get("state") == "success":
                self.set_state(int(other["id"]), "inactive")

    def take_back(self, environment: str, why: str) -> None:
        """Write of what this job called a success that it is a failure; of other jobs, nothing."""
        for it in self._newest({"environment": environment, "per_page": _EARLIER}):
            (last, *_) = self._newest({"per_page": 1}, f"/{it.get('id')}/statuses") or [{}]
            is_ours = self._links.log_url and last.get("log_url") == self._links.log_url
            if is_ours and last.get("state") == "success":
                self.set_state(int(it["id"]), "failure", why)

    def _newest(self, query: dict[str, Any], below: str = "") -> list[dict[str, Any]]:
        url = f"{self._base}{below}?{urlencode(query)}"
        found = self._github.ask("GET", url, self._purpose).json()
        return [it for it in found if isinstance(it, dict)] if isinstance(found, list) else []

    def _whole(self, ref: str) -> str:
        """Return the whole SHA of a commit that is named by its begin; else what was given."""
        try:
            found = self._github.object("GET", f"{self._commits}/{ref}", self._purpose)
        except RestoopsError:
            return ref
        return str(found.get("sha") or ref)
