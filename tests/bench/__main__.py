"""`python -m tests.bench`: measure, and write docs/benchmarks.md and all figures anew."""

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests import docs_text
from tests.bench import machine, store, suite
from tests.bench.attempt import Benchmark, Circumstances, attempt
from tests.bench.stage import Stage


def main(argv: Sequence[str] | None = None) -> int:
    """Measure what was chosen, and return the exit status: 1 when something could not be run.

    What has been measured is kept at once: Ctrl-C loses the benchmark that is running only.
    """
    options = _options(argv)
    chosen = [it for it in suite.ALL if it.name in options.names or not options.names]
    try:
        with Stage(options.at_most) as stage:
            could = measure(chosen, stage)
    except KeyboardInterrupt:
        print("Interrupted; what was measured before is kept.", file=sys.stderr)
        return 128 + signal.SIGINT
    finally:
        docs_text.write()
    return 0 if could else 1


def now() -> Circumstances:
    """Return what is so here and now."""
    return Circumstances(datetime.now(UTC), machine.commit(), machine.place(), machine.busy)


def measure(
    chosen: Sequence[Benchmark],
    stage: Stage,
    folder: Path = store.FOLDER,
    circumstances: Callable[[], Circumstances] = now,
) -> bool:
    """Run benchmarks, keep what comes of each when it ends, and say whether all could be run."""
    could = True
    for benchmark in chosen:
        print(f"{benchmark.title} ({benchmark.name})", flush=True)
        older = store.find(benchmark.name, folder)
        report = attempt(benchmark, stage, circumstances(), older)
        store.write([report], folder)
        could = could and not report.not_run
    return could


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    names = [it.name for it in suite.ALL]
    parser = argparse.ArgumentParser("python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names)}; all")
    parser.add_argument("--at-most", type=int, metavar="N", help="measure nothing more often")
    options = parser.parse_args(argv)
    if unknown := set(options.names) - set(names):
        parser.error(f"there is no {', '.join(sorted(unknown))}; choose of {', '.join(names)}")
    return options


if __name__ == "__main__":
    sys.exit(main())
