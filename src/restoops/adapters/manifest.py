"""What `restoops init` put into a repository, in one file that is committed with it.

Each entry has the hash of the text that was brought and the text itself, compressed: an upgrade
needs it to tell edits from what is new. `pending` is what a run is about to bring, written before
it begins; a file that has the hash `result` by then was reached by that run, any other was not.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from restoops.errors import UsageError

PATH = ".restoops/manifest.json"
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """A text that was brought; `result` is the hash of the file when it is reached, if pending."""

    part: str
    content: bytes
    result: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that was brought, by path, and what a run was about to bring; the version that did it."""

    files: Mapping[str, Entry] = field(default_factory=dict)
    pending: Mapping[str, Entry] = field(default_factory=dict)
    restoops: str = ""


def sha256_of(content: bytes) -> str:
    """Return the hash of a text, in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def parse(text: bytes | None, where: str) -> Manifest:
    """Return what a manifest says; one that is not there says nothing.

    Raises:
        UsageError: it is damaged, or written by a later version.
    """
    if text is None:
        return Manifest()
    try:
        raw = json.loads(text)
        if raw["v"] != _VERSION:
            raise UsageError(
                f"{where} was written by another version of restoops (form {raw['v']!r})",
                hint="Use that version, or a later one.",
            )
        sections = (raw["files"], raw["pending"])
        files, pending = ({p: _entry(it) for p, it in part.items()} for part in sections)
        version = str(raw["restoops"])
    except (ValueError, TypeError, KeyError, AttributeError, zlib.error, binascii.Error) as error:
        raise UsageError(
            f"{where} is damaged: {type(error).__name__}",
            hint="Take it as it was committed last: `git checkout -- .restoops`. After a conflict "
            "of two branches take either side, then `restoops init --upgrade`.",
        ) from error
    return Manifest(files, pending, version)


def _entry(raw: Mapping[str, Any]) -> Entry:
    content = zlib.decompress(base64.b64decode(raw["base"], validate=True))
    if sha256_of(content) != raw["sha256"]:
        raise ValueError("hash")
    return Entry(str(raw["part"]), content, str(raw.get("result", "")))


def render(manifest: Manifest) -> bytes:
    """Return a manifest as text, one line for each file, in order: branches merge well so."""
    sections = [
        f' "{name}": {{{_lines(entries)}}}'
        for name, entries in (("files", manifest.files), ("pending", manifest.pending))
    ]
    head = [f' "v": {_VERSION}', f' "restoops": {json.dumps(manifest.restoops)}']
    body = ",\n".join([*head, *sections])
    return f"{{\n{body}\n}}\n".encode()


def _lines(entries: Mapping[str, Entry]) -> str:
    lines = (f"\n  {json.dumps(path)}: {_json(entries[path])}" for path in sorted(entries))
    return ",".join(lines) + ("\n " if entries else "")


def _json(entry: Entry) -> str:
    result = {"result": entry.result} if entry.result else {}
    packed = base64.b64encode(zlib.compress(entry.content, 9)).decode()
    raw = {"part": entry.part, "sha256": sha256_of(entry.content), **result, "base": packed}
    return json.dumps(raw)
