"""Files that only root could write, through the engine: a container that is never started.

Who may use Docker need not be root, and could not give a file to another user. The engine can: it
unpacks an archive with the owners that stand in it, also into a directory of the host that the
container would see.
"""

from __future__ import annotations

import contextlib
import io
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import docker.errors

from restoops.errors import StepFailed

if TYPE_CHECKING:
    from restoops.adapters.docker import Engine

_PLACE = "/restoops-secrets"
_ONLY_OWNER_READS = 0o400


@dataclass(frozen=True, slots=True)
class Idle:
    """A container of an image, with one directory of the host, that is never started."""

    engine: Engine
    id: str
    user: str
    """As the image has it: nothing, `node`, `1000`, `1000:1000`."""

    def write(self, values: Mapping[str, str]) -> None:
        """Write a file for each value into the directory; only the image's user can read it.

        Raises:
            StepFailed: there is no such user, or the disk is full.
        """
        owner = self._uid()
        with self.engine.faults("cannot write secrets"):
            self.engine.client.put_archive(self.id, _PLACE, _packed(values, owner))

    def read(self, name: str) -> str:
        """Return a file of the directory.

        Raises:
            StepFailed: it is not there.
        """
        return self._file(f"{_PLACE}/{name}").decode()

    def _uid(self) -> int:
        name = self.user.partition(":")[0]
        if name.isdecimal() or name in ("", "root"):
            return int(name or 0) if name != "root" else 0
        try:
            lines = self._file("/etc/passwd").decode(errors="replace").splitlines()
        except StepFailed:
            lines = []
        for fields in (line.split(":") for line in lines):
            if fields[0] == name and fields[2:3] and fields[2].isdecimal():
                return int(fields[2])
        raise StepFailed(
            f"{self.engine.host}: the image's user {name} is not in its /etc/passwd: nobody can "
            "tell who is to read the secrets",
            hint="Give the image a user by number, such as `USER 1000`.",
        )

    def _file(self, path: str) -> bytes:
        with self.engine.faults(f"cannot read {path} of the image"):
            chunks, _ = self.engine.client.get_archive(self.id, path)
            packed = io.BytesIO(b"".join(chunks))
        with tarfile.open(fileobj=packed) as archive:
            first = archive.next()
            found = archive.extractfile(first) if first and first.isfile() else None
            return found.read() if found else b""


@contextlib.contextmanager
def idle(engine: Engine, image: str, labels: Mapping[str, str], directory: str) -> Iterator[Idle]:
    """Lend a container of `image` that sees `directory`; it is removed at the end."""
    with engine.faults("cannot make a container for secrets"):
        entry = engine.client.inspect_image(image)
        made = engine.client.create_container(
            image,
            entrypoint="none",
            labels=dict(labels),
            host_config=engine.client.create_host_config(
                mounts=[docker.types.Mount(_PLACE, directory, type="bind")], network_mode="none"
            ),
        )
    try:
        yield Idle(engine, str(made["Id"]), str((entry.get("Config") or {}).get("User") or ""))
    finally:
        engine.remove(str(made["Id"]))


def _packed(values: Mapping[str, str], owner: int) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, value in values.items():
            data = value.encode()
            entry: Any = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.uid = len(data), _ONLY_OWNER_READS, owner
            archive.addfile(entry, io.BytesIO(data))
    return packed.getvalue()
