"""`python -m tests.bench`: measure everything and print one page of Markdown."""

import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

import docker
from docker import DockerClient

from tests.bench import fleet, images, infra, playbook
from tests.bench.measure import RESTOOPS, ChannelCount, Row, Series, repeated, run, timed
from tests.lab import cache, naive, network
from tests.lab import images as lab_images
from tests.lab.droplet import Droplet
from tests.lab.images import App
from tests.lab.loadrun import LoadResult, LoadRun
from tests.lab.operator import Operator
from tests.lab.registry import Registry
from tests.lab.releases import Releases

TAGS = ("1111111", "2222222", "3333333")
PROXIES = ("a", "b")
"""Two images of HAProxy that differ."""
SWAPS = 9
STARTS = 15
RATE = 200
LOAD_RUNS = 5
WARM_OVER_S = 2.5
"""Until a release that was kept warm for 1 s has been stopped by its host."""


def main() -> None:
    """Measure, and print as it goes."""
    print(f"# restoops on {platform.machine()}, {os.cpu_count()} cores, "
          f"Python {platform.python_version()}\n")  # fmt: skip
    print("| what | measured | target | notes |\n| --- | --- | --- | --- |", flush=True)
    for row in rows():
        print(f"| {row.what} | {row.figure} | {row.target} | {row.note} |", flush=True)


def rows() -> Iterator[Row]:
    """Yield each figure when it is known."""
    yield from starts()
    yield from infra.rows()
    with lab() as (engine, registry, operator):
        yield from swaps(operator)
        yield from channels(operator)
        yield from latency(operator)
        yield from proxy_exchange(operator)
        yield from playbook.rows(operator, TAGS)
        yield from naive_script(engine)
        operator.droplet.close()
        yield from fleet.rows(registry, TAGS)
        yield from images.rows(registry)


def starts() -> Iterator[Row]:
    """How long the program takes to say its version or its help."""
    for words, target in (
        ([sys.executable, "-c", "pass"], ""),
        ([RESTOOPS, "--version"], "60 ms"),
        ([RESTOOPS, "--help"], "150 ms"),
    ):
        argv = words
        series = repeated(STARTS, lambda _, argv=argv: timed(argv))  # type: ignore[misc]
        name = " ".join([Path(argv[0]).name, *argv[1:]])
        yield Row(f"`{name}`", f"{series.seconds * 1000:.0f} ms", target, series.note)


@contextmanager
def lab() -> Iterator[tuple[DockerClient, Registry, Operator]]:
    """A droplet with the first releases of the test application on it."""
    with ExitStack() as stack:
        engine = docker.from_env()
        stack.callback(engine.close)
        stack.enter_context(network.used(engine))
        registry = stack.enter_context(Registry())
        droplet = stack.enter_context(Droplet(engine))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        releases = Releases(engine, registry)
        for tag in TAGS:
            releases.push(App(tag))
        for variant in PROXIES:
            registry.push(engine, lab_images.haproxy(engine, variant), "restoops/haproxy", variant)
        proxy = f"{registry.host}/restoops/haproxy:{PROXIES[0]}"
        operator = Operator(folder, droplet, registry, cache.private_key(), proxy)
        for tag in TAGS:
            operator.deploy(tag)
        yield engine, registry, operator


def swaps(operator: Operator) -> Iterator[Row]:
    """Deploy and roll back, again and again, from Enter to exit."""
    spaced, deploys, rollbacks = [], [], []
    for number in range(SWAPS + 1):
        operator.settings["swap"] = {"warm_s": 1}
        operator.write_settings()
        run(operator, "deploy", TAGS[number % 2])
        time.sleep(WARM_OVER_S)
        operator.settings["swap"] = {}
        operator.write_settings()
        spaced.append(run(operator, "deploy", TAGS[2]))
        deploys.append(run(operator, "deploy", TAGS[number % 2]))
        rollbacks.append(run(operator, "rollback"))
    yield from (
        Row(what, str(series), target, series.note)
        for what, series, target in (
            ("deploy, image on the host", Series(tuple(spaced[1:])), "1.2 s"),
            ("the same while the release before last is warm", Series(tuple(deploys[1:])), ""),
            ("rollback to a warm release", Series(tuple(rollbacks[1:])), "0.7 s"),
        )
    )
    peak = max(one.peak_mib for one in (*spaced, *deploys, *rollbacks))
    yield Row("peak memory of the command", f"{peak:.0f} MiB", "80 MiB")


