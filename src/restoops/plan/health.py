"""What a health answer says about a release, and what it does not."""

from __future__ import annotations

import json

from restoops.model import Answer, Release, is_git_sha
from restoops.plan.provenance import fits, sha_in

_NOT_FOUND = 404
"""Of `health.path` on the release that serves: the path is wrong, and no database is down."""


def is_everybodys_fault(serving: Answer) -> bool:
    """Return whether the release that serves is not healthy either.

    Then something that both need is down, and the new release is not to blame for its answer.
    """
    return serving.status not in (0, _NOT_FOUND) and not serving.is_good


def another_release(answer: Answer, release: Release) -> str:
    """Return the Git SHA that an answer gives itself, when the tag of `release` has another.

    Told as `release.sha` in JSON. Empty when either names none: nothing can be said then. Digits
    alone in a tag may be the number of a build: no release is refused for those.
    """
    told, wanted = told_sha(answer.text), sha_in(release.tag)
    if not told or not wanted or wanted.isdecimal():
        return ""
    return "" if fits(wanted, told) or fits(told, wanted) else told


def told_sha(text: str) -> str:
    """Return the Git SHA that a health answer gives itself; empty when it names none."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    release = body.get("release") if isinstance(body, dict) else None
    sha = release.get("sha") if isinstance(release, dict) else None
    return sha if isinstance(sha, str) and is_git_sha(sha) else ""
