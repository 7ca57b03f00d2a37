"""Make the bucket for an environment's state, and the file that leads Terraform to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from restoops.adapters.contest import Contest, compete
from restoops.adapters.private import write_private
from restoops.adapters.spaces import Bucket, Place, find_key
from restoops.adapters.terraform import Terraform, Watch
from restoops.adapters.terraform_faults import Module
from restoops.config.roots import Root
from restoops.errors import StepFailed
from restoops.plan.backend import FILE_NAME, LOCKFILE_SINCE, Backend, had_lock, render

_ROUNDS = 10


@dataclass(frozen=True, slots=True)
class BackendReady:
    """The bucket of an environment's state is as it should be, or would be made so."""

    environment: str
    bucket: str
    endpoint: str
    changed: tuple[str, ...]
    """What had to be done; nothing when all was there already."""
    file: str
    has_lock: bool
    """Whether Terraform locks the state there."""
    probe: Contest | None
    """What came of the writers that competed; None when they were not asked to."""
    dry_run: bool


def make_backend(
    root: Root, place: Place, environ: Mapping[str, str], *, probe: bool, dry_run: bool
) -> BackendReady:
    """Make what is missing, and write the file; a second run changes nothing.

    Raises:
        Unreachable: the service does not answer, or the access key is missing or refused.
        Refused: the bucket is somebody else's.
        StepFailed: the service has not kept what it was told.
    """
    key = find_key(environ)
    bucket = Bucket(place, key)
    changed = _missing(bucket) if dry_run else _ensure(bucket)
    found = compete(lambda: Bucket(place, key), _ROUNDS) if probe and not dry_run else None
    path = root.directory / FILE_NAME
    before = path.read_text("utf-8") if path.is_file() else ""
    backend = _backend(root, place, found, before)
    if render(backend) != before or (before and path.stat().st_mode & 0o077):
        changed = (*changed, f"write {root.shown}/{FILE_NAME}")
        if not dry_run:
            write_private(path, render(backend))
    return BackendReady(
        root.environment, place.bucket, place.endpoint, changed, f"{root.shown}/{FILE_NAME}",
        backend.has_lock, found, dry_run,
    )  # fmt: skip


def _backend(root: Root, place: Place, found: Contest | None, before: str) -> Backend:
    without = Backend(
        bucket=place.bucket,
        key=f"{root.environment}/terraform.tfstate",
        region=place.region,
        endpoint=place.endpoint,
        has_path_style=place.has_path_style,
        has_lock=False,
    )
    is_fair = found.is_fair and knows_lockfile(root) if found else had_lock(before, without)
    return replace(without, has_lock=is_fair)


def knows_lockfile(root: Root) -> bool:
    """Return whether the terraform of this machine knows `use_lockfile`."""
    watch = Watch(lambda _: None, lambda text: text)
    module = Module(root.environment, root.directory, root.shown)
    return Terraform(module, watch).version() >= LOCKFILE_SINCE


def _steps(bucket: Bucket) -> tuple[tuple[str, Callable[[], bool], Callable[[], bool]], ...]:
    """Return each thing the bucket needs: in words, whether it is so, and how it is made so."""
    return (
        (f"make the bucket {bucket.place.bucket}", bucket.is_there, bucket.ensure_bucket),
        ("keep old versions of the state", bucket.is_versioned, bucket.ensure_versioning),
        ("let old versions go after 90 days", bucket.has_lifecycle, bucket.ensure_lifecycle),
    )


def _missing(bucket: Bucket) -> tuple[str, ...]:
    if not bucket.is_there():
        return tuple(what for what, _, _ in _steps(bucket))
    return tuple(what for what, is_so, _ in _steps(bucket) if not is_so())


def _ensure(bucket: Bucket) -> tuple[str, ...]:
    changed = tuple(what for what, _, make in _steps(bucket) if make())
    # Read back: that it was accepted does not mean that it is done.
    not_kept = [what for what, is_so, _ in _steps(bucket) if not is_so()]
    if not_kept:
        raise StepFailed(
            f"{bucket.place.endpoint} was told to, but does not: {'; '.join(not_kept)}",
            hint="Without old versions a state that is overwritten is lost: use another region.",
        )
    return changed
