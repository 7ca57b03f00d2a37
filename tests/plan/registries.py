"""Any repository that pushes, moved tags, signing and deleting could have left behind."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hypothesis import strategies as st

from restoops.contents import Contents, Manifest, ManifestKind, Push, subject_of_tag
from restoops.model import Digest
from restoops.plan.fate import Retention
from restoops.plan.tags import TagRules
from restoops.plan.usage import Place, Usage
from tests.plan.states import digest

NOW = "2026-03-01T00:00:00.000000+00:00"
RULES = TagRules(("latest", "stable", "<semver>", "<branch>"), ("<sha>", "sha-<sha>", "*-<sha>"))
WEB = Place("production", "web-1")
DATES = ("", *(f"2026-{month}T00:00:00.000000+00:00" for month in ("01-01", "01-01", "02-28")))
"""Some builds have the same date, some none."""
TAGS = (
    *(f"sha-{number:07x}" for number in range(8)),
    *(f"main-{number:07x}" for number in range(4)),
    "latest", "main", "v1.2.3", "1.0.0-rc.1", "stable", "feature-x",
)  # fmt: skip
IMAGES = tuple(digest(f"image {number}") for number in range(8))
INDEXES = tuple(digest(f"index {number}") for number in range(6))
ABOUT = tuple(digest(f"about {number}") for number in range(6))
LOST = digest("lost")
"""What something refers to and is not there."""


def manifests_of(draw: st.DrawFn) -> dict[Digest, Manifest]:
    dates = st.sampled_from(DATES)
    kinds = st.sampled_from((ManifestKind.IMAGE, ManifestKind.IMAGE, ManifestKind.OTHER))
    found = {it: Manifest(it, draw(kinds), 10, created=draw(dates)) for it in IMAGES}
    children = st.lists(st.sampled_from((*IMAGES, LOST)), max_size=4, unique=True)
    for it in INDEXES:
        made = Manifest(it, ManifestKind.INDEX, 1, tuple(draw(children)), created=draw(dates))
        found[it] = made
    subjects = st.sampled_from((None, *IMAGES, *INDEXES, *ABOUT, LOST))
    for number, it in enumerate(ABOUT):
        subject = draw(subjects)
        # What is about something was made after it.
        is_later = subject in ABOUT and ABOUT.index(subject) >= number
        about = None if is_later else subject
        found[it] = Manifest(it, ManifestKind.OTHER, 2, subject=about)
    gone = draw(st.sets(st.sampled_from((*IMAGES, *INDEXES, *ABOUT)), max_size=4))
    return {it: manifest for it, manifest in found.items() if it not in gone}


@st.composite
def repositories(draw: st.DrawFn) -> Contents:
    manifests = manifests_of(draw)
    there = st.sampled_from(sorted(manifests, key=str))
    tags = draw(st.dictionaries(st.sampled_from(TAGS), there, max_size=14))
    signed = draw(st.lists(st.sampled_from((*IMAGES, *INDEXES, LOST)), max_size=4))
    ends = st.sampled_from((".sig", ".att", ""))
    for it in signed:
        about = draw(
            st.sampled_from([d for d in ABOUT if d in manifests] or sorted(manifests, key=str))
        )
        tags[f"sha256-{it.value[7:]}{draw(ends)}"] = about
    pushes = {}
    if draw(st.booleans()):  # as GitHub tells of all, and other registries of none
        pushes = {it: Push(n, draw(st.sampled_from(DATES))) for n, it in enumerate(manifests)}
    return Contents(manifests, tags, pushes)


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    some = st.lists(st.sampled_from((*IMAGES, *INDEXES)), max_size=2)
    return Usage(dict.fromkeys(draw(some), (WEB,)), dict.fromkeys(draw(some), (WEB,)))


wishes = st.builds(
    Retention,
    keep=st.integers(1, 6),
    tags=st.sampled_from((RULES, replace(RULES, protected=("latest",)))),
    now=st.just(NOW),
    older_than_s=st.sampled_from((0, 20 * 86_400, 500 * 86_400)),
)


@dataclass(frozen=True, slots=True)
class Loss:
    """What is not there any more."""

    contents: Contents

    def of(self, digests: set[Digest]) -> Contents:
        """Return the repository without manifests, and without the tags that pointed there."""
        it = self.contents
        return Contents(
            {d: manifest for d, manifest in it.manifests.items() if d not in digests},
            {tag: d for tag, d in it.tags.items() if d not in digests},
            it.pushes,
        )


def missing(before: Contents, after: Contents, root: Digest) -> set[Digest]:
    """Return what `root` had before and lacks now: its parts, and all that was about any of it.

    Written apart from the plan, without cleverness, so that it does not share a mistake.
    """
    whole = {root}
    for _ in range(len(before.manifests) + 1):
        for manifest in before.manifests.values():
            if manifest.digest in whole:
                whole |= set(manifest.children)
            if manifest.subject in whole:
                whole.add(manifest.digest)
        whole |= {d for tag, d in before.tags.items() if subject_of_tag(tag) in whole}
    return (whole & before.manifests.keys()) - after.manifests.keys()
