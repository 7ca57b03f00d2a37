"""What is needed of a repository whose images are listed and deleted."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Protocol

from restoops.contents import Contents
from restoops.model import Digest
from restoops.plan.fate import Retention
from restoops.plan.images import RegistryPlan, plan_registry
from restoops.plan.usage import Usage


class Store(Protocol):
    """A repository; see `adapters.repository.Repository` for what each call does."""

    name: str

    def look(self, others: Iterable[Digest] = ()) -> Contents: ...
    def look_further(self, contents: Contents, others: Iterable[Digest]) -> Contents: ...
    def look_again(self, others: Iterable[Digest], unasked: Collection[str]) -> Contents: ...
    def batch(self, tags: int) -> int: ...
    def referrers(self, subjects: Iterable[Digest]) -> frozenset[Digest]: ...
    def is_as_shown(self, digest: Digest, tags: Collection[str]) -> bool: ...
    def delete(self, digest: Digest) -> bool: ...
    def tag_names(self) -> tuple[str, ...]: ...
    def faults(self, tags: Iterable[str]) -> Mapping[str, str]: ...


def plan_store(store: Store, usage: Usage, wish: Retention) -> tuple[Contents, RegistryPlan]:
    """Look at a repository and plan; what is about a deleted image is part of the plan.

    Only what is to be deleted is asked for its referrers: those of the rest are in no danger.
    """
    contents = store.look(usage.digests)
    asked: set[Digest] = set()
    about: set[Digest] = set()
    while True:
        plan = plan_registry(store.name, contents, usage, wish)
        gone = {it.digest for it in plan.going} | {it.digest for it in plan.parts}
        found = store.referrers(gone - asked) - contents.manifests.keys()
        asked |= gone
        if not found:
            return contents, plan
        about |= found
        contents = store.look_further(contents, usage.digests | about)
