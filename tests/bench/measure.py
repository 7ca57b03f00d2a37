"""Measure commands: wall time, memory, SSH channels."""

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.samples import Limit, Samples
from tests.lab.droplet import Droplet
from tests.lab.operator import Desk

_LAUNCH = Path(__file__).with_name("launch.py")
RESTOOPS = str(Path(sys.executable).parent / "restoops")


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a command, from Enter to exit."""

    seconds: float
    peak_mib: float


@dataclass(frozen=True, slots=True)
class Series:
    """Several runs of one command."""

    runs: tuple[Run, ...]

    def seconds(self, name: str, title: str, *limits: Limit) -> Samples:
        """Return the wall times."""
        return Samples(name, title, "s", tuple(run.seconds for run in self.runs), limits)

    def memory(self, name: str, title: str, *limits: Limit) -> Samples:
        """Return the peak memory of each run."""
        return Samples(name, title, "MiB", tuple(run.peak_mib for run in self.runs), limits)


def timed(
    argv: Sequence[str], cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> Run:
    """Run a command that has to succeed; its output is thrown away."""
    launched = subprocess.run(
        [sys.executable, "-S", str(_LAUNCH), *argv],
        cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True,
    )  # fmt: skip
    seconds, peak_mib, status = launched.stdout.splitlines()[-1].split()
    assert status == "0", f"{list(argv)}: {launched.stderr}"
    return Run(float(seconds), float(peak_mib))


def repeated(times: int, run: Callable[[int], Run]) -> Series:
    """Run once to warm the caches, then `times` times for the figures."""
    run(0)
    return Series(tuple(run(number) for number in range(1, times + 1)))


def run(
    desk: Desk, command: str, tag: str = "", *options: str, before: tuple[str, ...] = ()
) -> Run:
    """Run one command against the hosts, which has to succeed."""
    words = [command, *([tag] if tag else []), "staging", "--yes", *options]
    return timed([*before, RESTOOPS, *words], desk.folder, desk.env)


class ChannelCount:
    """Counts the channels that a droplet's sshd is asked to open, from sshd's own log."""

    def __init__(self, droplet: Droplet) -> None:
        self._droplet = droplet
        droplet.exec(["sh", "-c", "echo LogLevel DEBUG1 >/etc/ssh/sshd_config.d/00-bench.conf"])
        droplet.exec(["systemctl", "reload", "ssh"])

    def so_far(self) -> int:
        """Return how many channels have been opened since the droplet was made."""
        command = (
            "journalctl -u ssh --no-pager | grep -c 'server_input_channel_open: ctype' || true"
        )
        return int(self._droplet.exec(["sh", "-c", command]))

    def close(self) -> None:
        """Let sshd log as before: its log takes time, too."""
        self._droplet.exec(["rm", "/etc/ssh/sshd_config.d/00-bench.conf"])
        self._droplet.exec(["systemctl", "reload", "ssh"])
