"""Deploys and rollbacks on one droplet, from Enter to exit, and the SSH channels they open."""

import time
from collections.abc import Iterator

from tests.bench.measure import ChannelCount, Run, Series, run
from tests.bench.samples import Limit, Samples
from tests.bench.stage import TAGS, Stage
from tests.lab.operator import Operator

TIMES = 9
WARM_OVER_S = 2.5
"""Until a release that was kept warm for 1 s has been stopped by its host."""
ABOUT = """\
The command over SSH against a droplet look-alike, a container with systemd, sshd and a Docker
engine of its own, on the same processors. The image is on the host already. Each from Enter
to exit."""
ABOUT_CHANNELS = """\
How many channels the sshd of the droplet look-alike was asked to open by one command, by its
log."""


def measure(stage: Stage) -> Iterator[Samples]:
    """Deploy and roll back, again and again."""
    operator = stage.operator()
    spaced, deploys, rollbacks = list[Run](), list[Run](), list[Run]()
    for number in range(stage.times(TIMES) + 1):
        _warm(operator, seconds=1)
        run(operator, "deploy", TAGS[number % 2])
        time.sleep(WARM_OVER_S)
        _warm(operator)
        spaced.append(run(operator, "deploy", TAGS[2]))
        deploys.append(run(operator, "deploy", TAGS[number % 2]))
        rollbacks.append(run(operator, "rollback"))
    # The first of each warms the caches.
    yield _series(spaced).seconds("deploy", "deploy, image on the host", Limit(1.2))
    yield _series(deploys).seconds("warm", "the same while the release before last is warm")
    yield _series(rollbacks).seconds("rollback", "rollback to a warm release", Limit(0.7))
    all_of = Series((*spaced, *deploys, *rollbacks))
    yield all_of.memory("memory", "peak memory of deploy and rollback", Limit(80, "largest"))


def channels(stage: Stage) -> Iterator[Samples]:
    """Count the SSH channels of one command each, as the host saw them."""
    operator = stage.operator()
    count = ChannelCount(operator.droplet)
    try:
        for command, tags in (("deploy", TAGS[:1]), ("rollback", ())):
            before = count.so_far()
            run(operator, command, *tags)
            opened = count.so_far() - before
            assert opened > 0, "sshd logged no channel: the count is broken"
            limit = Limit(12, "largest")
            yield Samples(command, f"SSH channels of a {command}", "count", (opened,), (limit,))
    finally:
        count.close()


def _warm(operator: Operator, seconds: float | None = None) -> None:
    """Have releases kept warm for so long, or as long as is usual."""
    operator.settings["swap"] = {"warm_s": seconds} if seconds else {}
    operator.write_settings()


def _series(runs: list[Run]) -> Series:
    return Series(tuple(runs[1:]))