def channels(operator: Operator) -> Iterator[Row]:
    """Count the SSH channels of one command each, as the host saw them."""
    count = ChannelCount(operator.droplet)
    try:
        for command in ("deploy", "rollback"):
            before = count.so_far()
            run(operator, command, TAGS[0] if command == "deploy" else "")
            opened = count.so_far() - before
            assert opened > 0, "sshd logged no channel: the count is broken"
            yield Row(f"SSH channels of a {command}", str(opened), "12")
    finally:
        count.close()


def latency(operator: Operator) -> Iterator[Row]:
    """99th percentile without and with swaps, and the requests that failed.

    On two processors a command disturbs the clients by what it takes of them, whatever it does: a
    dry run does all that a deploy does except the swap, and is set beside it.
    """
    swaps = (TAGS[1], TAGS[0], TAGS[1], TAGS[0])
    silent, dry, during = [], [], []
    for _ in range(LOAD_RUNS):
        silent.append(under_load(operator, ()))
        dry.append(under_load(operator, swaps, "--dry-run"))
        during.append(under_load(operator, swaps))
    before, beside, p99 = ([_p99(run) for run in runs] for runs in (silent, dry, during))
    yield Row(f"p99 at {RATE} requests a second", f"{median(before):.1f} ms", "", _each(before))
    yield Row("p99 during dry runs", _times(beside, before), "", _each(beside))
    ratios = f"{_times(p99, before)}; {median(p99) / median(beside):.2f} times that of dry runs"
    yield Row("p99 during swaps", ratios, "1.25 times", _each(p99))
    failed, all_of = sum(r.failed for r in during), sum(r.requests for r in during)
    yield Row("failed requests during swaps", f"{failed} of {all_of}", "0")


def proxy_exchange(operator: Operator) -> Iterator[Row]:
    """Exchange the proxy for one with another image and back, with what serves left alone."""
    image = operator.settings["proxy"]["image"].removesuffix(PROXIES[0])
    tag = operator.serving()
    with LoadRun(operator.url, RATE, ("--seconds", "10")) as load:
        load.wait_for_traffic()
        for variant in reversed(PROXIES):
            operator.settings["proxy"]["image"] = image + variant
            operator.write_settings()
            run(operator, "deploy", tag)
        result = load.wait()
    note = f"slowest answer {result.latency_ms['max']:.0f} ms; kinds of failure: {result.kinds}"
    figure = f"{result.failed} of {result.requests}"
    yield Row("failed requests, two exchanges of the proxy", figure, "", note)


def under_load(operator: Operator, tags: tuple[str, ...], *options: str) -> LoadResult:
    """Run the load client, and deploy each of `tags` meanwhile.

    The command gets what processor time the others leave: it stands in for a laptop, which has
    processors of its own.
    """
    seconds = 8
    with LoadRun(operator.url, RATE, ("--seconds", str(seconds))) as load:
        load.wait_for_traffic()
        for tag in tags:
            run(operator, "deploy", tag, *options, before=("nice", "-n", "19"))
        return load.wait()


def _times(figures: list[float], before: list[float]) -> str:
    return f"{median(figures):.1f} ms, {median(figures) / median(before):.2f} times"


def naive_script(engine: DockerClient) -> Iterator[Row]:
    """Stop the old container, start the new one on its port: what restoops is there to replace."""
    port = naive.free_port()
    serving = naive.start(engine, App(TAGS[0]), port)
    try:
        with LoadRun(f"http://127.0.0.1:{port}/", RATE, ("--seconds", "6")) as load:
            load.wait_for_traffic()
            serving = naive.stop_then_start(engine, serving, App(TAGS[1]), port)
            result = load.wait()
    finally:
        serving.remove(force=True, v=True)
    yield Row("failed requests, the naive script", f"{result.failed} of {result.requests}", "")


def _p99(result: LoadResult) -> float:
    return result.latency_ms["p99"]


def _each(figures: list[float]) -> str:
    return f"median of {len(figures)}: " + ", ".join(f"{figure:.1f}" for figure in figures)


if __name__ == "__main__":
    main()
