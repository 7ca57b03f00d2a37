"""The load client as a process in the background of a test."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.lab.patience import PATIENCE_S

PROGRAM = Path(__file__).with_name("load.py")
CAP_S = 280.0
"""A run that nobody stops ends after this many seconds: before pytest gives up the test."""


class LoadFailed(Exception):
    """The load client itself went wrong, or no answer came at all."""


@dataclass(frozen=True, slots=True)
class ReleaseSeen:
    """How often a release answered, and when first and last, in seconds since the start."""

    count: int
    first_s: float
    last_s: float


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What a run found. `failed` counts answers of status 400 and above, too."""

    seconds: float
    requests: int
    posts: int
    ok: int
    failed: int
    server_errors: int
    kinds: dict[str, int]
    """Failures by kind: `refused`, `reset`, `timeout`, `short answer`, `status 503`, ..."""
    examples: list[str]
    latency_ms: dict[str, float]
    """`p50`, `p95`, `p99` and `max` of the good answers that were not to be slow."""
    slow: dict[str, float]
    releases: dict[str, ReleaseSeen]
    sequence: list[str]
    """Releases in the order in which they took over."""
    mixed: int
    """Answers of a release already left, on connections opened after its successor answered."""
    per_second: list[dict[str, float]]
    late_max_ms: float
    """How far the client itself fell behind at most; figures of latency are no better."""

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what load.py printed."""
        told: dict[str, Any] = json.loads(text)
        told["releases"] = {name: ReleaseSeen(**seen) for name, seen in told["releases"].items()}
        return cls(**told)

    def __str__(self) -> str:
        lines = [
            f"{self.requests} requests in {self.seconds:.1f} s, {self.failed} failed {self.kinds}",
            f"releases {self.sequence}, {self.mixed} mixed, latency {self.latency_ms} ms",
            *self.examples,
        ]
        return "\n".join(lines)


class LoadRun:
    """Load on `url` from `start` until `stop`; leaving the `with` block ends it in any case."""

    def __init__(self, url: str, rate: float = 300, options: tuple[str, ...] = ()) -> None:
        self._argv = [
            # -P: beside load.py lies operator.py, which must not pass for the standard library's.
            *(sys.executable, "-P", str(PROGRAM), "--json", "--url", url),
            *("--rate", str(rate), "--seconds", str(CAP_S), *options),
        ]
        self._process: subprocess.Popen[str] | None = None
        self._told = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed by __exit__

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process:
            self._process.kill()
            self._process.communicate()
            self._process = None
        self._told.close()

    def start(self) -> None:
        """Start sending."""
        self._process = subprocess.Popen(
            self._argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._told,
            text=True,
        )

    def wait_for_traffic(self, timeout_s: float = PATIENCE_S) -> None:
        """Return when the first good answer has come.

        Raises:
            LoadFailed: none came in time.
        """
        self._wait_for_line("release ", timeout_s)

    def wait_for_release(self, release: str, timeout_s: float = PATIENCE_S) -> None:
        """Return when `release` has taken over, now or at any time before.

        Raises:
            LoadFailed: it did not in time.
        """
        self._wait_for_line(f"release {release}\n", timeout_s)

    def _wait_for_line(self, start: str, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        while not any(line.startswith(start) for line in self._lines()):
            if time.monotonic() > deadline:
                raise LoadFailed(f"no {start.strip()} within {timeout_s:g} s: {self._lines()}")
            time.sleep(0.02)

    def _lines(self) -> list[str]:
        # Read anew each time, by position: the client writes through the same open file.
        text = os.pread(self._told.fileno(), 1_000_000, 0).decode()
        return text.splitlines(keepends=True)

    def expect_change(self) -> None:
        """Say that from now on an older release may come back, for a rollback."""
        self._running().send_signal(signal.SIGUSR1)

    def stop(self, timeout_s: float = 40) -> LoadResult:
        """Stop sending, wait for the answers still to come, and return the result.

        Raises:
            LoadFailed: the client went wrong; the message carries what it said.
        """
        process = self._running()
        process.send_signal(signal.SIGTERM)
        return self.wait(timeout_s)

    def wait(self, timeout_s: float = CAP_S + 40) -> LoadResult:
        """Return the result of a run that ends by itself, because of a `--seconds` option."""
        process = self._running()
        printed, _ = process.communicate(timeout=timeout_s)
        self._process = None
        if process.returncode:
            told = "".join(self._lines())
            raise LoadFailed(f"load.py ended with status {process.returncode}:\n{told}")
        return LoadResult.from_json(printed)

    def _running(self) -> subprocess.Popen[str]:
        if not self._process:
            raise LoadFailed("the load client does not run")
        return self._process
