"""Which images of a repository are kept and which are deleted, each with its reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from restoops.contents import Contents, ManifestKind
from restoops.model import Digest
from restoops.plan.ages import seconds_between
from restoops.plan.fate import Fate, Retention
from restoops.plan.reachability import Graph
from restoops.plan.tags import TagRules
from restoops.plan.usage import Usage

_GRACE_S = 86_400
"""What was pushed without a tag may be part of an image whose index is still on its way."""


@dataclass(frozen=True, slots=True)
class Part:
    """A manifest that belongs to deleted images only: a platform, an attestation, a signature."""

    digest: Digest
    tags: tuple[str, ...]
    size_bytes: int


@dataclass(frozen=True, slots=True)
class RegistryPlan:
    """What becomes of all images of a repository, the newest first."""

    fates: tuple[Fate, ...]
    parts: tuple[Part, ...] = ()
    """What is deleted after the images that it belongs to."""
    size_bytes: int = 0
    """Of all that is deleted; layers that kept images share count as well."""

    @property
    def going(self) -> tuple[Fate, ...]:
        """The images that are deleted."""
        return tuple(fate for fate in self.fates if fate.goes)


def plan_registry(where: str, contents: Contents, usage: Usage, wish: Retention) -> RegistryPlan:
    """Return what becomes of each image of the repository `where`.

    Same contents, same plan: images of equal age are ordered by when they were pushed, then by
    digest.
    """
    graph = Graph(contents)
    roots = sorted(_roots(graph, wish.tags), key=_by_age(graph), reverse=True)
    images = [it for it in roots if graph.names(it) and _is_image(contents, it)]
    newest = frozenset(images[: wish.keep])
    reasons = {it: _why_kept(graph, it, usage, wish, newest) for it in roots}
    kept = graph.closure([*usage.digests, *(it for it, reason in reasons.items() if reason)])
    fates = tuple(_fate(where, graph, it, reasons[it], is_needed=it in kept) for it in roots)
    gone = {fate.digest for fate in fates if fate.goes}
    parts = (graph.closure(gone) - gone - kept) & contents.manifests.keys()
    return RegistryPlan(
        fates,
        tuple(_part(graph, it) for it in sorted(parts, key=str)),
        sum(contents.manifests[it].size_bytes for it in gone | parts),
    )


def survivors(plan: RegistryPlan, contents: Contents, usage: Usage) -> dict[Digest, str]:
    """Return which images of `plan` are not to be deleted after all, and why.

    That is one whose tags are not those that were shown, that a host uses by now, or that
    something needs which is not deleted.
    """
    graph = Graph(contents)
    there = {it.digest: it for it in plan.going if it.digest in contents.manifests}
    lost = {it for it, fate in there.items() if graph.tags.get(it, ()) == fate.tags}
    kept = graph.closure(
        [*usage.digests, *(contents.manifests.keys() - lost - _as_shown(graph, plan))]
    )
    return {it: _why_it_survives(graph, there[it], usage) for it in there if it in kept}


def loose_parts(plan: RegistryPlan, contents: Contents, usage: Usage) -> tuple[Part, ...]:
    """Return the parts of `plan` that nothing needs which is there now."""
    graph = Graph(contents)
    kept = graph.closure([*usage.digests, *(contents.manifests.keys() - _as_shown(graph, plan))])
    return tuple(it for it in plan.parts if it.digest in contents.manifests.keys() - kept)


def _as_shown(graph: Graph, plan: RegistryPlan) -> set[Digest]:
    """Return the parts of `plan` whose tags are still those that were shown."""
    return {it.digest for it in plan.parts if graph.tags.get(it.digest, ()) == it.tags}


def incomplete(contents: Contents) -> frozenset[str]:
    """Return the tags of which a platform or an attestation is missing."""
    graph = Graph(contents)
    return frozenset(tag for tag, it in contents.tags.items() if graph.lacks(it))


def _roots(graph: Graph, rules: TagRules) -> Iterator[Digest]:
    """Yield what a plan decides about; the rest follows what it belongs to."""
    for digest, manifest in graph.contents.manifests.items():
        names = graph.names(digest)
        is_named = bool(names) and (manifest.subject is None or bool(rules.why_protected(names)))
        if is_named or not graph.belongs(digest):
            yield digest


def _by_age(graph: Graph) -> Callable[[Digest], tuple[str, int, str]]:
    def key(digest: Digest) -> tuple[str, int, str]:
        push = graph.contents.pushes.get(digest)
        return graph.created(digest), push.order if push else 0, str(digest)

    return key


def _why_kept(
    graph: Graph, digest: Digest, usage: Usage, wish: Retention, newest: frozenset[Digest]
) -> str:
    names, created = graph.names(digest), graph.created(digest)
    if reason := usage.why_kept(digest) or wish.tags.why_protected(names):
        return reason
    if digest in newest:
        return f"one of the {wish.keep} newest"
    if graph.is_orphan(digest) and not names:
        return ""
    if names and not _is_image(graph.contents, digest):
        return "no image of an application"
    if not created:
        return "its age is not known"
    age_s = seconds_between(created, wish.now)
    if wish.older_than_s and age_s < wish.older_than_s:
        return "younger than --older-than"
    push = graph.contents.pushes.get(digest)
    if not names and (seconds_between(push.at, wish.now) if push and push.at else age_s) < _GRACE_S:
        return "pushed less than a day ago"
    return ""


def _fate(where: str, graph: Graph, digest: Digest, reason: str, *, is_needed: bool) -> Fate:
    if is_needed and not reason:
        reason = "a kept image needs it"
    return Fate(
        where,
        digest,
        graph.tags.get(digest, ()),
        "keep" if is_needed else "delete",
        reason or _why_deleted(graph, digest),
        graph.created(digest),
        graph.size_bytes(digest),
        graph.contents.manifests[digest].platforms,
    )


def _why_deleted(graph: Graph, digest: Digest) -> str:
    if graph.names(digest):
        return "older than what is kept"
    if graph.is_orphan(digest):
        return "what it was about is gone"
    return "no tag, and nothing refers to it"


def _why_it_survives(graph: Graph, fate: Fate, usage: Usage) -> str:
    now = graph.tags.get(fate.digest, ())
    if new := sorted(set(now) - set(fate.tags)):
        return f"tag {', '.join(new)} points to it by now"
    if moved := sorted(set(fate.tags) - set(now)):
        return f"tag {', '.join(moved)} does not point to it any more"
    return usage.why_kept(fate.digest) or "what was pushed meanwhile needs it"


def _part(graph: Graph, digest: Digest) -> Part:
    return Part(digest, graph.tags.get(digest, ()), graph.contents.manifests[digest].size_bytes)


def _is_image(contents: Contents, digest: Digest) -> bool:
    return contents.manifests[digest].kind is not ManifestKind.OTHER
