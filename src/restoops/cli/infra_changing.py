"""Behind the commands of `restoops infra` that change something."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from restoops.cli.infra_context import AtTerminal, desk, root_of, show
from restoops.errors import CheckRefused, UsageError

if TYPE_CHECKING:
    from restoops.adapters.contest import Contest
    from restoops.adapters.spaces import Place
    from restoops.config.roots import Root
    from restoops.flows.infra_apply import Request


def carry_out(environment: str, request: Request, operator: AtTerminal, *, as_json: bool) -> None:
    """Apply what was asked for, and say what was done."""
    from restoops.flows.infra_apply import apply
    from restoops.report.jsonl import write
    from restoops.report.lines import print_lines

    with desk(environment, needs_token=True) as opened:
        done = apply(opened, request, operator, lambda it: show(it, as_json=as_json))
    if as_json:
        write({"environment": environment, "applied": done is not None})
    elif done:
        print_lines([f"{environment}: applied, {done.counted}"])
    elif request.dry_run:
        print_lines(["dry run: nothing was changed"])


def make_host_keys(
    environment: str, droplets: tuple[str, ...], *, dry_run: bool, as_json: bool
) -> None:
    """Make the host keys that are missing, and print the public halves of all that were named."""
    from restoops.adapters.host_keys import HostKeys
    from restoops.report.jsonl import plain, write
    from restoops.report.lines import aligned, print_lines

    for key in droplets:
        if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?", key):
            raise UsageError(
                f"{key!r} cannot be the key of a droplet",
                hint="Keys are short names of lower-case letters, digits and `-`: `a`, `b`.",
            )
    keys = HostKeys(root_of(environment).directory)
    found = keys.ensure(droplets)
    if dry_run:  # the next run makes another key
        found = tuple(replace(it, public="", fingerprint="") if it.is_new else it for it in found)
    elif any(it.is_new for it in found):
        keys.write()
    for it in found:
        if as_json:
            write({"environment": environment, "dry_run": dry_run, **plain(it)})
    if not as_json:
        new = "would be made" if dry_run else "new"
        rows = [(it.droplet, new if it.is_new else "kept", it.fingerprint) for it in found]
        print_lines(aligned(rows))


@dataclass(frozen=True, slots=True)
class BackendWish:
    """What the operator said about the bucket."""

    region: str
    bucket: str
    endpoint: str
    probe: bool
    dry_run: bool


def prepare_backend(
    environment: str, wish: BackendWish, environ: Mapping[str, str], *, as_json: bool
) -> None:
    """Make the bucket and backend.hcl, and say whether locks can be trusted there."""
    root = root_of(environment)
    place = _place(root, wish)
    from restoops.flows.infra_backend import make_backend
    from restoops.report.backend import show_backend

    ready = make_backend(root, place, environ, probe=wish.probe, dry_run=wish.dry_run)
    show_backend(ready, as_json=as_json)
    if ready.probe and not ready.probe.is_fair:
        raise CheckRefused(
            f"locks cannot be trusted at {place.endpoint}: {_unfair(ready.probe)}",
            hint=f"{ready.file} leaves them off. Let one run at a time plan or apply, such as by "
            "`concurrency` in GitHub Actions.",
        )


def _unfair(found: Contest) -> str:
    if found.refusal:
        return f"it takes no conditional writes ({found.refusal})"
    both = sum(count != 1 for count in found.winners)
    if both or found.overwrites:
        return (
            f"of {found.rounds} locks {both} were not given to exactly one of two writers, and "
            f"{found.overwrites} were given away again while they were held"
        )
    return "a lock that was given back could not be taken again"


def _place(root: Root, wish: BackendWish) -> Place:
    from restoops.adapters.spaces import Place
    from restoops.plan.backend import REGIONS, bucket_name, is_bucket_name

    if not wish.endpoint and wish.region not in REGIONS:
        raise UsageError(
            f"Spaces is not in {wish.region!r}", hint=f"It is in: {', '.join(sorted(REGIONS))}."
        )
    if wish.endpoint and not re.fullmatch(r"https?://[\w.:\[\]-]+/?", wish.endpoint):
        raise UsageError(
            f"`--endpoint` takes an address, not {wish.endpoint!r}",
            hint="For example https://s3.example.com, without a path.",
        )
    bucket = wish.bucket or bucket_name(root.app, root.environment)
    if not is_bucket_name(bucket):
        raise UsageError(
            f"{bucket!r} cannot be the name of a bucket",
            hint="3 to 63 lower-case letters, digits and `-`, no `-` first or last: `--bucket`.",
        )
    endpoint = wish.endpoint.rstrip("/") or f"https://{wish.region}.digitaloceanspaces.com"
    return Place(bucket, wish.region, endpoint, has_path_style=bool(wish.endpoint))
