"""Images are deleted from a registry one by one, each looked at again right before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from restoops.contents import Contents
from restoops.errors import Interrupted, NeedsAttention, RestoopsError, StepFailed
from restoops.flows.interrupt import Interrupt
from restoops.flows.prune_record import Recorder
from restoops.flows.stores import Store
from restoops.model import Digest
from restoops.plan.fate import Fate
from restoops.plan.fleet import in_batches
from restoops.plan.images import RegistryPlan, incomplete, loose_parts, survivors
from restoops.plan.usage import Usage
from restoops.report.image_events import Note, Survived, Verified

_PARTS_A_LOOK = "50"
_IMAGES_A_QUESTION = 50
"""Images that are deleted before the hosts are asked again what they need."""
_LISTED = 200
"""Lines about what is left; the next plan has them all."""


@dataclass(slots=True)
class RegistryPruner:
    """Carries out the plan for one repository."""

    store: Store
    contents: Contents
    plan: RegistryPlan
    ask_hosts: Callable[[], Usage]
    """Says what hosts need now; asked again as images go, and before parts of them do."""
    recorder: Recorder
    interrupt: Interrupt
    _settled: set[Digest] = field(default_factory=set)
    """What was deleted, has gone by itself, or is kept after all."""
    _deleted: set[Digest] = field(default_factory=set)
    _usage: Usage = field(default_factory=Usage)
    _refused: list[StepFailed] = field(default_factory=list)

    @property
    def has_deleted(self) -> bool:
        """Whether anything was deleted."""
        return bool(self._deleted)

    def prune(self) -> None:
        """Delete images, then what belonged to them alone, then see that the rest is complete.

        Raises:
            NeedsAttention: a tag that was kept is not complete.
            StepFailed: the registry did not delete some of it.
            Unreachable: it stopped answering, or refused us; the details name what is left.
        """
        try:
            self._delete_images()
            self._delete_parts()
        except RestoopsError as error:
            if self._deleted:
                self._tell_rest(error)
            raise
        if self._deleted:
            self._verify()
        if self._refused:
            raise self._refused[0]

    def _delete_images(self) -> None:
        going = self.plan.going
        kept_tags = len(self.contents.tags) - sum(len(fate.tags) for fate in going)
        size = min(self.store.batch(kept_tags), _IMAGES_A_QUESTION)
        batches = in_batches(going, str(size))
        for number, batch in enumerate(batches):
            self.interrupt.check()
            if number % (_IMAGES_A_QUESTION // size) == 0:
                self._usage = self.ask_hosts()
            later = {tag for rest in batches[number + 1 :] for it in rest for tag in it.tags}
            now = self.store.look_again(self._others(), later)
            saved = survivors(self.plan, now, self._usage)
            for fate in batch:
                self._delete_image(fate, now, saved.get(fate.digest, ""))

    def _delete_image(self, fate: Fate, now: Contents, saved_by: str) -> None:
        self.interrupt.check()
        if not saved_by and not self.store.is_as_shown(fate.digest, fate.tags):
            saved_by = "its tags are not those that were shown any more"
        if saved_by:
            where = self.store.name
            self.recorder.tell(Survived(where, fate.digest, fate.tags, saved_by))
            self._settled.add(fate.digest)
        elif fate.digest in now.manifests:
            size_bytes = now.manifests[fate.digest].size_bytes
            self._delete(fate.digest, fate.tags, size_bytes, fate.reason)

    def _delete_parts(self) -> None:
        """Delete what is left of the images; what has gone from a second one's way meanwhile."""
        for batch in in_batches(self.plan.parts, _PARTS_A_LOOK):
            self.interrupt.check()
            self._usage = self.ask_hosts()
            now = self.store.look_again(self._others(), ())
            loose = {part.digest for part in loose_parts(self.plan, now, self._usage)}
            for part in batch:
                self.interrupt.check()
                if part.digest not in loose:
                    self._settled.add(part.digest)
                elif self.store.is_as_shown(part.digest, part.tags):
                    reason = "belonged to deleted images only"
                    self._delete(part.digest, part.tags, part.size_bytes, reason)

    def _delete(self, digest: Digest, tags: tuple[str, ...], size_bytes: int, why: str) -> None:
        try:
            was_there = self.store.delete(digest)
        except StepFailed as error:
            self._refused.append(error)
            return
        self._settled.add(digest)
        self._deleted.add(digest)
        # It was there a moment ago: our own request may have done it, and its answer be lost.
        why += "" if was_there else "; it was gone when it was to be deleted"
        self.recorder.deleted(self.store.name, digest, tags, size_bytes, why)

    def _others(self) -> set[Digest]:
        """Return what to look for beside what has a tag."""
        untagged = {fate.digest for fate in self.plan.going if not fate.tags}
        untagged |= {part.digest for part in self.plan.parts if not part.tags}
        return (untagged | self._usage.digests) - self._deleted

    def _verify(self) -> None:
        """Ask for all that is left, on every platform.

        Raises:
            NeedsAttention: something is missing.
        """
        tags = self.store.tag_names()
        self.recorder.tell(Note(f"{self.store.name}: checking that {len(tags)} tags are complete"))
        faults = dict(self.store.faults(tags))
        self.recorder.tell(Verified(self.store.name, len(tags), faults))
        if not faults:
            return
        before = incomplete(self.contents)
        told = [
            f"{tag}: {what} is missing{' (and was before)' if tag in before else ''}"
            for tag, what in sorted(faults.items())
        ]
        raise NeedsAttention(
            f"{self.store.name}: not complete: {', '.join(sorted(faults))}",
            hint="Push these images again. What was deleted is in the log.",
            details="\n".join(told[:_LISTED]),
        )

    def _tell_rest(self, error: RestoopsError) -> None:
        """Add to `error` what was done and what is left."""
        images = [(fate.digest, fate.tags) for fate in self.plan.going]
        parts = [(part.digest, part.tags) for part in self.plan.parts]
        rest = [it for it in images + parts if it[0] not in self._settled]
        done = f"{len(self._deleted)} manifests of {self.store.name} were deleted"
        error.message += f"; {done}, {len(rest)} are left"
        if not isinstance(error, Interrupted):
            lines = [f"left: {it} {' '.join(tags)}".rstrip() for it, tags in rest[:_LISTED]]
            error.details = "\n".join(filter(None, [error.details, *lines]))
        error.hint = f"{error.hint} Run it again: it goes on with what is left.".strip()
