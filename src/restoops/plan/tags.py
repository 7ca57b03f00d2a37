"""Which tags keep their image, whatever its age."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass

from restoops.model import GIT_SHA

_NUMBER = r"(?:0|[1-9][0-9]*)"
_SEMVER = rf"v?{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-[0-9A-Za-z.-]+)?(?:[+_][0-9A-Za-z.-]+)?"
_WORDS = {"<sha>": GIT_SHA, "<semver>": _SEMVER, "*": ".*", "?": "."}
BRANCH = "<branch>"


@dataclass(frozen=True, slots=True)
class TagRules:
    """Patterns of tags: `*`, `?`, `<sha>` for a Git SHA and `<semver>` for a version."""

    protected: tuple[str, ...]
    """`<branch>` among them stands for every tag that names no single build."""
    builds: tuple[str, ...]
    """Tags of single builds, which nobody moves."""

    def why_protected(self, tags: Iterable[str]) -> str:
        """Return why an image with these tags is kept; nothing when none of them is protected."""
        for tag in tags:
            for pattern in self.protected:
                if pattern == BRANCH and not any(matches(build, tag) for build in self.builds):
                    return f"tag {tag} names no single build"
                if pattern != BRANCH and matches(pattern, tag):
                    return f"tag {tag} is protected by {pattern}"
        return ""


def matches(pattern: str, tag: str) -> bool:
    """Return whether the whole of `tag` is as `pattern` says."""
    return _expression(pattern).fullmatch(tag) is not None


@functools.cache
def _expression(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"(<sha>|<semver>|\*|\?)", pattern)
    return re.compile("".join(_WORDS.get(part, re.escape(part)) for part in parts))
