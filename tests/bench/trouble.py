"""How soon trouble is over: a release that crashes at its start, a command that is killed."""

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from tests.bench.samples import Limit, Samples
from tests.bench.stage import TAGS, Stage
from tests.e2e.inside import DIRECTORY
from tests.e2e.running import Running
from tests.lab.images import App
from tests.lab.operator import Operator
from tests.lab.releases import Releases

TIMES = 5
CRASH = App("4444444", mode="crash")
HELD = App("5555555", "slow-start", start_delay_s=600)
WAITS_S = 0.5
"""Until a program that was started on a host waits for the lock there."""
ABOUT = """\
Over SSH against a droplet look-alike, as above. A deploy of a release that ends at its start, from
Enter to exit. And a deploy that is killed (SIGKILL) while it holds the lock, from the signal until
a program on the host that waits for this lock has it."""


def measure(stage: Stage) -> Iterator[Samples]:
    """Deploy a release that crashes, and kill a deploy, again and again."""
    operator = stage.operator()
    releases = Releases(stage.engine, stage.registry)
    crash, held = (releases.push(app).tag for app in (CRASH, HELD))
    times = stage.times(TIMES)
    crashes = tuple(_fails(operator, crash) for _ in range(times))
    title = "deploy of a release that crashes, until it has failed"
    yield Samples("crash", title, "s", crashes, (Limit(3, "largest"),))
    freed = tuple(_killed(operator, held) for _ in range(times))
    operator.deploy(TAGS[-1])  # which puts the last one right
    title = "lock of a deploy that is killed, until it is free"
    yield Samples("lock", title, "s", freed, (Limit(2, "largest"),))


def _fails(operator: Operator, tag: str) -> float:
    began_s = time.perf_counter()
    outcome = operator.run("deploy", tag, "staging")
    assert (outcome.status, "right after its start" in outcome.stderr) == (1, True), outcome
    return time.perf_counter() - began_s


def _killed(operator: Operator, tag: str) -> float:
    command = operator.start("deploy", tag, "staging", "--json")
    with ThreadPoolExecutor(1) as pool, Running(command) as running:
        running.await_step("await_healthy")
        got = pool.submit(_await_lock, operator)
        time.sleep(WAITS_S)
        assert not got.done(), "nobody holds the lock"
        killed_s = time.time()
        running.signal(signal.SIGKILL)
        return got.result() - killed_s


def _await_lock(operator: Operator) -> float:
    """Return when the host gave the lock to a program there; its clock is that of this machine."""
    line = f"flock {DIRECTORY}/lock date +%s.%N"
    return float(operator.droplet.exec(["sh", "-c", line]))
