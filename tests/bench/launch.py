"""Runs a command and says how long it took and how much memory it needed.

    python -S launch.py COMMAND...   (a last line on standard output: seconds, MiB, exit status)

A process of its own, and a small one: what Linux calls the peak of a process begins with the size
of the one that started it (https://man7.org/linux/man-pages/man2/getrusage.2.html, `ru_maxrss`).
"""

import os
import sys
import time

began = time.perf_counter()
child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(child, 0)
seconds = time.perf_counter() - began
sys.__stdout__.write(  # type: ignore[union-attr]  # it was not taken away
    f"\n{seconds} {usage.ru_maxrss / 1024} {os.waitstatus_to_exitcode(status)}\n"
)
