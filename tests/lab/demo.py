"""A guided tour of the main job on this machine: `make demo`.

A first deploy, a second under live traffic, a broken one that never gets any, and a rollback,
with the real command, Docker, HAProxy and registry. Exits 1 when a request failed or anything
else went otherwise than told, and takes away all that it started.
"""

import shlex
import signal
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from docker.errors import DockerException
from rich.console import Console
from rich.text import Text

from tests.lab.demo_stage import SOCKET, Stage, stage
from tests.lab.images import App, BuildFailed
from tests.lab.loadrun import LoadFailed, LoadResult, LoadRun
from tests.lab.registry import RegistryFailed

APP = "restoops-demo"
V1, V2, V3 = "3f9c2ab", "a41be07", "d80e5c4"
VERSIONS = {V1: "v1", V2: "v2", V3: "v3"}
RATE = 200
LOOK_S = 0.7
"""Traffic goes on this long before and after a change, so that both sides of it are seen."""
STEPS = 6
MOST_COLUMNS = 88


class NotAsTold(Exception):
    """Something went otherwise than the tour says."""


@dataclass(slots=True)
class Guide:
    """Tells what happens, runs the commands, and adds up what the clients counted."""

    stage: Stage
    console: Console
    steps: int = 0
    counted: list[LoadResult] = field(default_factory=list)

    def explain(self, text: str) -> None:
        """Begin a step with a sentence on what happens."""
        self.steps += 1
        mark = f"[{self.steps}/{STEPS}] "
        filled = textwrap.fill(text, self.console.width - len(mark), subsequent_indent="      ")
        self.console.print(Text(f"\n{mark}", style="bold cyan") + Text(filled, style="bold"))

    def say(self, text: str, style: str = "") -> None:
        """Print a line of the tour."""
        self.console.print(Text(textwrap.fill(text, self.console.width), style=style))

    def restoops(self, line: str, status: int = 0) -> None:
        """Show a command and run it, with its output in view; it has to end with `status`."""
        self.say(f"$ restoops {line}", style="bold green")
        ended = self.stage.run(*shlex.split(line))
        if ended != status:
            raise NotAsTold(f"`restoops {line}` ended with status {ended}, not {status}")

    @contextmanager
    def traffic(self, *releases: str) -> Iterator[None]:
        """Send requests meanwhile; they are to be answered by `releases`, in this order."""
        with LoadRun(self.stage.url, rate=RATE) as load:
            load.wait_for_traffic()
            time.sleep(LOOK_S)
            yield
            load.wait_for_release(releases[-1])
            time.sleep(LOOK_S)
            result = load.stop()
        self.counted.append(result)
        self._tell_counts(result)
        if result.failed or result.mixed or result.sequence != list(releases):
            raise NotAsTold(f"the clients saw something else:\n{result}")

    def check_serves(self, release: str) -> None:
        """Ask as a client would, and tell who answers."""
        answer = self.stage.answer()
        self.say(f"{self.stage.url} answers: {answer}, which is {VERSIONS.get(answer, '?')}")
        if answer != release:
            raise NotAsTold(f"{VERSIONS[release]} should serve")

    def _tell_counts(self, result: LoadResult) -> None:
        answered = ", ".join(
            f"{VERSIONS.get(name, name)} answered {seen.count:,}"
            for name, seen in result.releases.items()
        )
        self.say(
            f"Clients counted {result.requests:,} requests, {result.failed} failed; {answered}.",
            style="bold red" if result.failed else "bold",
        )


def introduce(guide: Guide) -> None:
    """Say what is there before the first command."""
    guide.say("restoops on this machine's own Docker engine: environment `local`, no SSH.", "bold")
    guide.say("There is no restoops.yaml; these variables say what differs from the defaults:")
    for name, value in guide.stage.settings.items():
        guide.console.print(Text(f"  export {name}={value}", style="dim"), soft_wrap=True)
    guide.say(f"A registry runs on {guide.stage.registry.local} and has three releases:")
    for release, what in ((V1, "v1"), (V2, "v2"), (V3, "v3, which crashes at its start")):
        guide.say(f"  sha-{release}  {what}")


def play(guide: Guide) -> None:
    """Go through the steps of the tour."""
    guide.explain("v1 is deployed; what is missing on the machine is set up on the way.")
    guide.restoops(f"deploy sha-{V1} local")
    guide.check_serves(V1)

    guide.explain(f"v2 takes over while clients send {RATE} requests a second.")
    with guide.traffic(V1, V2):
        guide.restoops(f"deploy sha-{V2} local")
    guide.check_serves(V2)

    guide.explain("v3 is broken: it gets no traffic, and v2 goes on serving.")
    with guide.traffic(V2):
        guide.restoops(f"deploy sha-{V3} local", status=1)
    guide.check_serves(V2)

    guide.explain("v2 has to go as well: back to the last good release, under traffic.")
    with guide.traffic(V2, V1):
        guide.restoops("rollback local --yes")
    guide.check_serves(V1)

    guide.explain("Who serves now, and what is warm?")
    guide.restoops("status local")

    guide.explain("What could be gone back to, and how long would it take?")
    guide.restoops("rollback --list local")


def conclude(guide: Guide, began_s: float) -> None:
    """Add up."""
    requests = sum(result.requests for result in guide.counted)
    failed = sum(result.failed for result in guide.counted)
    took_s = time.monotonic() - began_s
    guide.say("")
    guide.say(
        f"Done in {took_s:.0f} s: {requests:,} requests during three changes, {failed} failed. "
        "Containers, network, registry and files of the demo are removed.",
        style="bold green",
    )


def run(console: Console) -> None:
    """Play the tour on a stage of its own."""
    began_s = time.monotonic()
    with stage(APP) as ready:
        for release, mode in ((V1, "healthy"), (V2, "healthy"), (V3, "crash")):
            ready.push(App(release, mode=mode), f"sha-{release}")
        guide = Guide(ready, console)
        introduce(guide)
        play(guide)
    conclude(guide, began_s)


def main() -> int:
    """Run the demo and return its exit status."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    console = Console(highlight=False)
    console.width = min(console.width, MOST_COLUMNS)
    # A shell that starts us in the background has SIGINT ignored, and Python leaves that so.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        run(console)
    except KeyboardInterrupt:
        print("\ninterrupted; what the demo had started is removed", file=sys.stderr)
        return 130
    except (NotAsTold, LoadFailed, BuildFailed, RegistryFailed) as error:
        print(f"error: the demo failed: {error}", file=sys.stderr)
        return 1
    except DockerException as error:
        print(f"error: the engine at {SOCKET} cannot be used: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
