"""Our files on a host, and our shell scripts that run there."""

from __future__ import annotations

from collections.abc import Mapping

from restoops.adapters.connection import Connection, script
from restoops.errors import CommandFailed, StepFailed


class Files:
    """The files of one application, below `directory`."""

    def __init__(self, connection: Connection, directory: str) -> None:
        self._connection = connection
        self._directory = directory
        self.owner = ""
        """User and group that we are on the host, `uid:gid`; known after the first `read`."""

    def read(self, *names: str) -> dict[str, str]:
        """Return the files among `names` that are there, by name."""
        output = self._connection.run([*script("read"), self._directory, *names])
        head, _, rest = output.partition("\n")
        self.owner = head.partition(" ")[2].replace(" ", ":")
        found = {}
        data = rest.encode(errors="surrogateescape")
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
        argv = [*script("write"), self._directory, *sizes, *(("remove", *remove) if remove else ())]
        try:
            self._connection.run(argv, stdin=b"".join(parts.values()))
        except CommandFailed as error:
            raise StepFailed(
                f"{self._connection.host}: cannot write to {self._directory}: "
                f"{error.details or error.message}",
                hint="Is the disk full (`df -h` there), or the directory another user's?",
            ) from error

    def run_detached(self, name: str, *arguments: str) -> None:
        """Start one of our scripts; it goes on when the connection has ended."""
        start = 'setsid nohup "$@" >/dev/null 2>&1 </dev/null &'
        self._connection.run(["bash", "-c", start, "restoops", *script(name), *arguments])
