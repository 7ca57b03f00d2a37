"""A fleet of stand-ins, in a process of its own, as a test or a benchmark has it."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.lab import cache
from tests.lab.operator import Desk
from tests.lab.registry import Registry

_ROOT = Path(__file__).parents[3]


@dataclass(frozen=True, slots=True)
class Report:
    """What has been done on a host since the last report."""

    route: str
    """What `live.map` says in the running proxy: `blue`, `green_blue`, `none`."""
    running: dict[str, str]
    """Tags that run, by slot."""
    switches: list[tuple[float, str]]
    """When new requests were sent to another slot, in seconds of one clock, and to which."""
    locked: bool
    connections: int
    channels: int

    @property
    def live_tag(self) -> str:
        """The tag that new requests go to."""
        return self.running.get(self.route.partition("_")[0], "")


class Fleet:
    """Stand-ins that run until `close`; all on one port, each on an address of its own."""

    def __init__(self, count: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.lab.standin", str(count)],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        told = self._read()
        self.port: int = told["port"]
        self.keys: dict[str, str] = told["hosts"]
        """Host keys, by address."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def desk(self, folder: Path, registry: Registry, proxy: str, count: int | None = None) -> Desk:
        """Return an operator's machine for the first `count` hosts, or for all."""
        keys = dict(islice(self.keys.items(), count))
        hosts = {address: f"[{address}]:{self.port} {key}" for address, key in keys.items()}
        desk = Desk(folder, hosts, registry, cache.private_key(), proxy)
        desk.settings["ssh"]["port"] = self.port
        return desk

    def report(self) -> dict[str, Report]:
        """Return what has been done on each host since the last report, by address."""
        assert self._process.stdin
        self._process.stdin.write("report\n")
        self._process.stdin.flush()
        return {address: Report(**told) for address, told in self._read().items()}

    def close(self) -> None:
        """End the process."""
        self._process.communicate(timeout=10)

    def _read(self) -> Any:
        assert self._process.stdout
        return json.loads(self._process.stdout.readline())


def spread_s(reports: Mapping[str, Report]) -> float:
    """Return the time from the first host's switch to the last one's; each switched once."""
    moments = [moment for report in reports.values() for moment, _ in report.switches]
    assert len(moments) == len(reports), "not every host switched once"
    return max(moments) - min(moments)
