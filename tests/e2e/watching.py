"""The arguments of all processes, here and on a host, sampled while something runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.conditions import done_and_undone
from tests.lab.droplet import Droplet

WATCH = """\
import glob
while True:
    for path in glob.glob("/proc/[0-9]*/cmdline") + glob.glob("/proc/[0-9]*/environ"):
        try:
            text = open(path, "rb").read()
        except OSError:
            continue
        print(path.rsplit("/", 1)[1], text, flush=True)
"""
"""Environments are sampled as well: on the host nothing may have the password there either."""


class Machine:
    """Samples the argv of all processes of this machine, but those of the lab's own containers."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self._done = threading.Event()

    def watch(self) -> None:
        while not self._done.wait(0.01):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.seen.add(path.read_bytes())
                except OSError:
                    continue

    @contextmanager
    def watching(self) -> Iterator[None]:
        thread = threading.Thread(target=self.watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._done.set()
            thread.join()


@contextmanager
def watching_inside(droplet: Droplet) -> Iterator[None]:
    """Sample argv and environment of all processes inside the droplet, into /root/seen."""
    droplet.write("/root/watch.py", WATCH)
    start = (
        "systemd-run --quiet --unit=watch -p StandardOutput=truncate:/root/seen "
        "python3 /root/watch.py; until [ -s /root/seen ]; do sleep .05; done"
    )
    with done_and_undone(droplet, start, "systemctl stop watch"):
        yield
