"""Our files on a host."""

from __future__ import annotations

from collections.abc import Mapping

from restoops.adapters.shell import Shell
from restoops.errors import CommandFailed, StepFailed


class Files:
    """The files of one application, below `directory`."""

    def __init__(self, host: str, shell: Shell, directory: str) -> None:
        self._host = host
        self._shell = shell
        self._directory = directory
        self.owner = ""
        """User and group that we are on the host, `uid:gid`; known after the first `read`."""

    def read(self, *names: str) -> dict[str, str]:
        """Return the files among `names` that are there, by name."""
        head, _, data = self._shell.run("read", self._directory, *names).partition(b"\n")
        self.owner = head.decode().partition(" ")[2].replace(" ", ":")
        found = {}
        while data:
            line, _, data = data.partition(b"\n")
            name, _, size = line.decode().rpartition(" ")
            found[name] = data[: int(size)].decode(errors="replace")
            data = data[int(size) :]
        return found

    def write(self, texts: Mapping[str, str], *, remove: tuple[str, ...] = ()) -> None:
        """Replace each file whole, in order, then remove others.

        Raises:
            StepFailed: the host cannot store them.
        """
        parts = {name: text.encode() for name, text in texts.items()}
        sizes = [word for name, data in parts.items() for word in (name, str(len(data)))]
        removing = ("remove", *remove) if remove else ()
        stdin = b"".join(parts.values())
        try:
            self._shell.run("write", self._directory, *sizes, *removing, stdin=stdin)
        except CommandFailed as error:
            raise StepFailed(
                f"{self._host}: cannot write to {self._directory}: "
                f"{error.details or error.message}",
                hint="Is the disk full (`df -h` there), or the directory another user's?",
            ) from error
