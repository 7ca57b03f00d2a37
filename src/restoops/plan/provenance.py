"""Which commit a release was built from, and where it can be read: from what its tag and CI say."""

from __future__ import annotations

import re
from collections.abc import Mapping

from restoops.model import GIT_SHA
from restoops.plan.github_names import split_remote

_BUILD = re.compile(rf"(?:.*[-_.])?({GIT_SHA})")
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")
_SERVER = re.compile(r"https://[\w.:-]+")


def sha_in(tag: str) -> str:
    """Return the Git SHA that a tag names, whole or cut short; nothing when it names none."""
    found = _BUILD.fullmatch(tag)
    return found[1] if found else ""


def fits(sha: str, whole: str) -> bool:
    """Return whether `sha` is `whole`, or how it begins."""
    return bool(sha) and whole.startswith(sha)


def repository_url(environ: Mapping[str, str], origin: str = "") -> str:
    """Return where the repository can be read, by GitHub Actions or by git's `origin`."""
    server = environ.get("GITHUB_SERVER_URL", "https://github.com")
    name = environ.get("GITHUB_REPOSITORY", "")
    if _SERVER.fullmatch(server) and _REPOSITORY.fullmatch(name):
        return f"{server}/{name}"
    host, name = split_remote(origin)
    return f"https://github.com/{name}" if host == "github.com" else ""


def run_url(environ: Mapping[str, str]) -> str:
    """Return where the run of GitHub Actions that we are in can be read, if we are in one."""
    number, repository = environ.get("GITHUB_RUN_ID", ""), repository_url(environ)
    return f"{repository}/actions/runs/{number}" if number.isdecimal() and repository else ""
