"""Keys of hosts, from files as OpenSSH writes them.

paramiko's own reader compares each line with all others, and makes a class for each question: with
200 hosts that takes a tenth of a deploy's processor time.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import paramiko
from paramiko.hostkeys import HostKeyEntry, InvalidHostKey

from restoops.errors import HostKeyRefused

_HASHED = "|1|"


class KeysOfHost(dict[str, paramiko.PKey]):
    """Keys of one host, by kind. paramiko asks it for the first of its `keys`."""

    def keys(self) -> list[str]:  # type: ignore[override]
        """Return the kinds in order."""
        return list(self)


@dataclass(frozen=True, slots=True)
class _File:
    by_name: dict[str, list[paramiko.PKey]] = field(default_factory=dict)
    hashed: list[tuple[str, paramiko.PKey]] = field(default_factory=list)
    """Keys whose host's name only who knows it can tell."""
    revoked: list[paramiko.PKey] = field(default_factory=list)

    def add(self, entry: HostKeyEntry) -> None:
        for name in entry.hostnames or ():
            if name.startswith(_HASHED):
                self.hashed.append((name, entry.key))
            else:
                self.by_name.setdefault(name, []).append(entry.key)

    def keys_of(self, host: str) -> list[paramiko.PKey]:
        hashed = [
            key for name, key in self.hashed if paramiko.HostKeys.hash_host(host, name) == name
        ]
        return self.by_name.get(host, []) + hashed


_reading = threading.Lock()


def keys_of(host: str, files: Sequence[str]) -> KeysOfHost:
    """Return the keys of a host, as files name it: `address`, `[address]:port`.

    The first file that has one of a kind is right, and its first line. One that a file has as
    revoked, for whichever host, is not among them.

    Raises:
        HostKeyRefused: a file cannot be read.
    """
    found, revoked = KeysOfHost(), list[paramiko.PKey]()
    for name in files:
        path = Path(name).expanduser()
        try:
            if path.is_file():
                with _reading:  # the first thread reads for all
                    known = _read(str(path), path.stat().st_mtime_ns)
                revoked += known.revoked
                for key in known.keys_of(host):
                    found.setdefault(key.get_name(), key)
        except (OSError, ValueError, InvalidHostKey, paramiko.SSHException) as error:
            raise HostKeyRefused(
                f"{name} cannot be read: {error}",
                hint="`ssh-keygen -lf` on it shows the line; correct it or take it out.",
            ) from error
    return KeysOfHost({kind: key for kind, key in found.items() if key not in revoked})


@functools.cache
def _read(path: str, _changed_ns: int) -> _File:
    file = _File()
    for number, line in enumerate(Path(path).read_text().splitlines(), 1):
        marker, _, rest = line.strip().partition(" ") if line.startswith("@") else ("", "", line)
        entry = _entry(rest.strip(), number)
        if entry and marker == "@revoked":
            file.revoked.append(entry.key)
        elif entry and not marker:  # of certificates (`@cert-authority`) paramiko knows nothing
            file.add(entry)
    return file


def _entry(line: str, number: int) -> HostKeyEntry | None:
    """Read a line; None for one that is empty, a comment or of a kind that paramiko lacks."""
    if not line or line.startswith("#"):
        return None
    try:
        return HostKeyEntry.from_line(line, number)
    except paramiko.SSHException:
        return None
