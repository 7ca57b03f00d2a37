"""What clients notice: of deploys, of an exchange of the proxy, of the script without restoops."""

from collections.abc import Iterator, Sequence

from tests.bench.measure import run
from tests.bench.samples import Limit, Samples
from tests.bench.stage import PROXIES, RATE, TAGS, Stage
from tests.lab import naive
from tests.lab.images import App
from tests.lab.loadrun import LoadResult, LoadRun
from tests.lab.operator import Operator
from tests.lab.ports import free_port

TIMES = 5
SECONDS = 8
NONE = Limit(0, "sum")
_CLIENTS = f"""\
Clients send {RATE} requests a second, half of them POST, half on kept-alive connections and half on
fresh ones, """
ABOUT = f"""\
{_CLIENTS}to a droplet look-alike for {SECONDS} s, and meanwhile there is no command, or four
dry runs, or four deploys. p99 is the 99th percentile of one such run. Clients, host and
command share the processors; the command gets what the others leave (`chrt --idle`), as it has a
machine of its own elsewhere. A dry run does all that a deploy does except the swap: it shows
what the command takes by itself."""
ABOUT_PROXY = f"""\
{_CLIENTS}to a droplet look-alike for 10 s, and meanwhile the proxy is replaced by one with
another image, and that one by the first."""
ABOUT_NAIVE = f"""\
{_CLIENTS}to a container that is stopped, and another one started on its port: what restoops
is there to replace."""


def measure(stage: Stage) -> Iterator[Samples]:
    """Compare no command, dry runs and deploys, each in turn."""
    operator = stage.operator()
    swaps = (TAGS[1], TAGS[0], TAGS[1], TAGS[0])
    silent, dry, during = list[LoadResult](), list[LoadResult](), list[LoadResult]()
    for _ in range(stage.times(TIMES)):
        silent.append(_under_load(operator, ()))
        dry.append(_under_load(operator, swaps, "--dry-run"))
        during.append(_under_load(operator, swaps))
    yield _p99("silent", "p99 latency without a command", silent)
    yield _p99("dry_runs", "p99 latency during dry runs", dry)
    limits = (Limit(1.25, than="silent"), Limit(1.25, than="dry_runs"))
    yield _p99("deploys", "p99 latency during deploys", during, *limits)
    yield failed("failed", "failed requests during deploys", during, NONE)


def proxy(stage: Stage) -> Iterator[Samples]:
    """Exchange the proxy for one with another image and back, with what serves left alone."""
    operator = stage.operator()
    image = operator.settings["proxy"]["image"].removesuffix(PROXIES[0])
    with LoadRun(operator.url, RATE, ("--seconds", "10")) as load:
        load.wait_for_traffic()
        for variant in reversed(PROXIES):
            operator.settings["proxy"]["image"] = image + variant
            operator.write_settings()
            run(operator, "deploy", TAGS[-1])
        result = load.wait()
    yield failed("failed", "failed requests during two exchanges of the proxy", [result], NONE)
    slowest = (result.latency_ms["max"] / 1000,)
    yield Samples("slowest", "slowest answer meanwhile", "s", slowest)


def naive_script(stage: Stage) -> Iterator[Samples]:
    """Stop the old container, start the new one on its port."""
    port = free_port()
    assert stage.registry  # it has the network, too
    serving = naive.start(stage.engine, App(TAGS[0]), port)
    try:
        with LoadRun(f"http://127.0.0.1:{port}/", RATE, ("--seconds", "6")) as load:
            load.wait_for_traffic()
            serving = naive.stop_then_start(stage.engine, serving, App(TAGS[1]), port)
            result = load.wait()
    finally:
        serving.remove(force=True, v=True)
    yield failed("failed", "failed requests of the naive script, stop then start", [result])


def failed(name: str, title: str, results: Sequence[LoadResult], *limits: Limit) -> Samples:
    """Return how many requests of each run failed."""
    requests = tuple(it.requests for it in results)
    return Samples(name, title, "count", tuple(it.failed for it in results), limits, requests)


def _under_load(operator: Operator, tags: tuple[str, ...], *options: str) -> LoadResult:
    with LoadRun(operator.url, RATE, ("--seconds", str(SECONDS))) as load:
        load.wait_for_traffic()
        for tag in tags:
            run(operator, "deploy", tag, *options, before=("chrt", "--idle", "0"))
        return load.wait()


def _p99(name: str, title: str, results: Sequence[LoadResult], *limits: Limit) -> Samples:
    return Samples(name, title, "s", tuple(it.latency_ms["p99"] / 1000 for it in results), limits)
