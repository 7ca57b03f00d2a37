"""Memory of several processes: all of it counts, and what they share counts once."""

import sys

import pytest

from tests.bench.memory import peak_together_mib

PROGRAM = """
import os, time
shared = bytearray(1 << 20) * {shared}
if os.fork() == 0:
    own = bytearray(1 << 20) * {own}
    time.sleep(1)
    os._exit(0)
os.wait()
"""


@pytest.mark.parametrize(("shared", "own"), [(60, 0), (0, 60), (60, 60)])
def test_what_processes_share_counts_once_and_what_they_do_not_share_counts(
    shared: int, own: int
) -> None:
    program = PROGRAM.format(shared=shared, own=own)

    peak = peak_together_mib([sys.executable, "-S", "-c", program])

    assert shared + own <= peak < shared + own + 40


def test_a_command_that_fails_gives_no_figure() -> None:
    with pytest.raises(AssertionError, match="ended with 3"):
        peak_together_mib([sys.executable, "-S", "-c", "raise SystemExit(3)"])
